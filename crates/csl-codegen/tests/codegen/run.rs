//! Whole functions: loops, calls, memory, faults.

use csl_ir::*;
use csl_num::FloatKind;
use csl_pe::Memory;
use csl_pe::scalar::CpuFault;
use csl_pe::scalar::Exit;

use crate::build::*;

const I16: Scalar = Scalar::I16;
const BOOL: Scalar = Scalar::BOOL;

/// `for i in 0..n { s += x[i] }` over f32, as semantic analysis emits it.
pub fn sum_loop() -> Program {
    let mut types = Types::new();
    let x = array(&mut types, "x", 8, Ty::F32);
    // 0: n, 1: i, 2: s, 3: test, 4: address, 5: element, 6: sum, 7: next i
    let regs = vec![I16, I16, Scalar::F32, BOOL, Scalar::PTR, Scalar::F32, Scalar::F32, I16];
    let element = Addr { base: AddrBase::Reg(Reg::new(4)), offset: 0 };
    let blocks = vec![
        block(vec![copy(1, imm(0)), copy(2, imm(0))], Term::Jump(BlockId::new(1))),
        block(
            vec![cmp(CmpOp::Lt, I16, 3, reg(1), reg(0))],
            Term::Branch { cond: reg(3), then: BlockId::new(2), otherwise: BlockId::new(3) },
        ),
        block(
            vec![
                Inst::Index {
                    dst: Reg::new(4),
                    base: Opnd::Global(GlobalId::new(0), 0),
                    index: reg(1),
                    scale: 4,
                    values: 0,
                },
                Inst::Load { ty: Scalar::F32, dst: Reg::new(5), addr: element, keeps: false },
                bin(BinOp::Add, Scalar::F32, 6, reg(2), reg(5)),
                copy(2, reg(6)),
                bin(BinOp::Add, I16, 7, reg(1), imm(1)),
                copy(1, reg(7)),
            ],
            Term::Jump(BlockId::new(1)),
        ),
        block(vec![], Term::Return(Some(reg(2)))),
    ];
    program(FloatKind::F16, types, vec![x], vec![func("sum", 1, Some(Scalar::F32), regs, blocks)])
}

/// `for i in 0..n { s += x[i] * y[i] }`, the counter stepped where it is.
pub fn dot_loop() -> Program {
    let mut types = Types::new();
    let globals = vec![array(&mut types, "x", 8, Ty::F32), array(&mut types, "y", 8, Ty::F32)];
    // 0: n, 1: i, 2: s, 3: test, 4 and 5: addresses, 6 and 7: elements, 8: product
    let (ptr, f32) = (Scalar::PTR, Scalar::F32);
    let regs = vec![Scalar::U16, Scalar::U16, f32, BOOL, ptr, ptr, f32, f32, f32];
    let address = |dst, global| Inst::Index {
        dst: Reg::new(dst),
        base: Opnd::Global(GlobalId::new(global), 0),
        index: reg(1),
        scale: 4,
        values: 0,
    };
    let load = |dst, at| Inst::Load {
        ty: f32,
        dst: Reg::new(dst),
        addr: Addr { base: AddrBase::Reg(Reg::new(at)), offset: 0 },
        keeps: false,
    };
    let blocks = vec![
        block(vec![copy(1, imm(0)), copy(2, imm(0))], Term::Jump(BlockId::new(1))),
        block(
            vec![cmp(CmpOp::Lt, Scalar::U16, 3, reg(1), reg(0))],
            Term::Branch { cond: reg(3), then: BlockId::new(2), otherwise: BlockId::new(3) },
        ),
        block(
            vec![
                address(4, 0),
                load(6, 4),
                address(5, 1),
                load(7, 5),
                bin(BinOp::Mul, f32, 8, reg(6), reg(7)),
                bin(BinOp::Add, f32, 2, reg(2), reg(8)),
                bin(BinOp::Add, Scalar::U16, 1, reg(1), imm(1)),
            ],
            Term::Jump(BlockId::new(1)),
        ),
        block(vec![], Term::Return(Some(reg(2)))),
    ];
    program(FloatKind::F16, types, globals, vec![func("dot", 1, Some(f32), regs, blocks)])
}

fn memory_with(pe: &csl_image::PeImage, values: &[f32]) -> Memory {
    let mut memory = Memory::of(pe);
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    memory.write_bytes(pe.symbols[0].addr, &bytes);
    memory
}

