//! The shadow of a PE: what is asked at each access, and the complaints.

use std::sync::Arc;

use csl_image::{Line, PeImage, Symbol};
use csl_isa::vec::{VecArg, VecDesc};
use csl_isa::{Insn, Op};
use csl_machine::registers::ce;
use csl_machine::{DsrLoad, REGISTERS_START, TaskId, VecOp};
use csl_num::{FloatKind, LowBits};

use super::access::low_half;
use super::marks::{Marks, Number};
use super::object::Tag;
use super::objects::{Objects, words};
use super::registers::Registers;
use super::step::{NO_LIMIT, Place, Step};
use crate::complaint::{Access, Complaint, Wrong};
use crate::datapath::{Cursor, Length, Memory, Message, Operand, Operation, dsr_of};
use crate::scalar::{self, Instant};

/// The floating-point exceptions that are complaints: the result is an infinity or no number, of operands that are.
const BAD_RESULTS: u16 = ce::FP_OVERFLOW | ce::FP_INVALID | ce::FP_DIV_BY_0;

/// An instruction, if one runs, and the cycle in which its block began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub pc: Option<u32>,
    pub cycle: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Shadow {
    /// Whether the PE stops at the first complaint.
    pub stops: bool,
    program: Arc<PeImage>,
    /// Which files of the image are of the standard library.
    library: Arc<[bool]>,
    pub complaints: Vec<Complaint>,
    objects: Objects,
    registers: Registers,
    marks: Marks,
    /// The words of memory that were never written, one bit each; empty where every object has an initial value. An
    /// assignment of a field of a packed type writes the words of the whole value, as the machine does: a field beside it that
    /// has no value yet is told while none of its word has one, and no longer then.
    undefined: Vec<u64>,
    /// The objects that the host can copy.
    exported: Vec<Tag>,
    /// The operands of the main thread's operation.
    main_tags: [Tag; 4],
    /// The data task that the main thread runs.
    pub data_task: Option<TaskId>,
    /// The instruction that runs.
    now: Moment,
}

impl Shadow {
    pub fn new(program: &Arc<PeImage>, memory: &Memory, stops: bool, library: Arc<[bool]>) -> Shadow {
        let mut undefined = Vec::new();
        for symbol in program.symbols.iter().filter(|symbol| symbol.is_undefined) {
            for word in words(symbol.addr, symbol.size.min(0xffff).low16()) {
                if undefined.len() <= word / 64 {
                    undefined.resize(word / 64 + 1, 0);
                }
                undefined[word / 64] |= 1 << (word % 64);
            }
        }
        let objects = Objects::of(program);
        let exports = program.exports.iter().filter_map(|export| program.exported_symbol(export.id));
        let data = |symbol: &Symbol| if symbol.is_pointer() { memory.read16(symbol.addr) } else { symbol.addr };
        let exported = exports.map(|symbol| objects.at(data(symbol))).filter(|&tag| tag != Tag::NONE).collect();
        Shadow {
            stops,
            program: program.clone(),
            library,
            complaints: Vec::new(),
            objects,
            exported,
            registers: Registers::of(program, |addr| memory.read16(addr)),
            marks: Marks::default(),
            undefined,
            main_tags: [Tag::NONE; 4],
            data_task: None,
            now: Moment { pc: None, cycle: 0 },
        }
    }

    /// A finding at a moment.
    pub fn complain(&mut self, at: Moment, what: Wrong) {
        let same = |known: &&mut Complaint| known.pc == at.pc && known.what.key() == what.key();
        match self.complaints.iter_mut().find(same) {
            Some(known) => known.count += 1,
            None => self.complaints.push(Complaint { what, pc: at.pc, cycle: at.cycle, count: 1 }),
        }
    }

    /// Whether an instruction stands in a file of the library.
    pub fn is_of_library(&self, at: Moment) -> bool {
        let line = at.pc.and_then(|pc| self.program.line_of(pc));
        line.is_some_and(|line| self.library.get(line.file as usize).is_some_and(|is_library| *is_library))
    }

    /// Of an instruction and the calls that led to it, the innermost that the program's own files have a part in.
    pub fn outside_library(&self, stack: &[u32]) -> u32 {
        let is_own = |pc: &&u32| {
            let is_library = |line: Line| self.library.get(line.file as usize).is_some_and(|is_library| *is_library);
            self.program.origins(**pc).into_iter().any(|(_, line)| !is_library(line))
        };
        *stack.iter().find(is_own).unwrap_or(&stack[0])
    }

