//! Native code does what the interpreter does: random programs, with the same exits, cycles, faults and memory.

use std::sync::Arc;

use csl_image::{Function, HalfFormat, PeImage};
use csl_isa::{Field, Insn, IntCode, NO_REG, Op};
use csl_jit::Native;
use csl_machine::{Draws, Schedule, SysOp};
use csl_pe::Memory;
use csl_pe::scalar::{self, Cpu, Exit};
use csl_testkit::program;

/// Registers of integers, of f32, of 16-bit floats; then those of two nested loops, and the window of calls.
const INTS: [u16; 6] = [0, 1, 2, 3, 4, 5];
const SINGLES: [u16; 4] = [6, 7, 8, 9];
const HALVES: [u16; 3] = [10, 11, 12];
const COUNTERS: [u16; 2] = [13, 14];
const WINDOW: u16 = 15;
const FRAME: u16 = 24;
const PARAMS: u16 = 3;

/// Where the values of registers are stored at the end.
const RESULTS: u16 = 0x3000;

/// Addresses where data lie, where none were written, where memory ends, where registers begin, where addresses wrap.
const ADDRESSES: [u16; 7] = [0x10, 0x40, 0x7c, 0x4000, 0xbffe, 0xc000, 0xfffe];

/// Writes a random function.
struct Writer {
    draws: Draws,
    code: Vec<Insn>,
    /// Whether it may call function 0.
    calls: bool,
}

/// The type of the values that an operation reads or writes.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Int,
    Single,
    Half,
    Any,
}

/// The types of the three fields.
fn classes(op: Op) -> [Class; 3] {
    use Class::{Any, Half, Int, Single};
    let name = op.name();
    match op {
        Op::IntToF32 => [Single, Int, Int],
        Op::IntToHalf => [Half, Int, Int],
        Op::F32ToInt | Op::F32ToBool => [Int, Single, Int],
        Op::HalfToInt | Op::HalfToBool => [Int, Half, Int],
        Op::F32ToHalf => [Half, Single, Int],
        Op::HalfToF32 => [Single, Half, Int],
        Op::EqF32 | Op::NeF32 | Op::LtF32 | Op::LeF32 => [Int, Single, Single],
        Op::EqHalf | Op::NeHalf | Op::LtHalf | Op::LeHalf => [Int, Half, Half],
        _ if name.ends_with("_f32") => [Single; 3],
        _ if name.ends_with("_half") => [Half; 3],
        _ if name.starts_with("store_") => [Any, Int, Int],
        _ if op.fields()[0] == Field::Dst && !name.starts_with("load_") => [Int, Any, Any],
        _ => [Int; 3],
    }
}

