//! The iterators of `@map`: one element at a time, one wavelet an element.

use csl_isa::vec::IterDsd;
use csl_machine::Wavelet;
use csl_num::LowBits;

use crate::fault::FaultKind;
use crate::main_thread::{Flow, Main};
use crate::pe::Pe;
use crate::ports::{Outgoing, Ports, Wake};
use crate::scalar::Exit;
use crate::vec::cursor::Cursor;
use crate::vec::run::{NO_DSR, Operand};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Iter {
    pub operand: Operand,
    pub left: u32,
}

const UNUSED: Iter = Iter { operand: Operand { cursor: Cursor::None, words: 1, dsr: NO_DSR }, left: 0 };

impl Pe {
    pub(crate) fn iter_load(&mut self, iter: u16, row: u16, ports: &mut Ports) -> Result<Flow, FaultKind> {
        let row: IterDsd = *self.program.iters.get(usize::from(row)).ok_or(FaultKind::BadCode("no such iterator"))?;
        let words = if row.elem_bits == 16 { 1 } else { 2 };
        let (operand, left) = self.setup(ports, |setup| setup.iterator(&row.dsd, words))?;
        if self.iters.len() <= usize::from(iter) {
            self.iters.resize(usize::from(iter) + 1, UNUSED);
        }
        self.iters[usize::from(iter)] = Iter { operand, left };
        self.cpu.tau += u64::from(self.chip.timing.dsr_load);
        Ok(Flow::On)
    }

    pub(crate) fn is_iter_on_fabric(&self, iter: u16) -> bool {
        self.iter(iter).is_some_and(|iter| iter.left != 0 && iter.operand.cursor.is_fabric())
    }

    fn iter(&self, iter: u16) -> Option<&Iter> {
        self.iters.get(usize::from(iter))
    }

    pub(crate) fn iter_more(&mut self, iter: u16, ok: u16) -> Flow {
        let left = self.iter(iter).map_or(0, |iter| iter.left);
        self.cpu.set_reg(ok, u64::from(left != 0));
        Flow::On
    }

    pub(crate) fn iter_next(
        &mut self,
        exit: Exit,
        iter: u16,
        dst: u16,
        ok: u16,
        ports: &mut Ports,
    ) -> Result<Flow, FaultKind> {
        let Some(mut it) = self.iter(iter).copied().filter(|it| it.left != 0) else {
            self.cpu.set_reg(ok, 0);
            return Ok(Flow::On);
        };
        let words = it.operand.words;
        let value = match &mut it.operand.cursor {
            Cursor::Scalar(value) => *value,
            Cursor::In(input) => match ports.take(usize::from(input.slot)) {
                None => return Ok(self.wait_for(exit)),
                Some(wavelet) if words == 1 => wavelet.data & 0xffff,
                Some(wavelet) => wavelet.data,
            },
            Cursor::Fifo(_) | Cursor::Out(_) | Cursor::Ptr { .. } | Cursor::None => {
                return Err(FaultKind::BadOperand("`@map` reads memory and fabric alone"));
            }
            memory => {
                let addr = memory.next_addr().unwrap_or(0);
                if words == 1 { u32::from(self.memory.read16(addr)) } else { self.memory.read32(addr) }
            }
        };
        self.cpu.set_reg(dst, u64::from(value));
        self.step_iter(iter, it, ok);
        Ok(Flow::On)
    }

    pub(crate) fn iter_put(
        &mut self,
        exit: Exit,
        iter: u16,
        src: u16,
        ok: u16,
        ports: &mut Ports,
    ) -> Result<Flow, FaultKind> {
        let Some(mut it) = self.iter(iter).copied().filter(|it| it.left != 0) else {
            self.cpu.set_reg(ok, 0);
            return Ok(Flow::On);
        };
        let value = self.cpu.reg(src) as u32;
        let words = it.operand.words;
        match &mut it.operand.cursor {
            Cursor::Out(out) => {
                if ports.outputs[usize::from(out.slot)].room() == 0 {
                    return Ok(self.wait_for(exit));
                }
                let low = if words == 1 { value & 0xffff } else { value };
                let data = out.index.map_or(low, |index| low & 0xffff | u32::from(index) << 16);
                let wavelet = Wavelet { data, control: out.control, half: out.half };
                let ready = self.cpu.tau + u64::from(self.chip.timing.dispatch_to_ramp);
                let advance_switch = out.advance_switch && it.left == 1;
                let sent =
                    ports.put(usize::from(out.slot), Outgoing { wavelet, color: out.color, advance_switch, ready });
                debug_assert!(sent, "there was room");
            }
            Cursor::Fifo(_) | Cursor::In(_) | Cursor::Scalar(_) | Cursor::Ptr { .. } | Cursor::None => {
                return Err(FaultKind::BadOperand("`@map` writes memory and fabric alone"));
            }
            memory => {
                let addr = memory.next_addr().unwrap_or(0);
                if words == 1 { self.memory.write16(addr, value.low16()) } else { self.memory.write32(addr, value) }
            }
        }
        self.step_iter(iter, it, ok);
        Ok(Flow::On)
    }

    /// The main thread comes back to `exit` when it is woken.
    pub(crate) fn wait_for(&mut self, exit: Exit) -> Flow {
        self.main = Main::Pending(exit);
        Flow::Wait
    }

    fn step_iter(&mut self, iter: u16, mut it: Iter, ok: u16) {
        if it.left != u32::MAX {
            it.left -= 1;
        }
        if it.left == 0
            && it.operand.dsr != NO_DSR
            && let Some(addr) = it.operand.cursor.addr()
        {
            self.dsrs.save(usize::from(it.operand.dsr), addr);
        }
        self.iters[usize::from(iter)] = it;
        self.cpu.set_reg(ok, 1);
        self.cpu.tau += 1;
    }

    /// A stalled iterator sleeps for its queue; what holds for another operation, until a microthread has moved.
    pub(crate) fn wake_of_pending(&self, exit: Exit, now: u64, ports: &Ports, wake: &mut Wake) {
        if self.held_at(exit, ports).is_some() {
            return;
        }
        let iter = match exit {
            Exit::IterNext { iter, .. } | Exit::IterPut { iter, .. } => self.iter(iter),
            _ => None,
        };
        match iter.map(|it| it.operand.cursor) {
            Some(Cursor::In(input)) if ports.inputs[usize::from(input.slot)].is_empty() => {
                wake.landings |= 1 << input.slot;
            }
            Some(Cursor::Out(out)) if ports.outputs[usize::from(out.slot)].room() == 0 => wake.credits |= 1 << out.slot,
            _ => wake.at = wake.at.min(now + 1),
        }
    }
}
