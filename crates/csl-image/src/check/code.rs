//! Checks instructions, so that the interpreter may index without checks.

use csl_isa::vec::{RegOrImm, VecArg};
use csl_isa::{Field, Insn, IntCode, NO_REG, Op};
use csl_machine::{SysOp, VecConfig};
use csl_num::MathFn;

use super::require;
use crate::{Function, PeImage};

pub fn code(pe: &PeImage) -> Result<(), String> {
    require(pe.funcs.len() < usize::from(u16::MAX), || "too many functions".into())?;
    let mut free = 0;
    for func in &pe.funcs {
        require(func.entry >= free && func.entry < func.end, || format!("function {} out of order", func.name))?;
        free = func.end;
        require((func.end as usize) <= pe.code.len(), || format!("function {} leaves the code", func.name))?;
        require(func.params <= func.frame && func.frame < NO_REG, || format!("frame of {}", func.name))?;
        function(pe, func).map_err(|what| format!("function {}: {what}", func.name))?;
    }
    Ok(())
}

fn function(pe: &PeImage, func: &Function) -> Result<(), String> {
    let (entry, end) = (func.entry as usize, func.end as usize);
    let code = &pe.code[entry..end];
    let starts = starts(code)?;
    let here = Here { pe, func, code, starts: &starts };
    let last = (0..code.len()).rev().find(|&at| starts[at]);
    let ends = last.is_some_and(|at| code[at].op.is_end());
    require(ends, || "control runs over the end".into())?;
    (0..code.len())
        .filter(|&at| starts[at])
        .try_for_each(|at| here.insn(at).map_err(|what| format!("{} at {}: {what}", code[at].op.name(), entry + at)))
}

/// For each word of code, whether it is an instruction rather than `ext`.
fn starts(code: &[Insn]) -> Result<Vec<bool>, String> {
    let mut starts = vec![false; code.len()];
    let mut at = 0;
    while at < code.len() {
        require(code[at].op != Op::Ext, || format!("a stray ext word at {at}"))?;
        starts[at] = true;
        let next = at + code[at].words();
        let exts = code.get(at + 1..next).ok_or("ext words are missing")?;
        require(exts.iter().all(|w| w.op == Op::Ext), || format!("ext words are missing at {at}"))?;
        at = next;
    }
    Ok(starts)
}

struct Here<'a> {
    pe: &'a PeImage,
    func: &'a Function,
    code: &'a [Insn],
    starts: &'a [bool],
}

impl Here<'_> {
    fn insn(&self, at: usize) -> Result<(), String> {
        let insn = self.code[at];
        let fields = insn.op.fields();
        for (field, value) in fields.into_iter().zip([insn.a, insn.b, insn.c]) {
            self.field(field, value, insn)?;
        }
        self.followers(at)?;
        match insn.op {
            Op::Jump => self.target(insn.a, insn.b),
            Op::Table => {
                require(insn.b > 0, || "an empty table".into())?;
                let exts = &self.code[at + 1..at + 1 + usize::from(insn.b)];
                exts.iter().try_for_each(|ext| self.target(ext.b, ext.c))
            }
            op if op.is_branch() => self.target(insn.c, self.code[at + 1].c),
            Op::IterLoad => self.row(&[self.pe.iters[usize::from(insn.b)].dsd], &VecConfig::default()),
            Op::Vec => {
                let row = &self.pe.vecs[usize::from(insn.a)];
                let args: Vec<VecArg> = row.srcs.iter().copied().chain([row.dest]).collect();
                self.row(&args, &row.config)
            }
            Op::LoadDsr => {
                let row = &self.pe.dsr_loads[usize::from(insn.a)];
                self.row(&[row.dsd], &row.config)
            }
            _ => Ok(()),
        }
    }

    /// The instructions that a fused one is going to carry out follow it.
    fn followers(&self, mut at: usize) -> Result<(), String> {
        self.code[at].op.followers().iter().try_for_each(|set| {
            at += self.code[at].words();
            let fits = self.code.get(at).is_some_and(|insn| set.contains(&insn.op));
            require(fits, || format!("something else stands at {}", self.func.entry as usize + at))
        })
    }

    fn field(&self, field: Field, value: u16, insn: Insn) -> Result<(), String> {
        let below = |len: usize| require(usize::from(value) < len, || format!("no row {value}"));
        match field {
            Field::OptDst if value == NO_REG => Ok(()),
            Field::Dst | Field::OptDst | Field::Src | Field::Acc | Field::Window => self.registers(value, 1),
            Field::Args => self.registers(value, args(insn)?),
            Field::Ty => require(IntCode(value).is_valid(), || format!("no integer type {value:#x}")),
            Field::Func => below(self.pe.funcs.len()),
            Field::Pool => below(self.pe.pool.len()),
            Field::TileConst => below(usize::from(self.pe.tile_consts)),
            Field::VecRow => below(self.pe.vecs.len()),
            Field::LoadRow => below(self.pe.dsr_loads.len()),
            Field::IterRow => below(self.pe.iters.len()),
            Field::Iter => below(usize::from(self.func.iters)),
            Field::Sys => below(SysOp::ALL.len()),
            Field::Math => math_fn(value).map(|_| ()),
            Field::None
            | Field::Imm
            | Field::Uimm
            | Field::Offset
            | Field::Target
            | Field::TargetHigh
            | Field::TargetLow
            | Field::Cost
            | Field::Count => Ok(()),
        }
    }

    fn registers(&self, first: u16, count: usize) -> Result<(), String> {
        require(usize::from(first) + count <= usize::from(self.func.frame), || format!("register {first}"))
    }

    fn target(&self, high: u16, low: u16) -> Result<(), String> {
        let target = (u32::from(high) << 16 | u32::from(low)) as usize;
        let known = target.checked_sub(self.func.entry as usize).and_then(|at| self.starts.get(at));
        require(known == Some(&true), || format!("no instruction at {target}"))
    }

    fn row(&self, args: &[VecArg], config: &VecConfig<RegOrImm>) -> Result<(), String> {
        highest_register(args, config).map_or(Ok(()), |reg| self.registers(reg, 1))
    }
}

fn args(insn: Insn) -> Result<usize, String> {
    Ok(match insn.op {
        Op::MakeMem1d => 4,
        Op::MathF32 | Op::MathHalf => math_fn(insn.c)?.arity(),
        Op::Sys => SysOp::ALL.get(usize::from(insn.a)).ok_or("no such service")?.args().len(),
        _ => 1,
    })
}

fn math_fn(number: u16) -> Result<MathFn, String> {
    MathFn::ALL.get(usize::from(number)).copied().ok_or_else(|| format!("no function {number}"))
}

/// The highest register that a row of a table names.
pub fn highest_register(args: &[VecArg], config: &VecConfig<RegOrImm>) -> Option<u16> {
    let of_arg = |arg: &VecArg| match *arg {
        VecArg::Dsd(reg) | VecArg::Mem4d(reg) | VecArg::Scalar { reg, .. } | VecArg::Ptr(reg) => Some(reg),
        _ => None,
    };
    let of_option = |option: &RegOrImm| match *option {
        RegOrImm::Reg(reg) => Some(reg),
        RegOrImm::Imm(_) => None,
    };
    args.iter().filter_map(of_arg).chain(config.operands().filter_map(of_option)).max()
}
