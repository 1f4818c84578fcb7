//! Prints instructions and terminators.

use csl_machine::{Action, DsrLoad, OnControl, VecConfig};

use super::operand::{addr, dsd, dsr_file, func_name, opnd, opnds, reg, scalar, target, vec_operand};
use crate::func::{BinOp, Callee, CmpOp, DsdChange, Func, Inst, Opnd, Reg, Term, UnOp, VecInst, VecOperand};
use crate::program::Program;

pub fn inst(program: &Program, func: &Func, inst: &Inst) -> String {
    let text = match inst {
        Inst::Copy { src, .. } => opnd(program, src),
        Inst::Bin { op, ty, a, b, .. } => format!("{} {} {}", bin_op(*op), scalar(*ty), opnds(program, [a, b])),
        Inst::Un { op, ty, a, .. } => format!("{} {} {}", un_op(*op), scalar(*ty), opnd(program, a)),
        Inst::Cmp { op, ty, a, b, .. } => format!("{} {} {}", cmp_op(*op), scalar(*ty), opnds(program, [a, b])),
        Inst::Cast { from, to, to_bool, a, .. } => {
            let to = if *to_bool { "bool".into() } else { scalar(*to) };
            format!("cast {} to {to} {}", scalar(*from), opnd(program, a))
        }
        Inst::Select { ty, cond, a, b, .. } => {
            format!("select {} {} ? {} : {}", scalar(*ty), opnd(program, cond), opnd(program, a), opnd(program, b))
        }
        Inst::Math { f, ty, a, b, .. } => {
            format!("{} {} {}", f.name(), scalar(*ty), opnds(program, std::iter::once(a).chain(b)))
        }
        Inst::Load { ty, addr: at, keeps, .. } => {
            format!("load {} {}{}", scalar(*ty), addr(program, at), if *keeps { ", to keep" } else { "" })
        }
        Inst::Store { ty, addr: at, src } => {
            format!("store {} {}, {}", scalar(*ty), addr(program, at), opnd(program, src))
        }
        Inst::MemCopy { dst, src, bytes } => {
            format!("copy {}, {}, {bytes} bytes", addr(program, dst), addr(program, src))
        }
        Inst::MemFill { ty, dst, src, count } => {
            format!("fill {} {}, {}, {count} times", scalar(*ty), addr(program, dst), opnd(program, src))
        }
        Inst::Lea { addr: at, .. } => format!("lea {}", addr(program, at)),
        Inst::Index { base, index, scale, .. } => {
            format!("index {} + {} * {scale}", opnd(program, base), opnd(program, index))
        }
        Inst::Call { callee, args, .. } => format!("call {}({})", callee_text(program, callee), opnds(program, args)),
        Inst::MakeMem1d { base, offset, elem_words, stride, extent, index_offset, .. } => {
            let parts = opnds(program, [base, offset, stride, extent]);
            let flag = if *index_offset { " index offset" } else { "" };
            format!("make_mem1d base, offset, stride, extent = {parts} elements of {elem_words} words{flag}")
        }
        Inst::MakeFabric { desc, extent, .. } => {
            format!("make_fabric {} extent {}", dsd(program, desc), opnd(program, extent))
        }
        Inst::MakeMem4d { dst, desc, base, offset, extents } => {
            let mut text = format!("make_mem4d {} {}", addr(program, dst), dsd(program, desc));
            let named = [("base", base), ("offset", offset)].into_iter().map(|(name, part)| (name.to_string(), part));
            let extents = extents.iter().enumerate().map(|(at, part)| (format!("extent{at}"), part));
            for (name, part) in named.chain(extents) {
                text.push_str(&part.as_ref().map_or(String::new(), |part| format!(" {name} {}", opnd(program, part))));
            }
            text
        }
        Inst::SetDsd { dsd, what, value, .. } => format!("{} {}", change(*what), opnds(program, [dsd, value])),
        Inst::SetMem4d { addr: at, what, value } => {
            format!("{} mem4d {}, {}", change(*what), addr(program, at), opnd(program, value))
        }
        Inst::Vec(vec) => vec_inst(program, vec),
        Inst::LoadDsr(load) => dsr_load(program, load),
        Inst::IterLoad { iter, dsd, elem_bits } => {
            format!("iter{} = {} of {elem_bits} bits", iter, vec_operand(program, dsd))
        }
        Inst::IterMore { iter, .. } => format!("more iter{iter}"),
        Inst::IterNext { iter, ty, .. } => format!("next {} iter{}", scalar(*ty), iter),
        Inst::IterPut { iter, ty, src, .. } => format!("put {} iter{}, {}", scalar(*ty), iter, opnd(program, src)),
        Inst::Sys { op, args, .. } => format!("{}({})", op.name(), opnds(program, args)),
    };
    let defs: Vec<String> = inst.defs().map(|def| typed(func, def)).collect();
    if defs.is_empty() { text } else { format!("{} = {text}", defs.join(", ")) }
}