impl Writer {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.draws.next_below(u8::try_from(bound).expect("a small bound")))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len());
        from[at]
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.draws.next_below(255), self.draws.next_below(255)])
    }

    fn reg(&mut self, class: Class, count: usize) -> u16 {
        let all: Vec<u16> = match class {
            Class::Int => INTS.into(),
            Class::Single => SINGLES.into(),
            Class::Half => HALVES.into(),
            Class::Any => (0..WINDOW).collect(),
        };
        self.pick(&all[..=all.len() - count])
    }

    fn field(&mut self, op: Op, field: Field, class: Class) -> u16 {
        match field {
            Field::Dst | Field::Src | Field::Acc => self.reg(class, 1),
            Field::Args => self.reg(class, 2),
            Field::Offset if self.below(8) == 0 => self.pick(&ADDRESSES),
            Field::Offset => u16::try_from(self.below(128)).expect("a small number"),
            Field::Imm | Field::Uimm if matches!(op, Op::ShlImm | Op::ShrSImm | Op::ShrUImm | Op::MemCopy) => {
                u16::try_from(self.below(70)).expect("a small number")
            }
            Field::Uimm if matches!(op, Op::MemFill8 | Op::MemFill16 | Op::MemFill32 | Op::MemFill64) => {
                u16::try_from(self.below(6)).expect("a small number")
            }
            Field::Imm | Field::Uimm => self.word(),
            Field::Ty => {
                let bits = self.pick(&[1, 7, 8, 16, 24, 32, 33, 63, 64]);
                let signed = self.below(2) == 0;
                IntCode::new(signed, bits).0
            }
            Field::Math => u16::try_from(self.below(12)).expect("a small number"),
            _ => 0,
        }
    }

    /// An instruction that goes on behind itself.
    fn plain(&mut self) {
        let is_plain = |op: &Op| {
            let known = [Op::MemCopy, Op::MemFill16, Op::MemFill64, Op::SetDsdAddr, Op::AddDsdWords];
            let leaves = !csl_jit::is_compiled(Insn::new(*op, 0, 0, 0));
            !op.is_branch()
                && !op.is_end()
                && *op != Op::Ext
                && op.followers().is_empty()
                && (!leaves || known.contains(op))
        };
        let ops: Vec<Op> = Op::ALL.iter().copied().filter(is_plain).collect();
        let mut op = self.pick(&ops);
        if self.below(3) == 0 {
            op = self.pick(&[
                Op::AddF32,
                Op::MulAccF32,
                Op::LoadU32Idx,
                Op::Store32AtIdx,
                Op::Copy,
                Op::MoveIf,
                Op::AddU16Imm,
            ]);
        }
        let mut classes = classes(op);
        let mut code = Insn::new(op, 0, 0, 0);
        if matches!(op, Op::Copy | Op::MoveIf | Op::MoveUnless) {
            let class = self.pick(&[Class::Int, Class::Single, Class::Half]);
            classes = if op == Op::Copy { [class; 3] } else { [class, Class::Int, class] };
        }
        if op.name().starts_with("load_u32") {
            classes[0] = self.pick(&[Class::Int, Class::Single, Class::Single]);
        }
        let fields = op.fields();
        code.a = self.field(op, fields[0], classes[0]);
        code.b = self.field(op, fields[1], classes[1]);
        code.c = self.field(op, fields[2], classes[2]);
        if matches!(op, Op::Pool | Op::Tile) {
            code.b = u16::try_from(self.below(4)).expect("a small number");
        }
        self.code.push(code);
        if op.is_row_access() {
            let base = self.pick(&ADDRESSES);
            self.code.push(Insn::new(Op::Ext, 16, base, 0));
        }
    }

    /// An address or index into a register, so that accesses often meet memory.
    fn address(&mut self) {
        let (reg, value) = (self.reg(Class::Int, 1), self.pick(&ADDRESSES));
        let value = if self.below(2) == 0 { value } else { value % 16 };
        self.code.push(Insn::new(Op::Imm, reg, value, 0));
    }

    fn here(&self) -> u16 {
        u16::try_from(self.code.len()).expect("short code")
    }

    /// A few parts; `depth` loops are open.
    fn parts(&mut self, depth: usize, count: usize) {
        for _ in 0..count {
            match self.below(14) {
                0 if depth < COUNTERS.len() => self.looped(depth),
                1 | 2 => self.skipped(depth),
                3 => self.table(depth),
                4 if self.calls => {
                    (0..PARAMS).for_each(|reg| self.code.push(Insn::new(Op::Copy, WINDOW + reg, reg, 0)));
                    self.code.push(Insn::new(Op::Call, 0, WINDOW, 5));
                }
                5 => {
                    let tsc = SysOp::ALL.iter().position(|&op| op == SysOp::TscEnable).expect("it is listed");
                    self.code.push(Insn::new(Op::Sys, u16::try_from(tsc).expect("a small number"), 0, NO_REG));
                }
                6 => self.code.push(Insn::new(Op::Charge, 3, 0, 0)),
                7 | 8 => self.address(),
                _ => self.plain(),
            }
        }
    }

    fn looped(&mut self, depth: usize) {
        let counter = COUNTERS[depth];
        self.code.push(Insn::new(Op::Imm, counter, 0, 0));
        let start = self.here();
        let count = 1 + self.below(5);
        self.parts(depth + 1, count);
        let times = u16::try_from(1 + self.below(40)).expect("a small number");
        let op = self.pick(&[Op::NextU16Imm, Op::NextI16Imm]);
        self.code.push(Insn::new(op, counter, times, 0));
        self.code.push(Insn::new(Op::Ext, 2, 7, start));
    }

    fn skipped(&mut self, depth: usize) {
        let branches: Vec<Op> =
            Op::ALL.iter().copied().filter(|op| op.is_branch() && !op.name().starts_with("next")).collect();
        let op = self.pick(&branches);
        let classes = classes(op);
        let (a, b) = (self.field(op, op.fields()[0], classes[0]), self.field(op, op.fields()[1], classes[1]));
        let at = self.code.len();
        self.code.push(Insn::new(op, a, b, 0));
        self.code.push(Insn::new(Op::Ext, 3, 4, 0));
        let count = self.below(4);
        self.parts(depth, count);
        self.code[at + 1].c = self.here();
    }

    fn table(&mut self, depth: usize) {
        let reg = self.reg(Class::Int, 1);
        let at = self.code.len();
        self.code.push(Insn::new(Op::Table, reg, 3, 0));
        (0..3).for_each(|case| self.code.push(Insn::new(Op::Ext, 2 + case, 0, 0)));
        for case in 1..=3 {
            self.code[at + case].c = self.here();
            let count = self.below(3);
            self.parts(depth, count);
        }
    }

    /// Stores all registers.
    fn end(&mut self) {
        for reg in 0..WINDOW {
            self.code.push(Insn::new(Op::Store64At, reg, RESULTS + 8 * reg, 0));
        }
        self.code.push(Insn::new(Op::RetVoid, 0, 9, 0));
    }
}

