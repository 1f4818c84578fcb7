//! The blocks of a function, the registers that hold a value at the start of each, and the form in which it is wanted.

use csl_image::{Function, PeImage};
use csl_isa::{Field, Insn, Op};
use csl_num::{FloatKind, MathFn};

use crate::action::{Action, action};
use crate::registers::Registers;

/// An instruction with its place in the program.
#[derive(Clone, Copy)]
pub struct Step {
    pub pc: usize,
    pub insn: Insn,
    /// The first `ext` word behind it, if there is one.
    pub ext: Insn,
    pub action: Action,
}

/// Instructions that run from the first to the last. The last alone can branch or be left to the interpreter.
pub struct Block {
    pub steps: Vec<Step>,
    /// The blocks in which control may go on, within native code or behind an instruction of the interpreter.
    pub next: Vec<usize>,
    /// The registers at its start.
    pub at_start: Demand,
    /// Whether the interpreter may enter native code here.
    pub is_entry: bool,
}

/// The registers whose values are still read, and those of them that are read as f32 next.
#[derive(Clone, PartialEq, Eq)]
pub struct Demand {
    pub live: Registers,
    pub single: Registers,
}

/// A function's blocks by their places; the first is its entry.
pub struct Flow {
    pub blocks: Vec<Block>,
    pub frame: u16,
    params: Vec<u16>,
}

/// The target of a branch, whose high half the instruction has and the `ext` word the low one.
pub fn target(high: u16, low: u16) -> usize {
    usize::from(high) << 16 | usize::from(low)
}

impl Flow {
    /// The blocks of a function; `None` where control would leave it.
    pub fn of(pe: &PeImage, func: &Function, half: FloatKind) -> Option<Flow> {
        let steps = steps(pe, func, half)?;
        let is_target = targets(pe, &steps);
        let mut blocks: Vec<Block> = Vec::new();
        let none = || Demand { live: Registers::none(func.frame), single: Registers::none(func.frame) };
        let mut is_open = false;
        for step in &steps {
            if !is_open || is_target.contains(&step.pc) {
                blocks.push(Block { steps: Vec::new(), next: Vec::new(), at_start: none(), is_entry: false });
            }
            blocks.last_mut()?.steps.push(*step);
            is_open = !ends_block(step);
        }
        let starts: Vec<usize> = blocks.iter().map(|block| block.steps[0].pc).collect();
        let find = |pc: usize| starts.binary_search(&pc).ok();
        let mut entries = vec![0];
        for at in 0..blocks.len() {
            let step = *blocks[at].steps.last()?;
            let behind = (!step.insn.op.is_end()).then_some(at + 1);
            let mut next = Vec::new();
            for pc in targets_of(pe, &step) {
                let to = find(pc)?;
                next.push(to);
                if to <= at {
                    entries.push(to);
                }
            }
            if let Some(behind) = behind {
                blocks.get(behind)?;
                next.push(behind);
                if step.action == Action::Leave {
                    entries.push(behind);
                }
            }
            blocks[at].next = next;
        }
        for at in entries {
            blocks[at].is_entry = blocks[at].steps[0].action != Action::Leave;
        }
        let params = pe.funcs.iter().map(|func| func.params).collect();
        let mut flow = Flow { blocks, frame: func.frame, params };
        flow.find_demands();
        Some(flow)
    }

    /// The block that starts at a place.
    pub fn block_at(&self, pc: usize) -> usize {
        self.blocks.binary_search_by_key(&pc, |block| block.steps[0].pc).expect("a target starts a block")
    }

    fn find_demands(&mut self) {
        let mut is_changed = true;
        while is_changed {
            is_changed = false;
            for at in (0..self.blocks.len()).rev() {
                let mut demand = self.at_end(at);
                for step in self.blocks[at].steps.iter().rev() {
                    self.before(step, &mut demand);
                }
                let start = &mut self.blocks[at].at_start;
                is_changed |= start.live.add(&demand.live);
                is_changed |= start.single.add(&demand.single);
            }
        }
    }

    /// The registers that are wanted behind a block.
    fn at_end(&self, at: usize) -> Demand {
        let mut demand = Demand { live: Registers::none(self.frame), single: Registers::none(self.frame) };
        for &next in &self.blocks[at].next {
            let start = &self.blocks[next].at_start;
            demand.live.add(&start.live);
            demand.single.add(&start.single);
        }
        demand
    }

