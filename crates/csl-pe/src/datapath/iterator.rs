//! The iterators of `@map`: one element at a time, one wavelet an element.

use csl_image::PeImage;
use csl_isa::vec::IterDsd;
use csl_machine::Wavelet;
use csl_num::LowBits;

use super::cursor::{Cursor, Operand};
use super::dsr::Dsrs;
use super::length::Length;
use super::memory::Memory;
use super::operands::Setup;
use super::state::{Datapath, Iter};
use crate::fault::FaultKind;
use crate::ports::Ports;
use crate::queues::Outgoing;

const UNUSED: Iter = Iter { operand: Operand { cursor: Cursor::None, words: 1, dsr: None }, left: Length::ZERO };

/// The result of a turn of an iterator.
pub(crate) enum Turn {
    /// An element has moved; its value.
    Moved(u64),
    /// The iterator has no element left.
    End,
    /// A queue has no wavelet, or no room.
    Wait,
}

impl Datapath {
    /// Sets up iterator `iter` over a row of the program's `iters`.
    pub fn load_iter(
        &mut self,
        iter: u16,
        row: u16,
        program: &PeImage,
        ports: &mut Ports,
        reg: &dyn Fn(u16) -> u64,
    ) -> Result<(), FaultKind> {
        let row: IterDsd = *program.iters.get(usize::from(row)).ok_or(FaultKind::BadCode("no such iterator"))?;
        let words = if row.elem_bits == 16 { 1 } else { 2 };
        let (operand, left) = Setup { data: self, program, ports, reg }.iterator(&row.dsd, words)?;
        if self.iters.len() <= usize::from(iter) {
            self.iters.resize(usize::from(iter) + 1, UNUSED);
        }
        self.iters[usize::from(iter)] = Iter { operand, left };
        Ok(())
    }

    pub fn is_iter_on_fabric(&self, iter: u16) -> bool {
        self.iter(iter).is_some_and(|iter| !iter.left.is_zero() && iter.operand.cursor.is_fabric())
    }

    pub fn iter(&self, iter: u16) -> Option<&Iter> {
        self.iters.get(usize::from(iter))
    }

    fn unfinished(&mut self, iter: u16) -> Option<(&mut Iter, &mut Memory, &mut Dsrs)> {
        let Datapath { iters, memory, dsrs, .. } = self;
        let iter = iters.get_mut(usize::from(iter)).filter(|iter| !iter.left.is_zero())?;
        Some((iter, memory, dsrs))
    }

    /// The next element of a source.
    pub fn iter_next(&mut self, iter: u16, ports: &mut Ports) -> Result<Turn, FaultKind> {
        let Some((it, memory, dsrs)) = self.unfinished(iter) else { return Ok(Turn::End) };
        let value = match it.operand.cursor {
            Cursor::In(input) => match ports.take(input.slot) {
                None => return Ok(Turn::Wait),
                Some(wavelet) if it.operand.words == 1 => wavelet.data & 0xffff,
                Some(wavelet) => wavelet.data,
            },
            Cursor::Fifo(_) | Cursor::Out(_) | Cursor::Ptr { .. } | Cursor::None => {
                return Err(FaultKind::BadOperand("`@map` reads memory and fabric alone"));
            }
            _ => it.operand.next(memory),
        };
        it.step(dsrs);
        Ok(Turn::Moved(u64::from(value)))
    }

    /// Writes the next element of a destination in cycle `now`.
    pub fn iter_put(&mut self, iter: u16, value: u64, now: u64, ports: &mut Ports) -> Result<Turn, FaultKind> {
        let to_ramp = self.dispatch_to_ramp();
        let Some((it, memory, dsrs)) = self.unfinished(iter) else { return Ok(Turn::End) };
        let word = value.low32();
        match it.operand.cursor {
            Cursor::Out(out) => {
                if ports.outputs[out.slot].room() == 0 {
                    return Ok(Turn::Wait);
                }
                let low = if it.operand.words == 1 { word & 0xffff } else { word };
                let data = out.index.map_or(low, |index| low & 0xffff | u32::from(index) << 16);
                let wavelet = Wavelet { data, control: out.control, half: out.half };
                let advance_switch = out.advance_switch && it.left == Length::ONE;
                let ready = now + to_ramp;
                let sent = ports.put(out.slot, Outgoing { wavelet, color: out.color, advance_switch, ready });
                debug_assert!(sent, "there was room");
            }
            Cursor::Fifo(_) | Cursor::In(_) | Cursor::Scalar(_) | Cursor::Ptr { .. } | Cursor::None => {
                return Err(FaultKind::BadOperand("`@map` writes memory and fabric alone"));
            }
            _ => it.operand.put(memory, word),
        }
        it.step(dsrs);
        Ok(Turn::Moved(value))
    }
}

impl Iter {
    /// Counts an element off; behind the last, an explicit DSR may save the address.
    fn step(&mut self, dsrs: &mut Dsrs) {
        self.left.count_off(1);
        if self.left.is_zero()
            && let (Some(dsr), Some(addr)) = (self.operand.dsr, self.operand.cursor.addr())
        {
            dsrs.save(dsr, addr);
        }
    }
}
