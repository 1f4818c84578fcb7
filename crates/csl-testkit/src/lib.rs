//! Programs of a few instructions, for the tests of crates that run or read images. A dev-dependency only.

use csl_image::{Function, HalfFormat, PeImage, Pointers, Queue, Region, Task, TaskParam};
use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{Action, Color, Dialect, QueueDir, QueueId, Startup, TaskId, TaskKind, TaskTarget, VecConfig, VecOp};

/// A program without code and data.
pub fn program() -> PeImage {
    PeImage {
        name: "test.csl".into(),
        dialect: Dialect::CURRENT,
        half: HalfFormat::F16,
        code: Vec::new(),
        funcs: Vec::new(),
        sections: Vec::new(),
        data_end: 0,
        stack: Region { start: 0xa000, end: 0xb000 },
        vecs: Vec::new(),
        dsr_loads: Vec::new(),
        iters: Vec::new(),
        pool: Vec::new(),
        tile_consts: 0,
        descriptors: Vec::new(),
        tasks: Vec::new(),
        startup: Vec::new(),
        queues: Vec::new(),
        ends: None,
        fifos: Vec::new(),
        dsr_inits: Vec::new(),
        colors: Vec::new(),
        configs: Vec::new(),
        exports: Vec::new(),
        rpc: None,
        teardown_handlers: Vec::new(),
        empty_queue_handlers: Vec::new(),
        rotating: Vec::new(),
        separate_control_table: false,
        main_thread_priority: None,
        strings: Vec::new(),
        symbols: Vec::new(),
        pointers: Pointers::default(),
        lines: Vec::new(),
        inlined: Vec::new(),
    }
}

/// Adds a function with `params` parameters, with a free `ret_void` after its code. Returns its number.
pub fn func(program: &mut PeImage, params: u16, code: &[Insn]) -> u16 {
    let entry = program.code.len() as u32;
    program.code.extend_from_slice(code);
    program.code.push(Insn::new(Op::RetVoid, 0, 0, 0));
    let (name, end) = (format!("f{}", program.funcs.len()), program.code.len() as u32);
    program.funcs.push(Function { name, entry, end, frame: 16, params, has_result: false, stack: 0, iters: 4 });
    program.funcs.len() as u16 - 1
}

/// Binds a function as a task with parameters of these widths in bits.
pub fn bind(program: &mut PeImage, kind: TaskKind, id: u8, bits: &[u8], func: u16) {
    let params = bits.iter().map(|&bits| TaskParam { bits, signed: false }).collect();
    program.tasks.push(Task { kind, id: TaskId::at(id), func, params });
}

/// Adds a local task with this code.
pub fn task(program: &mut PeImage, id: u8, code: &[Insn]) {
    let func = func(program, 0, code);
    bind(program, TaskKind::Local, id, &[], func);
}

/// Adds a local task that is active at the start.
pub fn main_task(program: &mut PeImage, code: &[Insn]) {
    task(program, 8, code);
    program.startup.push(Startup::Activate(TaskTarget::LocalTask(TaskId::at(8))));
}

/// Binds a queue to a color.
pub fn queue(program: &mut PeImage, dir: QueueDir, id: u8, color: u8) {
    program.queues.push(Queue {
        dir,
        id: QueueId::at(id),
        color: Color::new(color),
        priority: None,
        control_base: 0,
        dense_mode: false,
    });
}

/// Adds a vector operation whose bool goes to register `dst`; returns the instruction.
pub fn vec_to(
    program: &mut PeImage,
    dst: u16,
    op: VecOp,
    dest: VecArg,
    srcs: &[VecArg],
    config: VecConfig<RegOrImm>,
) -> Insn {
    program.vecs.push(VecDesc { op: op as u8, dest, srcs: srcs.to_vec(), config });
    Insn::new(Op::Vec, program.vecs.len() as u16 - 1, dst, 0)
}

/// Adds a vector operation whose bool is dropped; returns the instruction.
pub fn vec(program: &mut PeImage, op: VecOp, dest: VecArg, srcs: &[VecArg]) -> Insn {
    vec_to(program, NO_REG, op, dest, srcs, VecConfig::default())
}

/// Adds an asynchronous operation that activates a local task; returns the instruction.
pub fn vec_async(program: &mut PeImage, op: VecOp, dest: VecArg, srcs: &[VecArg], then: u8) -> Insn {
    let completion = Action::Activate(TaskTarget::LocalTask(RegOrImm::Imm(u16::from(then))));
    vec_to(program, NO_REG, op, dest, srcs, VecConfig { is_async: true, completion, ..VecConfig::default() })
}

/// An operand of `extent` elements from a byte address on, `stride` elements apart.
pub fn mem(addr: u16, extent: u16, stride: i16) -> VecArg {
    VecArg::DsdConst(Dsd::mem1d(addr, extent, stride, false).0)
}

/// An operand of `extent` wavelets that come in by a queue.
pub fn fabin(color: u8, queue: u8, extent: u16) -> VecArg {
    VecArg::DsdConst(Dsd::fabric(DsdClass::Fabin, Color::new(color), QueueId::new(queue), extent, 0, false).0)
}

/// An operand of `extent` wavelets that go out by a queue; 255 names none.
pub fn fabout(color: u8, queue: u8, extent: u16) -> VecArg {
    VecArg::DsdConst(Dsd::fabric(DsdClass::Fabout, Color::new(color), QueueId::new(queue), extent, 0, false).0)
}