    /// The registers that are wanted before each instruction of a block, and behind its last.
    pub fn demands(&self, at: usize) -> Vec<Demand> {
        let mut demand = self.at_end(at);
        let mut demands = vec![demand.clone()];
        for step in self.blocks[at].steps.iter().rev() {
            self.before(step, &mut demand);
            demands.push(demand.clone());
        }
        demands.reverse();
        demands
    }

    /// Goes from behind an instruction to before it.
    fn before(&self, step: &Step, demand: &mut Demand) {
        if step.action == Action::Leave {
            // The interpreter finds the others in the frame as they were.
            self.read_by_interpreter(step.insn).for_each(|reg| demand.live.put(reg, true));
            return;
        }
        let Insn { op, a, b, c } = step.insn;
        let is_wanted_single = op.fields()[0] != Field::None && a < self.frame && demand.single.holds(a);
        for (field, reg) in op.fields().into_iter().zip([a, b, c]) {
            if matches!(field, Field::Dst | Field::Acc) {
                demand.live.put(reg, false);
                demand.single.put(reg, false);
            }
        }
        // A value that is moved or stored is taken in either form; it is wanted as it is wanted behind the move.
        let moved: &[u16] = match step.action {
            Action::Copy => &[b],
            Action::Move { .. } => &[a, c],
            Action::Store { bytes: 4, .. } => &[a],
            _ => &[],
        };
        let singles: &[u16] = match step.action {
            Action::F32(_) | Action::CompareF32(_) => &[b, c],
            Action::FlipSign(FloatKind::F32) => &[b],
            Action::BranchF32(_) => &[a, b],
            Action::MulAccF32 => &[a, b, c],
            Action::Copy | Action::Move { .. } if is_wanted_single => moved,
            _ => &[],
        };
        for reg in read(step.insn) {
            demand.live.put(reg, true);
            if !moved.contains(&reg) {
                demand.single.put(reg, false);
            }
        }
        singles.iter().for_each(|&reg| demand.single.put(reg, true));
    }

    /// The registers that the interpreter may read in an instruction: all, where it is not known better.
    fn read_by_interpreter(&self, insn: Insn) -> impl Iterator<Item = u16> {
        let (first, count) = match insn.op {
            Op::Ret => (insn.a, 1),
            Op::RetVoid | Op::Unreachable => (0, 0),
            Op::Call => (insn.b, self.params[usize::from(insn.a)]),
            _ => (0, self.frame),
        };
        first..first.saturating_add(count).min(self.frame)
    }
}

/// The registers that a compiled instruction reads.
pub fn read(insn: Insn) -> impl Iterator<Item = u16> {
    insn.op.fields().into_iter().zip([insn.a, insn.b, insn.c]).flat_map(move |(field, reg)| match field {
        Field::Src | Field::Acc => reg..reg + 1,
        Field::Args => reg..reg + operands(insn),
        _ => 0..0,
    })
}

/// The number of operands of a mathematical function.
pub fn operands(insn: Insn) -> u16 {
    MathFn::ALL.get(usize::from(insn.c)).map_or(1, |function| if function.arity() == 2 { 2 } else { 1 })
}

/// The instructions of a function, each as one that is carried out alone.
fn steps(pe: &PeImage, func: &Function, half: FloatKind) -> Option<Vec<Step>> {
    let (mut at, end) = (func.entry as usize, func.end as usize);
    let mut steps = Vec::new();
    while at < end {
        let insn = pe.code[at].alone();
        let ext = if insn.words() > 1 { *pe.code.get(at + 1)? } else { Insn::new(Op::Ext, 0, 0, 0) };
        steps.push(Step { pc: at, insn, ext, action: action(insn, half, &pe.pool) });
        at += insn.words();
    }
    Some(steps)
}

fn ends_block(step: &Step) -> bool {
    use Action::{Branch, BranchF32, BranchHalf, Jump, Leave, Next, Table};
    matches!(step.action, Leave | Jump | Table | Branch(..) | Next(..) | BranchF32(_) | BranchHalf(_))
}

/// The places that an instruction may jump to.
fn targets_of(pe: &PeImage, step: &Step) -> Vec<usize> {
    match step.action {
        Action::Jump => vec![target(step.insn.a, step.insn.b)],
        Action::Table => {
            pe.code[step.pc + 1..][..usize::from(step.insn.b)].iter().map(|ext| target(ext.b, ext.c)).collect()
        }
        _ if step.insn.op.is_branch() => vec![target(step.insn.c, step.ext.c)],
        _ => Vec::new(),
    }
}

fn targets(pe: &PeImage, steps: &[Step]) -> std::collections::HashSet<usize> {
    steps.iter().flat_map(|step| targets_of(pe, step)).collect()
}
