//! The objects that the addresses in registers and in memory are meant for.

use std::collections::{BTreeMap, HashMap};

use csl_image::PeImage;
use csl_isa::{Field, Insn, NO_REG, Op};
use csl_machine::DsrFile;

use super::object::Tag;
use super::objects::Objects;
use crate::datapath::Memory;

#[derive(Clone, Debug, Default)]
pub struct Registers {
    /// By number of the register, over all running functions.
    tags: Vec<Tag>,
    /// The start of the running function's frame.
    frame: usize,
    /// Pointers and DSDs in memory, by address, each with its low half: one that was overwritten otherwise is stale.
    memory: BTreeMap<u16, (Tag, u16)>,
    /// The words at which these begin, one bit each.
    holders: Vec<u64>,
    dsrs: HashMap<(DsrFile, u8), Tag>,
}

impl Registers {
    pub fn of(program: &PeImage, word: impl Fn(u16) -> u16) -> Registers {
        let mut registers = Registers::default();
        for &(addr, symbol) in &program.pointers.memory {
            registers.hold(addr, Tag::of(symbol), word(addr));
        }
        registers
    }

    fn hold(&mut self, addr: u16, tag: Tag, value: u16) {
        let word = usize::from(addr / 2);
        if self.holders.len() <= word / 64 {
            self.holders.resize(word / 64 + 1, 0);
        }
        self.holders[word / 64] |= 1 << (word % 64);
        self.memory.insert(addr, (tag, value));
    }

    /// A task starts: its registers hold no addresses yet.
    pub fn clear(&mut self) {
        self.tags.clear();
        self.frame = 0;
    }

    /// Enters the frame of the instruction that runs next.
    #[inline(always)]
    pub fn enter(&mut self, first: usize) {
        self.frame = first;
    }

    #[inline(always)]
    pub fn of_register(&self, register: u16) -> Tag {
        self.tags.get(self.frame + usize::from(register)).copied().unwrap_or_default()
    }

    /// The object of an address and a distance, whichever is which; none of two addresses.
    #[inline(always)]
    pub fn of_sum(&self, insn: Insn) -> Tag {
        let (a, b) = (self.of_register(insn.b), self.of_register(insn.c));
        if a == Tag::NONE || b == Tag::NONE { a.or(b) } else { Tag::NONE }
    }

    #[inline(always)]
    pub fn set(&mut self, register: u16, tag: Tag) {
        match self.tags.get_mut(self.frame + usize::from(register)) {
            Some(place) => *place = tag,
            None if tag == Tag::NONE => {}
            None => self.grow(register, tag),
        }
    }

    #[cold]
    fn grow(&mut self, register: u16, tag: Tag) {
        let place = self.frame + usize::from(register);
        self.tags.resize(place + 1, Tag::NONE);
        self.tags[place] = tag;
    }

    #[inline(always)]
    fn is_holder(&self, addr: u16) -> bool {
        let word = usize::from(addr / 2);
        self.holders.get(word / 64).is_some_and(|bits| bits >> (word % 64) & 1 == 1)
    }

    /// The object of the pointer at an address, whose low half is `value`.
    pub fn of_memory(&self, addr: u16, value: u16) -> Tag {
        let kept = self.is_holder(addr).then(|| self.memory.get(&addr)).flatten();
        kept.filter(|kept| kept.1 == value).map_or(Tag::NONE, |kept| kept.0)
    }

    #[inline(always)]
    pub fn store(&mut self, addr: u16, register: u16, value: u16) {
        let tag = self.of_register(register);
        if tag != Tag::NONE {
            self.hold(addr, tag, value);
        }
    }

    #[inline(always)]
    pub fn load(&mut self, addr: u16, register: u16, memory: &Memory) {
        let tag = if self.is_holder(addr) { self.of_memory(addr, memory.read16(addr)) } else { Tag::NONE };
        self.set(register, tag);
    }

    pub fn of_dsr(&self, file: DsrFile, id: u8) -> Tag {
        self.dsrs.get(&(file, id)).copied().unwrap_or_default()
    }

    pub fn load_dsr(&mut self, file: DsrFile, id: u8, tag: Tag) {
        self.dsrs.insert((file, id), tag);
    }

    /// Carries the objects of an instruction's sources over to its result; loads are [`Registers::load`]'s.
    pub fn carry(&mut self, objects: &Objects, pc: usize, insn: Insn, frame: &[u64]) {
        let of = |register: u16| self.of_register(register);
        let is_taken = |register: u16| frame.get(usize::from(register)).is_some_and(|&value| value != 0);
        let tag = match insn.op {
            Op::Ret => of(insn.a),
            Op::MoveIf if is_taken(insn.b) => of(insn.c),
            Op::MoveUnless if !is_taken(insn.b) => of(insn.c),
            Op::Imm | Op::Imm32 | Op::Pool | Op::Index1At | Op::Index2At | Op::Index4At | Op::Index8At => {
                objects.at_pc(pc)
            }
            Op::Copy
            | Op::Wrap
            | Op::AddI16Imm
            | Op::AddU16Imm
            | Op::AddI32Imm
            | Op::AddU32Imm
            | Op::Add64Imm
            | Op::Index1
            | Op::Index2
            | Op::Index4
            | Op::Index8
            | Op::MakeMem1d
            | Op::AddDsdWords
            | Op::SetDsdLength
            | Op::SetDsdStride => of(insn.b),
            Op::AddI16 | Op::AddU16 | Op::AddI32 | Op::AddU32 | Op::Add64 | Op::SubI16 | Op::SubU16 => {
                self.of_sum(insn)
            }
            Op::SetDsdAddr => of(insn.c),
            _ => Tag::NONE,
        };
        if insn.op == Op::Ret {
            return self.set(0, tag);
        }
        if matches!(insn.op, Op::MoveIf | Op::MoveUnless) && tag == Tag::NONE {
            return;
        }
        for (field, register) in insn.op.fields().into_iter().zip([insn.a, insn.b, insn.c]) {
            let is_result = matches!(field, Field::Dst | Field::OptDst) || field == Field::Acc && tag != Tag::NONE;
            if is_result && register != NO_REG {
                self.set(register, tag);
            }
        }
    }
}