    /// A task starts.
    pub fn start_task(&mut self) {
        self.registers.clear();
        self.data_task = None;
    }
}

/// Scalar code.
impl Shadow {
    /// Looks at an instruction that is about to run.
    #[inline(always)]
    pub fn before(&mut self, at: Instant, insn: Insn, half: FloatKind) {
        match self.objects.step(at.behind - 1) {
            Step::Nothing => {}
            Step::Clear => {
                self.registers.enter(at.first);
                self.registers.set(insn.a, Tag::NONE);
            }
            Step::Moved => {
                self.registers.enter(at.first);
                self.registers.set(insn.a, self.registers.of_register(insn.b));
            }
            Step::Sum => {
                self.registers.enter(at.first);
                self.registers.set(insn.a, self.registers.of_sum(insn));
            }
            Step::Constant => {
                self.registers.enter(at.first);
                self.registers.set(insn.a, self.objects.at_pc(at.behind - 1));
            }
            Step::Other => self.before_other(at, insn, half),
        }
    }

    /// Looks at an access.
    #[inline(always)]
    pub fn access<const N: usize>(&mut self, at: Instant, insn: Insn, addr: u16, is_store: bool, memory: &Memory) {
        let bytes = N.low16();
        self.enter(at, 1);
        let Some(place) = self.objects.access(at.behind - 1) else { return };
        let tag = if place.is_by_register { self.registers.of_register(insn.b) } else { place.tag };
        let is_below = place.limit == NO_LIMIT || u32::from(low_half(at.frame, insn.c)) < place.limit;
        if !(is_below && self.objects.is_plainly_right(tag, addr, bytes)) {
            self.look_at_access(at, insn, tag, Access { addr, bytes, is_store });
        }
        // Pointers have 2 bytes, descriptors 8.
        match (is_store, N) {
            (true, 2 | 8) => self.registers.store(addr, insn.a, low_half(at.frame, insn.a)),
            (true, _) => {}
            (false, 2 | 8) => self.registers.load(addr, insn.a, memory),
            (false, _) => self.registers.set(insn.a, Tag::NONE),
        }
    }

    /// Looks at the 32-bit float that an instruction is about to give. If it is finite, then nothing was raised that is told.
    #[inline(always)]
    pub fn float(&mut self, at: Instant, insn: Insn, value: u64, half: FloatKind) {
        if f32::from_bits(value.low32()).is_finite() {
            self.registers.enter(at.first);
            self.registers.set(insn.a, Tag::NONE);
        } else {
            self.before_other(at, insn, half);
        }
    }

    /// Notes the instruction that runs, of so many words.
    #[inline(always)]
    fn enter(&mut self, at: Instant, words: u8) {
        self.registers.enter(at.first);
        self.now = Moment { pc: Some((at.behind - usize::from(words)).low32()), cycle: at.local_time };
    }

    /// Looks at an access that may not be plainly right.
    #[cold]
    fn look_at_access(&mut self, at: Instant, insn: Insn, tag: Tag, access: Access) {
        let Some(&Place { tag: object, words, limit, .. }) = self.objects.access(at.behind - 1) else { return };
        self.enter(at, words);
        let index = low_half(at.frame, insn.c);
        if limit != NO_LIMIT && u32::from(index) >= limit {
            self.complain_of_index(object, index.signed16(), limit.low16());
        }
        if !self.objects.is_plainly_right(tag, access.addr, access.bytes) {
            self.look_at_place(self.now, tag, access);
        }
    }

