//! FIFOs in memory (docs/decisions/machine.md M8).

use csl_machine::{FifoConfig, TaskTarget};
use csl_num::LowBits;

use super::memory::Memory;

/// One FIFO. Lengths are in elements of the operation that uses them, everything else in 16-bit words.
#[derive(Clone, Debug)]
pub(crate) struct FifoState {
    addr: u16,
    capacity: u16,
    head: u16,
    used: u16,
    pub read_len: u16,
    pub write_len: u16,
    pub config: FifoConfig,
    /// Words that a reader lacked; a push that completes them activates `activate_push`.
    missing: u16,
    /// Words of room that a writer lacked.
    lacking: u16,
}

impl FifoState {
    pub fn new(image: &csl_image::Fifo) -> FifoState {
        FifoState {
            addr: image.addr,
            capacity: image.words,
            head: 0,
            used: 0,
            read_len: 0,
            write_len: 0,
            config: image.config,
            missing: 0,
            lacking: 0,
        }
    }

    /// Whole elements of `words` words that can be popped.
    pub fn available(&self, words: u8) -> u32 {
        u32::from(self.used / u16::from(words))
    }

    /// Whole elements of `words` words that can be pushed.
    pub fn room(&self, words: u8) -> u32 {
        u32::from((self.capacity - self.used) / u16::from(words))
    }

    /// Notes that a reader found too few words: it needs `words`.
    pub fn hit_empty(&mut self, words: u16) {
        self.missing = words.max(1);
    }

    /// Notes that a writer found too little room: it needs `words` words.
    pub fn hit_full(&mut self, words: u16) {
        self.lacking = words.max(1);
    }

    fn word_addr(&self, offset: u16) -> u16 {
        let at = (u32::from(self.head) + u32::from(offset)) % u32::from(self.capacity.max(1));
        self.addr.wrapping_add(2 * at.low16())
    }

    /// Pops an element; the caller has checked [`Fifo::available`].
    pub fn pop(&mut self, memory: &Memory, words: u8) -> u32 {
        let mut value = 0;
        for i in 0..words {
            value |= u32::from(memory.read16(self.word_addr(u16::from(i)))) << (16 * i);
        }
        self.head = (self.head + u16::from(words)) % self.capacity.max(1);
        self.used -= u16::from(words);
        value
    }

    /// Pushes an element; the caller has checked [`Fifo::room`].
    pub fn push(&mut self, memory: &mut Memory, words: u8, value: u32) {
        for i in 0..words {
            memory.write16(self.word_addr(self.used + u16::from(i)), (value >> (16 * i)).low16());
        }
        self.used += u16::from(words);
    }

    /// The task that this push activates: only after a reader found the FIFO empty, and once its words are there.
    pub fn after_push(&mut self) -> Option<TaskTarget> {
        let enough = self.missing != 0 && self.used >= self.missing;
        if enough {
            self.missing = 0;
        }
        self.config.activate_push.filter(|_| enough)
    }

    /// The task that this pop activates: only after a writer found the FIFO full, and once its room is there.
    pub fn after_pop(&mut self) -> Option<TaskTarget> {
        let enough = self.lacking != 0 && self.capacity - self.used >= self.lacking;
        if enough {
            self.lacking = 0;
        }
        self.config.activate_pop.filter(|_| enough)
    }
}