/// A program whose function 1 is random, and calls function 0.
fn random(seed: u64) -> PeImage {
    let mut image = program();
    let mut writer = Writer { draws: Schedule::new(seed).draws(0, 0), code: Vec::new(), calls: false };
    image.half = writer.pick(&[HalfFormat::F16, HalfFormat::Bf16, HalfFormat::Cb16]);
    image.pool = vec![u64::MAX, 1 << 63, 0x7fc0_0001, 0x3f80_0000];
    image.tile_consts = 4;
    let mut start = 0;
    for (calls, count) in [(false, 5), (true, 14)] {
        writer.calls = calls;
        // A function reads no register before it has written it, but for its parameters.
        (PARAMS..WINDOW).for_each(|reg| writer.code.push(Insn::new(Op::Imm, reg, 0x3c00 + reg, 0)));
        writer.parts(0, count);
        if calls {
            writer.end();
        } else {
            writer.code.push(Insn::new(Op::Ret, 1, 4, 0));
        }
        let end = u32::from(writer.here());
        let name = format!("f{start}");
        image.funcs.push(Function {
            name,
            entry: start,
            end,
            frame: FRAME,
            params: PARAMS,
            has_result: false,
            stack: 8,
            iters: 0,
        });
        start = end;
    }
    image.code = writer.code;
    image
}

/// What can be seen of the core at an exit.
#[derive(Debug, PartialEq)]
struct Seen {
    exit: Exit,
    calls: Vec<u32>,
    time: (u64, u64),
    memory: Memory,
}