    /// Looks at an instruction in every way, but for accesses.
    #[cold]
    fn before_other(&mut self, at: Instant, insn: Insn, half: FloatKind) {
        self.enter(at, 1);
        let (pc, frame, insn) = (at.behind - 1, at.frame, insn.alone());
        let index = low_half(frame, insn.c).signed16();
        if let Some(values) = self.objects.values_at(pc).filter(|&values| !is_below(index, values)) {
            self.complain_of_index(self.objects.at_pc(pc), index, values);
        }
        let fill = match insn.op {
            Op::MemFill8 => 1,
            Op::MemFill16 => 2,
            Op::MemFill32 => 4,
            Op::MemFill64 => 8,
            Op::MemCopy => {
                let of = |register, is_store| Access { addr: low_half(frame, register), bytes: insn.c, is_store };
                self.look_at_bytes(self.now, self.registers.of_register(insn.a), of(insn.a, true));
                return self.look_at_bytes(self.now, self.registers.of_register(insn.b), of(insn.b, false));
            }
            _ => 0,
        };
        if fill != 0 {
            let access = Access { addr: low_half(frame, insn.a), bytes: insn.c.saturating_mul(fill), is_store: true };
            let tag = self.registers.of_register(insn.a);
            return if fill == 1 {
                self.look_at_bytes(self.now, tag, access)
            } else {
                self.look_at_place(self.now, tag, access)
            };
        }
        let raised = scalar::raised_by(insn, frame, half) & BAD_RESULTS;
        if raised != 0 {
            self.complain(self.now, Wrong::Float { raised });
        }
        self.registers.carry(&self.objects, pc, insn, frame);
    }

    #[cold]
    fn complain_of_index(&mut self, tag: Tag, index: i16, length: u16) {
        self.complain(self.now, Wrong::BehindRow { object: tag.symbol(), index, length });
    }

    /// The bytes of the running instruction's access are about to be used.
    #[inline(always)]
    pub fn touch(&mut self, addr: u16, bytes: usize, is_store: bool) {
        if self.marks.is_idle() && self.are_defined(addr, bytes) {
            return;
        }
        self.use_bytes(self.now, 0, Access { addr, bytes: bytes.low16(), is_store });
    }

    /// Bytes of `from` become those of `to`, whether they were written or not.
    pub fn copy(&mut self, to: u16, from: u16, bytes: u16) {
        let is_undefined = words(from, bytes).all(|word| self.is_undefined(word));
        let access = |addr, is_store| Access { addr, bytes, is_store };
        if !is_undefined {
            self.look_at_race(self.now, 0, access(from, false));
            self.use_bytes(self.now, 0, access(to, true));
        }
    }
}

/// Any access.
impl Shadow {
    /// Looks whether an access to words lies where it is meant to lie.
    #[inline(never)]
    fn look_at_place(&mut self, at: Moment, tag: Tag, access: Access) {
        let is_register = tag == Tag::NONE && access.addr >= REGISTERS_START;
        if !is_register && access.bytes > 1 && access.addr % 2 == 1 {
            self.complain(at, Wrong::Misaligned { access });
        }
        self.look_at_bytes(at, tag, access);
    }

    /// Looks whether an access to bytes does.
    fn look_at_bytes(&mut self, at: Moment, tag: Tag, access: Access) {
        let Access { addr, bytes, .. } = access;
        if tag == Tag::NONE && addr >= REGISTERS_START {
            return;
        }
        if !self.objects.holds(tag, addr, bytes) {
            self.complain(at, Wrong::Outside { object: tag.symbol(), access });
        } else if let Some(object) = self.objects.fifo_at(addr) {
            self.complain(at, Wrong::FifoBuffer { object, access });
        }
    }

    #[inline(never)]
    fn use_bytes(&mut self, at: Moment, own: Number, access: Access) {
        self.look_at_race(at, own, access);
        let Access { addr, bytes, is_store } = access;
        if self.undefined.is_empty() {
            return;
        }
        for word in words(addr, bytes) {
            if !self.is_undefined(word) {
                continue;
            }
            if is_store {
                self.define(word);
            } else if let Some(object) = self.objects.at(addr).symbol()
                && !self.objects.keeps(at.pc)
            {
                return self.complain(at, Wrong::Undefined { object, access });
            }
        }
    }

    /// Whether a few bytes are plainly known to be written: their words lie in one word of the map.
    #[inline(always)]
    fn are_defined(&self, addr: u16, bytes: usize) -> bool {
        let first = usize::from(addr) / 2;
        let Some(bits) = self.undefined.get(first / 64) else { return true };
        let count = (usize::from(addr) % 2 + bytes).div_ceil(2);
        first % 64 + count < 64 && bits >> (first % 64) & ((1 << count) - 1) == 0
    }

    fn is_undefined(&self, word: usize) -> bool {
        self.undefined.get(word / 64).is_some_and(|bits| bits >> (word % 64) & 1 == 1)
    }

    fn define(&mut self, word: usize) {
        if let Some(bits) = self.undefined.get_mut(word / 64) {
            *bits &= !(1 << (word % 64));
        }
    }