fn typed(func: &Func, def: Reg) -> String {
    func.regs.get(def.index()).map_or_else(|| format!("r{}?", def), |&ty| format!("{}: {}", reg(def), scalar(ty)))
}

fn callee_text(program: &Program, callee: &Callee) -> String {
    match callee {
        Callee::Direct(id) => func_name(program, *id),
        Callee::Indirect(pointer) => format!("*{}", opnd(program, pointer)),
    }
}

fn bin_op(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "add",
        BinOp::Sub => "sub",
        BinOp::Mul => "mul",
        BinOp::Div => "div",
        BinOp::Rem => "rem",
        BinOp::Shl => "shl",
        BinOp::Shr => "shr",
        BinOp::And => "and",
        BinOp::Or => "or",
        BinOp::Xor => "xor",
    }
}

fn un_op(op: UnOp) -> &'static str {
    match op {
        UnOp::Neg => "neg",
        UnOp::BitNot => "bit_not",
        UnOp::Not => "not",
    }
}

fn cmp_op(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => "eq",
        CmpOp::Ne => "ne",
        CmpOp::Lt => "lt",
        CmpOp::Le => "le",
        CmpOp::Gt => "gt",
        CmpOp::Ge => "ge",
    }
}

fn change(what: DsdChange) -> String {
    match what {
        DsdChange::BaseAddr => "set_base".into(),
        DsdChange::Offset { elem_words } => format!("add_offset (elements of {elem_words} words)"),
        DsdChange::Length => "set_length".into(),
        DsdChange::Stride => "set_stride".into(),
        DsdChange::Ends => "set_color_and_queue".into(),
    }
}

fn vec_inst(program: &Program, vec: &VecInst) -> String {
    let operands = std::iter::once(&vec.dest).chain(&vec.srcs).map(|operand| vec_operand(program, operand));
    let operands: Vec<String> = operands.collect();
    format!("{} {}{}", vec.op.name(), operands.join(", "), config(program, &vec.config))
}

pub fn dsr_load(program: &Program, load: &DsrLoad<VecOperand, Opnd>) -> String {
    let mut text = format!("load {}{} = {}", dsr_file(load.file), load.id, vec_operand(program, &load.dsd));
    if let Some(xdsr) = load.xdsr {
        text.push_str(&format!(" xdsr {xdsr}"));
    }
    if !load.srs.is_empty() {
        text.push_str(&format!(" srs {:?}", load.srs));
    }
    text + &config(program, &load.config)
}

fn action(program: &Program, action: &Action<Opnd>) -> Option<String> {
    let word = match action {
        Action::Nothing => return None,
        Action::Activate(_) => "activate",
        Action::Unblock(_) => "unblock",
    };
    action.target().map(|task| format!("{word} {}", target(program, task)))
}

fn config(program: &Program, config: &VecConfig<Opnd>) -> String {
    let on_control = config.on_control.as_ref().map(|then| match then {
        OnControl::Terminate => "on control terminate".to_string(),
        OnControl::Then(then) => format!("on control {}", action(program, then).unwrap_or_default()),
    });
    let parts = [
        config.is_async.then(|| "async".to_string()),
        action(program, &config.completion),
        on_control,
        config.priority.map(|priority| format!("priority {priority:?}")),
        config.ut.as_ref().map(|ut| format!("ut {}", opnd(program, ut))),
        config.index.as_ref().map(|index| format!("index {}", opnd(program, index))),
        config.save_address.then(|| "save address".to_string()),
        config.single_step.then(|| "single step".to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" {{{}}}", parts.join(", ")) }
}

pub fn term(program: &Program, term: &Term) -> String {
    match term {
        Term::Jump(to) => format!("jump b{}", to),
        Term::Branch { cond, then, otherwise } => {
            format!("branch {}, b{}, b{}", opnd(program, cond), then, otherwise)
        }
        Term::Switch { ty, value, cases, default } => {
            let cases: Vec<String> = cases.iter().map(|(bits, to)| format!("{}: b{}", *bits as i64, to)).collect();
            format!("switch {} {}, {}, else b{}", scalar(*ty), opnd(program, value), cases.join(", "), default)
        }
        Term::Return(None) => "return".into(),
        Term::Return(Some(value)) => format!("return {}", opnd(program, value)),
        Term::Unreachable => "unreachable".into(),
    }
}
