//! The short way of an issue: one element, no FIFO, nothing that a wavelet can change. Nearly all wavelets go it.

use csl_num::LowBits;

use super::alu;
use super::cursor::Cursor;
use super::run::{Io, Operand, Step, VecRun};

impl VecRun {
    /// One issue of an operation that is plain ([`super::run::Needs`]) and has what it needs.
    pub(super) fn issue_plain(&mut self, io: &mut Io) -> Step {
        let [a, b, c] = &mut self.srcs;
        // Sources that there are not lie on cache lines of their own.
        let sources = self.needs.sources;
        let a = fetch(a, io);
        let b = if sources > 1 { fetch(b, io) } else { 0 };
        let c = if sources > 2 { fetch(c, io) } else { 0 };
        let value = alu::apply(self.op, io.half, a, b, c);
        if let Some(i) = self.accumulate {
            self.srcs[usize::from(i)].cursor = Cursor::Scalar(value);
        }
        match &mut self.dest.cursor {
            Cursor::Out(out) => {
                let out = *out;
                self.send(io, out, value, 1);
            }
            Cursor::Ptr { value: held, .. } => *held = Some(value),
            cursor => match cursor.next_addr() {
                Some(addr) if self.dest.words == 1 => io.memory.write16(addr, value.low16()),
                Some(addr) => io.memory.write32(addr, value),
                None => {}
            },
        }
        if self.left != u32::MAX {
            self.left -= 1;
        }
        self.after_move(io.memory)
    }
}

#[inline(always)]
fn fetch(src: &mut Operand, io: &mut Io) -> u32 {
    match &mut src.cursor {
        Cursor::None => 0,
        Cursor::Scalar(value) => *value,
        Cursor::In(input) => {
            let data = io.ports.take(usize::from(input.slot)).map_or(0, |wavelet| wavelet.data);
            if src.words == 1 { data & 0xffff } else { data }
        }
        cursor => match cursor.next_addr() {
            Some(addr) if src.words == 1 => u32::from(io.memory.read16(addr)),
            Some(addr) => io.memory.read32(addr),
            None => 0,
        },
    }
}
