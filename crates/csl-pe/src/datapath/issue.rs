//! One issue of an operation: the elements that move in one cycle.

use csl_machine::{ENDLESS_LENGTH, FifoAction, VecOp};
use csl_num::LowBits;

use super::config::Effect;
use super::cursor::Cursor;
use super::exceptions;
use super::operation::{Message, Operation, Stall, Step};
use super::state::Datapath;
use super::wavelets::received;
use crate::fault::FaultKind;
use crate::ports::Ports;

/// Whether the operands let elements move.
enum Ready {
    Go(u32),
    Wait(Stall),
    End(Effect),
}

/// The end of a FIFO that an operation finds empty or full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Read,
    Write,
}

impl Operation {
    /// Issues any operation in cycle `now`.
    pub fn issue(&mut self, data: &mut Datapath, ports: &mut Ports, now: u64) -> Result<Step, FaultKind> {
        if self.needs.is_fast && data.unmasked == 0 && ports.have(self.needs.inputs, self.needs.outputs) {
            return Ok(self.issue_fast(data, ports, now));
        }
        if self.op == VecOp::Dfilt {
            return Ok(self.filter(data, ports));
        }
        if matches!(self.message, Message::Header(_) | Message::Awaited) {
            return Ok(self.pass_header(data, ports, now));
        }
        let elements = match self.ready(data, ports)? {
            Ready::Go(elements) => elements,
            Ready::Wait(stall) => return Ok(Step::Stalled(stall)),
            Ready::End(effect) => return Ok(Step::Done(effect)),
        };
        self.move_elements(data, ports, now, elements)?;
        self.left.count_off(elements);
        self.pass_rows(data.chip, elements);
        Ok(self.after_move(&mut data.memory))
    }

    fn ready(&mut self, data: &mut Datapath, ports: &mut Ports) -> Result<Ready, FaultKind> {
        let mut elements = self.left.at_most(self.rate.group.into());
        for i in 0..self.srcs.len() {
            match self.srcs[i].cursor {
                Cursor::In(input) => match ports.inputs[input.slot].front() {
                    None => return Ok(Ready::Wait(Stall::Input(input.slot))),
                    Some(head)
                        if head.control
                            && let Some(effect) = self.config.end_by_control() =>
                    {
                        ports.take(input.slot);
                        self.write_back(&mut data.memory);
                        return Ok(Ready::End(effect));
                    }
                    Some(head) if head.half => elements = elements.min(1),
                    Some(_) => {}
                },
                Cursor::Fifo(id) => {
                    let words = self.srcs[i].words;
                    match self.enough(data.fifos[usize::from(id)].available(words)) {
                        0 => return self.meet_fifo(data, id, End::Read, elements * u32::from(words)),
                        some => elements = elements.min(some),
                    }
                }
                _ => {}
            }
        }
        self.ready_dest(data, ports, elements)
    }

    fn ready_dest(&mut self, data: &mut Datapath, ports: &Ports, elements: u32) -> Result<Ready, FaultKind> {
        match self.dest.cursor {
            Cursor::Out(out) if ports.outputs[out.slot].room() == 0 => Ok(Ready::Wait(Stall::Output(out.slot))),
            Cursor::Fifo(id) => {
                let words = self.dest.words;
                match self.enough(data.fifos[usize::from(id)].room(words)) {
                    0 => self.meet_fifo(data, id, End::Write, elements * u32::from(words)),
                    some => Ok(Ready::Go(elements.min(some))),
                }
            }
            _ => Ok(Ready::Go(elements)),
        }
    }

    /// Handles an empty FIFO to read from, or a full one to write to (docs/decisions/machine.md M8). The FIFO's length
    /// becomes the number of elements left.
    fn meet_fifo(&mut self, data: &mut Datapath, id: u8, end: End, words: u32) -> Result<Ready, FaultKind> {
        let fifo = &mut data.fifos[usize::from(id)];
        let words = words.low16();
        let (action, length, fault) = match end {
            End::Read => {
                fifo.hit_empty(words);
                (fifo.config.empty_action, &mut fifo.read_len, FaultKind::FifoEmpty { fifo: id })
            }
            End::Write => {
                fifo.hit_full(words);
                (fifo.config.full_action, &mut fifo.write_len, FaultKind::FifoFull { fifo: id })
            }
        };
        if action == FifoAction::Fault {
            return Err(fault);
        }
        if self.suspends(action) {
            return Ok(Ready::Wait(Stall::Fifo(id)));
        }
        if *length != 0 {
            *length = self.left.at_most(ENDLESS_LENGTH.into()).low16();
        }
        self.result = action == FifoAction::Terminate;
        Ok(Ready::End(self.config.completion))
    }

    /// Moves elements. Fails after that with the unmasked floating-point exceptions that they raise.
    fn move_elements(
        &mut self,
        data: &mut Datapath,
        ports: &mut Ports,
        now: u64,
        elements: u32,
    ) -> Result<(), FaultKind> {
        let wavelets = self.take_wavelets(data.transform, ports);
        let mut raised = 0;
        let mut packed = 0;
        for k in 0..elements {
            let values = [0, 1, 2].map(|i| self.fetch(data, i, wavelets[i], k));
            if data.unmasked != 0 {
                raised |= exceptions::of_element(self.op, data.half, values) & data.unmasked;
            }
            let value = self.compute(data.half, values);
            match self.dest.cursor {
                Cursor::Out(_) => packed |= value << (16 * k),
                Cursor::Fifo(id) => data.push(id, self.dest.words, value),
                _ => self.dest.put(&mut data.memory, value),
            }
        }
        if let Cursor::Out(out) = self.dest.cursor {
            let closes = self.message == Message::Open;
            self.send(data, ports, now, out, (packed, elements), closes);
        }
        if raised != 0 { Err(FaultKind::FpException { raised }) } else { Ok(()) }
    }

    fn take_wavelets(&self, transform: u32, ports: &mut Ports) -> [u32; 3] {
        self.srcs.each_ref().map(|src| match src.cursor {
            Cursor::In(input) => ports.take(input.slot).map_or(0, |wavelet| received(input, wavelet, transform)),
            _ => 0,
        })
    }

    fn fetch(&mut self, data: &mut Datapath, i: usize, wavelet: u32, k: u32) -> u32 {
        let src = &mut self.srcs[i];
        match src.cursor {
            Cursor::In(_) if src.words == 1 => wavelet >> (16 * k) & 0xffff,
            Cursor::In(_) => wavelet,
            Cursor::Fifo(id) => data.pop(id, src.words),
            _ => src.next(&data.memory),
        }
    }
}