    fn look_at_race(&mut self, at: Moment, own: Number, access: Access) {
        if self.marks.is_idle() {
            return;
        }
        let Access { addr, bytes, is_store } = access;
        let object = || self.objects.at(addr).symbol();
        if let Some(by) = self.marks.writer(own, addr, bytes) {
            return self.complain(at, Wrong::StillWritten { object: object(), access, by });
        }
        if is_store && let Some(by) = self.marks.reader(own, addr, bytes) {
            self.complain(at, Wrong::StillRead { object: object(), access, by });
        }
    }

    /// A copy of the host.
    pub fn host_copy(&mut self, access: Access, cycle: u64) {
        let at = Moment { pc: None, cycle };
        let tag = self.objects.at(access.addr);
        if !self.objects.holds(tag, access.addr, access.bytes) {
            self.complain(at, Wrong::Outside { object: tag.symbol(), access });
        }
        if access.is_store {
            self.use_bytes(at, 0, access);
        } else {
            self.look_at_race(at, 0, access);
        }
    }

    /// Bytes of memory have got values that no instruction has written: the host's before the run, those of patches.
    pub fn written(&mut self, addr: u16, bytes: u16) {
        for word in words(addr, bytes) {
            self.define(word);
        }
    }

    /// The command stream goes on: the host may copy what it knows by name, though an operation still writes it.
    pub fn unblock(&mut self, at: Moment) {
        let is_exported = |&(_, tag): &(u32, Tag)| self.exported.contains(&tag);
        let found: Vec<(u32, Tag)> = self.marks.writing().filter(is_exported).collect();
        for (by, tag) in found {
            if let Some(object) = tag.symbol() {
                self.complain(at, Wrong::Unblocked { object, by });
            }
        }
    }

    /// A task is activated; `active` are the ones that are so already.
    pub fn activate(&mut self, at: Moment, active: u32, id: u16, is_completion: bool) {
        if id < 32 && active >> id & 1 == 1 {
            self.complain(at, Wrong::Active { id: TaskId::at(id.low8()), is_completion });
        }
    }
}

/// Vector operations.
impl Shadow {
    /// An operation is about to start; returns the objects that its operands are meant for.
    pub fn tags(&self, desc: &VecDesc, run: &Operation, memory: &Memory) -> [Tag; 4] {
        let args = [Some(&desc.dest), desc.srcs.first(), desc.srcs.get(1), desc.srcs.get(2)];
        let mut operands = run.operands();
        // `@faddhs` may have its sources exchanged.
        let is_plain = run.op != VecOp::Faddhs;
        args.map(|arg| {
            let operand = operands.next();
            let Some((arg, operand)) = arg.zip(operand) else { return Tag::NONE };
            let tag = if is_plain { self.tag(*arg, memory) } else { Tag::NONE };
            tag.or(start(operand).map_or(Tag::NONE, |addr| self.objects.at(addr)))
        })
    }

    fn tag(&self, arg: VecArg, memory: &Memory) -> Tag {
        match arg {
            VecArg::Dsd(register) | VecArg::Ptr(register) => self.registers.of_register(register),
            VecArg::Mem4dAt(addr) => self.registers.of_memory(addr, memory.read16(addr)),
            VecArg::Dsr { file, id } => self.registers.of_dsr(file, id),
            _ => Tag::NONE,
        }
    }

    pub fn load_dsr<C>(&mut self, load: &DsrLoad<VecArg, C>, memory: &Memory) {
        let tag = match load.dsd {
            VecArg::DsdConst(word) => self.objects.at(csl_isa::dsd::Dsd(word).addr()),
            other => self.tag(other, memory),
        };
        self.registers.load_dsr(load.file, load.id, tag);
    }

    /// `@set_dsr_base_addr` of the DSR with a number; a register holds the address.
    pub fn move_dsr(&mut self, number: u64, register: u16) {
        let (file, id) = dsr_of(number);
        self.registers.load_dsr(file, id, self.registers.of_register(register));
    }

    pub fn drops_result(&self, pc: u32) -> bool {
        self.objects.drops_result(pc)
    }