#[test]
fn a_loop_sums_an_array() {
    let pe = pe(sum_loop());
    let mut memory = memory_with(&pe, &[1.0, 2.0, 3.5]);
    let (exit, cpu) = run_func(&pe, &mut memory, &[3]);
    assert_eq!((exit, f32::from_bits(cpu.result() as u32)), (Exit::Returned, 6.5));
}

/// The four instructions of an iteration are carried out as one, however often the loop runs.
#[test]
fn a_fused_loop_adds_products() {
    let pe = pe(dot_loop());
    for (n, dot) in [(0, 0.0), (1, 2.0), (3, 2.0 + 8.0 + 18.0)] {
        let mut memory = memory_with(&pe, &[1.0, 2.0, 3.0]);
        let bytes: Vec<u8> = [2.0f32, 4.0, 6.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        memory.write_bytes(pe.symbols[1].addr, &bytes);
        let (exit, cpu) = run_func(&pe, &mut memory, &[n]);
        assert_eq!((exit, f32::from_bits(cpu.result() as u32)), (Exit::Returned, dot));
    }
}

/// A sum without the optimiser, which makes the element's address step with the counter. That saves two of 17 cycles;
/// 15 are reported for the WSE-3 simulator (`tests/timing/recorded.tsv`, sum).
#[test]
fn an_iteration_of_a_sum_takes_17_cycles_as_it_stands() {
    let pe = pe(sum_loop());
    let cycles = |n| run_func(&pe, &mut memory_with(&pe, &[1.0; 8]), &[n]).1.local_time;
    assert_eq!(cycles(5) - cycles(4), 17);
}

/// The same loop as `while (true) { if (i >= n) break; ... }`.
#[test]
fn a_way_out_of_a_loop_costs_a_turn_nothing() {
    let mut program = sum_loop();
    let func = std::sync::Arc::make_mut(&mut program.funcs[0]);
    func.blocks[1].insts = vec![cmp(CmpOp::Ge, I16, 3, reg(1), reg(0))];
    func.blocks[1].term = Term::Branch { cond: reg(3), then: BlockId::new(3), otherwise: BlockId::new(2) };
    let (broken, tested) = (pe(program), pe(sum_loop()));
    let cycles = |pe, n| run_func(pe, &mut memory_with(pe, &[1.0; 8]), &[n]).1.local_time;
    for turns in 0..8 {
        assert_eq!(cycles(&broken, turns), cycles(&tested, turns), "{turns} turns");
    }
}

#[test]
fn a_quantum_ends_at_a_branch_and_goes_on() {
    let pe = pe(sum_loop());
    let mut memory = memory_with(&pe, &[1.0, 2.0, 3.5]);
    let mut cpu = csl_pe::scalar::Cpu::new(0);
    cpu.start(&pe, 0, &[3]);
    let mut quanta = 0;
    while csl_pe::scalar::run(&mut cpu, &mut memory, &pe, 1) == Exit::QuantumEnd {
        quanta += 1;
    }
    assert_eq!((quanta, f32::from_bits(cpu.result() as u32)), (2, 6.5));
}

/// `fn fact(n) { if (n < 2) return 1; return n * fact(n - 1); }`
fn factorial() -> Program {
    let regs = vec![I16, BOOL, I16, I16, I16];
    let call = Inst::Call { dst: Some(Reg::new(3)), callee: Callee::Direct(FuncId::new(0)), args: vec![reg(2)] };
    let blocks = vec![
        block(
            vec![cmp(CmpOp::Lt, I16, 1, reg(0), imm(2))],
            Term::Branch { cond: reg(1), then: BlockId::new(1), otherwise: BlockId::new(2) },
        ),
        block(vec![], Term::Return(Some(imm(1)))),
        block(
            vec![bin(BinOp::Sub, I16, 2, reg(0), imm(1)), call, bin(BinOp::Mul, I16, 4, reg(0), reg(3))],
            Term::Return(Some(reg(4))),
        ),
    ];
    program(FloatKind::F16, Types::new(), vec![], vec![func("fact", 1, Some(I16), regs, blocks)])
}

#[test]
fn a_function_calls_itself() {
    let pe = pe(factorial());
    assert_eq!(run_func(&pe, &mut Memory::new(), &[7]).1.result(), 5040);
}

#[test]
fn endless_recursion_is_a_fault() {
    let regs = vec![];
    let call = Inst::Call { dst: None, callee: Callee::Direct(FuncId::new(0)), args: vec![] };
    let body = vec![block(vec![call], Term::Return(None))];
    let pe = pe(program(FloatKind::F16, Types::new(), vec![], vec![func("f", 0, None, regs, body)]));
    assert_eq!(run_func(&pe, &mut Memory::new(), &[]).0, Exit::Fault(CpuFault::CallDepth));
}

#[test]
fn division_by_zero_is_a_fault_at_its_line() {
    let body = vec![block(vec![bin(BinOp::Div, I16, 1, imm(1), reg(0))], Term::Return(Some(reg(1))))];
    let pe = pe(program(FloatKind::F16, Types::new(), vec![], vec![func("f", 1, Some(I16), vec![I16; 2], body)]));
    let (exit, cpu) = run_func(&pe, &mut Memory::new(), &[0]);
    assert_eq!(exit, Exit::Fault(CpuFault::DivisionByZero));
    assert_eq!(pe.line_of(cpu.at()).map(|line| line.line), Some(1));
}

/// Slots of callees lie behind those of their callers; register space is left to the engine.
#[test]
fn a_load_from_register_space_leaves_the_interpreter() {
    let addr = Addr { base: AddrBase::Absolute, offset: 0xfe40 };
    let body =
        vec![block(vec![Inst::Load { ty: I16, dst: Reg::new(0), addr, keeps: false }], Term::Return(Some(reg(0))))];
    let pe = pe(program(FloatKind::F16, Types::new(), vec![], vec![func("f", 0, Some(I16), vec![I16], body)]));
    let mut memory = Memory::new();
    let (exit, mut cpu) = run_func(&pe, &mut memory, &[]);
    let Exit::Load(load) = exit else { panic!("{exit:?}") };
    assert_eq!((load.addr, load.bytes, load.signed), (0xfe40, 2, true));
    cpu.finish_load(load, 0xffff);
    assert_eq!(csl_pe::scalar::run(&mut cpu, &mut memory, &pe, u64::MAX), Exit::Returned);
    assert_eq!(cpu.result(), u64::MAX);
}

/// `switch (x) { 3, 4, 5, 6 => 10 + x, 9 => 1, else => 0 }`, dense enough for a table.
#[test]
fn a_switch_goes_to_its_case() {
    let cases = vec![
        (3, BlockId::new(1)),
        (4, BlockId::new(1)),
        (5, BlockId::new(1)),
        (6, BlockId::new(1)),
        (9, BlockId::new(2)),
    ];
    let blocks = vec![
        block(vec![], Term::Switch { ty: I16, value: reg(0), cases, default: BlockId::new(3) }),
        block(vec![bin(BinOp::Add, I16, 1, reg(0), imm(10))], Term::Return(Some(reg(1)))),
        block(vec![], Term::Return(Some(imm(1)))),
        block(vec![], Term::Return(Some(imm(0)))),
    ];
    let pe = pe(program(FloatKind::F16, Types::new(), vec![], vec![func("f", 1, Some(I16), vec![I16; 2], blocks)]));
    let result = |x: i16| run_func(&pe, &mut Memory::new(), &[x as u64]).1.result();
    assert_eq!([-1, 2, 3, 6, 7, 9, 10].map(result), [0, 0, 13, 16, 0, 1, 0]);
}

#[test]
fn a_stack_slot_is_memory() {
    let slot = |offset| Addr { base: AddrBase::Slot(SlotId::new(0)), offset };
    let insts = vec![
        Inst::MemFill { ty: I16, dst: slot(0), src: imm(7), count: 4 },
        Inst::Store { ty: I16, addr: slot(2), src: reg(0) },
        Inst::Load { ty: Scalar::Int { signed: false, bits: 64 }, dst: Reg::new(1), addr: slot(0), keeps: false },
    ];
    let ret = Scalar::Int { signed: false, bits: 64 };
    let mut f = func("f", 1, Some(ret), vec![I16, ret], vec![block(insts, Term::Return(Some(reg(1))))]);
    f.slots.push(StackSlot { size: 8, align: 2, name: "a".into() });
    let pe = pe(program(FloatKind::F16, Types::new(), vec![], vec![f]));
    assert_eq!(run_func(&pe, &mut Memory::new(), &[0x1234]).1.result(), 0x0007_0007_1234_0007);
}
