//! The fast path of an issue: one element, no FIFO, no effect of a wavelet but its data. Nearly all wavelets take it.

use super::alu;
use super::cursor::{Cursor, Operand};
use super::operation::{Operation, Step};
use super::state::Datapath;
use crate::ports::Ports;

impl Operation {
    /// Issues one element of an operation that may take this path ([`super::operation::Needs`]) and has all that it
    /// needs.
    pub(super) fn issue_fast(&mut self, data: &mut Datapath, ports: &mut Ports, now: u64) -> Step {
        self.move_one(data, ports, now);
        self.after_move(&mut data.memory)
    }

    /// Issues one element likewise; the caller knows that it is not the last.
    pub fn move_one(&mut self, data: &mut Datapath, ports: &mut Ports, now: u64) {
        let [a, b, c] = &mut self.srcs;
        // Missing sources lie on cache lines of their own, which are not to be read.
        let sources = self.sources;
        let a = fetch(a, data, ports);
        let b = if sources > 1 { fetch(b, data, ports) } else { 0 };
        let c = if sources > 2 { fetch(c, data, ports) } else { 0 };
        let value = alu::apply(self.op, data.half, a, b, c);
        if let Some(i) = self.accumulate {
            self.srcs[usize::from(i)].cursor = Cursor::Scalar(value);
        }
        match self.dest.cursor {
            Cursor::Out(out) => self.send(data, ports, now, out, (value, 1), false),
            _ => self.dest.put(&mut data.memory, value),
        }
        self.left.count_off(1);
    }
}

#[inline(always)]
fn fetch(src: &mut Operand, data: &Datapath, ports: &mut Ports) -> u32 {
    match src.cursor {
        Cursor::In(input) => {
            let word = ports.take(input.slot).map_or(0, |wavelet| wavelet.data);
            if src.words == 1 { word & 0xffff } else { word }
        }
        _ => src.next(&data.memory),
    }
}