    /// Looks whether a move comes to elements that it has written itself.
    pub fn look_at_overlap(&mut self, at: Moment, run: &Operation, tag: Tag) {
        let is_move = matches!(run.op, VecOp::Mov16 | VecOp::Mov32 | VecOp::Fmovh | VecOp::Fmovs);
        let (Cursor::Mem(to), Cursor::Mem(from)) = (&run.dest.cursor, &run.srcs[0].cursor) else { return };
        let (step, ahead) = (to.step.signed16(), to.addr.wrapping_sub(from.addr).signed16());
        if !is_move || to.step != from.step || step == 0 || ahead % step != 0 {
            return;
        }
        if let (Ok(steps), Some(left)) = (u32::try_from(ahead / step), run.left.finite())
            && (1..left).contains(&steps)
        {
            self.complain(at, Wrong::Overlap { object: tag.symbol(), steps });
        }
    }

    pub fn begin_main(&mut self, tags: [Tag; 4]) {
        self.main_tags = tags;
    }

    pub fn begin(&mut self, run: &Operation, pc: u32, tags: [Tag; 4]) -> Number {
        self.marks.begin(run, pc, tags)
    }

    pub fn end(&mut self, number: Number) {
        self.marks.end(number);
    }

    /// Looks at the lengths of operands in memory, sources before the destination: none but those of length 0 is shorter than
    /// the first. (Programs take parts of longer ones, and give operands on the fabric any extent.)
    pub fn look_at_lengths(&mut self, at: Moment, run: &Operation, lengths: [Option<Length>; 4]) {
        let operands = run.srcs.iter().chain([&run.dest]).zip(lengths);
        let in_memory = operands.filter(|(operand, _)| operand.cursor.is_memory());
        let mut known = in_memory.filter_map(|(_, length)| length?.finite()).filter(|&length| length != 0);
        let Some(length) = known.next() else { return };
        if let Some(other) = known.find(|&other| other < length) {
            self.complain(at, Wrong::Lengths { length, other });
        }
    }

    /// An operation has moved elements: `before` is its state before, `left` the elements that it has left now. `number`
    /// is 0 for the main thread.
    pub fn moved(&mut self, at: Moment, number: Number, before: &Operation, left: Length, is_done: bool) {
        if before.op == VecOp::Dfilt || matches!(before.message, Message::Header(_) | Message::Awaited) {
            return;
        }
        let tags = self.marks.tags(number).unwrap_or(self.main_tags);
        let count = match (before.left.finite(), left.finite()) {
            (Some(before), Some(left)) => before.saturating_sub(left),
            _ => before.rate.group.into(),
        };
        let mut operands = [&before.dest, &before.srcs[0], &before.srcs[1], &before.srcs[2]].map(Operand::clone);
        for _ in 0..count {
            for at_operand in [1, 2, 3, 0] {
                self.element(at, number, &mut operands[at_operand], tags[at_operand], at_operand == 0);
            }
        }
        if !is_done {
            return;
        }
        if let Cursor::Ptr { addr, .. } = before.dest.cursor {
            let access = Access { addr, bytes: 2 * u16::from(before.dest.words), is_store: true };
            self.look_at_place(at, tags[0], access);
            self.use_bytes(at, number, access);
        }
        if let Some((mut operand, length)) = before.zero.as_deref().cloned() {
            (0..length.saturated()).for_each(|_| self.element(at, number, &mut operand, Tag::NONE, true));
        }
    }

    fn element(&mut self, at: Moment, own: Number, operand: &mut Operand, tag: Tag, is_store: bool) {
        let Some(addr) = operand.cursor.next_addr() else { return };
        let access = Access { addr, bytes: 2 * u16::from(operand.words), is_store };
        self.look_at_place(at, tag, access);
        self.use_bytes(at, own, access);
        self.marks.pass(own, &operand.cursor, addr, access.bytes, is_store);
    }

    /// One element of an iterator of `@map`.
    pub fn map_element(&mut self, at: Moment, mut operand: Operand, is_store: bool) {
        let tag = start(&operand).map_or(Tag::NONE, |addr| self.objects.at(addr));
        self.element(at, 0, &mut operand, tag, is_store);
    }
}

fn is_below(index: i16, values: u16) -> bool {
    u16::try_from(index).is_ok_and(|index| index < values)
}

/// The address of an operand's next element, or of its place.
fn start(operand: &Operand) -> Option<u16> {
    match operand.cursor {
        Cursor::Ptr { addr, .. } => Some(addr),
        ref cursor => cursor.addr(),
    }
}