/// All exits until the function has returned, or for some time.
fn run(pe: &PeImage, step: u64, mut core: impl FnMut(&mut Cpu, &mut Memory, u64) -> Exit) -> Vec<Seen> {
    let mut memory = Memory::new();
    memory.write_bytes(0, &(0..200u8).map(|i| i.wrapping_mul(37)).collect::<Vec<u8>>());
    let mut cpu = Cpu::new(pe.tile_consts);
    (0..pe.tile_consts).for_each(|number| cpu.set_const(number, u64::from(number) << 14));
    cpu.start(pe, 1, &[0x20, 3, 0x4000]);
    let mut seen: Vec<Seen> = Vec::new();
    while seen.len() < 60 && !matches!(seen.last(), Some(Seen { exit: Exit::Returned | Exit::Fault(_), .. })) {
        let until = cpu.local_time + step;
        let exit = core(&mut cpu, &mut memory, until);
        if let Exit::Load(load) = exit {
            cpu.finish_load(load, 5);
        }
        let time = (cpu.local_time, cpu.block_start());
        seen.push(Seen { exit, calls: cpu.call_stack(), time, memory: memory.clone() });
    }
    seen
}

/// The number of random programs; `WAFERLAB_CASES` sets it for a long run.
fn cases() -> u64 {
    std::env::var("WAFERLAB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500)
}

#[test]
fn random_programs_run_as_in_the_interpreter() {
    let mut ended = 0;
    let (mut entered, mut faults) = (0, 0);
    for seed in 1..=cases() {
        let image = Arc::new(random(seed));
        let step = [100, 1000, 1 << 20][usize::try_from(seed % 3).expect("a small number")];
        let expected = run(&image, step, |cpu, memory, until| scalar::run(cpu, memory, &image, until));
        let native = Native::new(Arc::clone(&image), u32::try_from(seed / 3 % 3).expect("a small number"));
        let found = run(&image, step, |cpu, memory, until| scalar::native::run(cpu, memory, &image, until, &native));
        let differs = expected.iter().zip(&found).position(|(expected, found)| expected != found);
        if differs.is_some() || expected.len() != found.len() {
            let at = differs.unwrap_or(0);
            let code = csl_isa::disassemble(&image.code, 0);
            let memory = |seen: &Seen| {
                let mut bytes = vec![0; 0x3100];
                seen.memory.read_bytes(0, &mut bytes);
                bytes
            };
            let bytes: Vec<usize> = memory(&expected[at])
                .iter()
                .zip(memory(&found[at]))
                .enumerate()
                .filter_map(|(at, (a, b))| (*a != b).then_some(at))
                .collect();
            let tell = |seen: &Seen| format!("{:?} {:?} {:?}", seen.exit, seen.calls, seen.time);
            panic!(
                "seed {seed}, exit {at}: {} against {}; bytes {bytes:x?}\n{code}",
                tell(&found[at]),
                tell(&expected[at])
            );
        }
        ended += u64::from(expected.last().is_some_and(|seen| seen.exit == Exit::Returned));
        faults += u64::from(expected.last().is_some_and(|seen| matches!(seen.exit, Exit::Fault(_))));
        entered += u64::from(format!("{native:?}") != "Native(0 of 2 functions)");
    }
    let cases = cases();
    assert!(
        ended > cases / 4 && faults > cases / 50 && entered > cases / 2,
        "{ended} end, {faults} faults, {entered} native"
    );
}

/// The instructions that native code leaves to the interpreter: calls, what stops it, descriptors, blocks of memory.
#[test]
fn all_other_instructions_are_compiled() {
    let left: Vec<&str> = Op::ALL
        .iter()
        .filter(|op| op.followers().is_empty() && !csl_jit::is_compiled(Insn::new(**op, 0, 0, 0)))
        .map(|op| op.name())
        .collect();
    let calls = ["ext", "call", "call_ptr", "ret", "ret_void", "unreachable"];
    let memory = ["mem_copy", "mem_fill_8", "mem_fill_16", "mem_fill_32", "mem_fill_64"];
    let descriptors = ["make_mem1d", "set_dsd_addr", "add_dsd_words", "set_dsd_length", "set_dsd_stride"];
    let exits = ["vec", "load_dsr", "iter_load", "iter_next", "iter_put", "sys", "iter_more"];
    assert_eq!(left, [&calls[..], &memory, &descriptors, &exits].concat());
}
