//! Warnings about vector operations whose operands are known at compile time: operands of unequal length, DSDs over more
//! than their array, elements of another type, a constant as the destination.

use csl_diag::{Code, Diagnostic};
use csl_ir::{DsdKind, DsdValue, GlobalId, Opnd, PtrRoot, Ty, TypeKind, VecInst, VecOperand};
use csl_machine::{Elem, QueueDir, VecOp};

use super::Call;
use crate::context::Sema;
use crate::unit::GlobalInfo;

/// Warns of an operation that moves elements outside an array, or whose operands in memory have different lengths.
/// (Programs give operands on the fabric any extent beside one in memory, and receive less than an array holds.)
pub(super) fn warn(s: &mut Sema<'_>, call: &Call<'_>, inst: &VecInst) {
    note_queues(s, call, inst);
    note_thread(s, call, inst);
    warn_elements(s, call, inst);
    if let Some(constant) = known(&inst.dest).and_then(|dsd| variable(s, dsd)).filter(|global| global.is_const) {
        let message = format!("this operation writes `{}`, which is a constant", constant.name);
        let help = "make it a `var`: other code takes its values as known";
        s.report(Diagnostic::new(Code::ConstantDestination, call.args[0].span, message).help(help));
    }
    let in_memory = inst.srcs.iter().chain([&inst.dest]).filter_map(known).filter(|dsd| dsd.base.is_some());
    let common = in_memory.map(elements).find(|&length| length != 0);
    let operands = || inst.srcs.iter().chain([&inst.dest]);
    // The first length that is not 0 is the operation's: those of the sources, then that of the destination.
    let Some(length) = length(operands()) else { return };
    for (at, operand) in std::iter::once(&inst.dest).chain(&inst.srcs).enumerate() {
        let Some(dsd) = known(operand) else { continue };
        let own = elements(dsd);
        let width = words_of(inst, at);
        // What ends an endless operation is a control wavelet.
        let beyond = outside(s, dsd, length, width).filter(|_| length != u64::from(csl_machine::ENDLESS_LENGTH));
        if let Some((last, name, count)) = beyond {
            let has = if count == 1 { "1 element".to_owned() } else { format!("{count} elements") };
            let message = format!("this operand reaches element {last} of `{name}`, which has {has}");
            let help = "an index, an offset or a length is too large";
            s.report(Diagnostic::new(Code::BehindArray, call.args[at].span, message).help(help));
        } else if let Some(other) = common.filter(|&other| dsd.base.is_some() && own != 0 && own != other) {
            let message = format!("this operand has {own} elements, another one {other}");
            let note = format!("the first source with a length gives that of the operation, which moves {length}");
            s.report(Diagnostic::new(Code::UnequalLengths, call.args[at].span, message).note(note));
        }
    }
}

/// Warns of float operations over arrays of something else, sums of integers over arrays of floats, 16-bit moves of f32,
/// any over arrays of bytes, and of operations that take a FIFO's elements for larger or smaller ones. (Other moves and operations on bits take the
/// elements of any array.)
fn warn_elements(s: &mut Sema<'_>, call: &Call<'_>, inst: &VecInst) {
    for (at, operand) in std::iter::once(&inst.dest).chain(&inst.srcs).enumerate() {
        let elem = elem_of(inst, at);
        let Some(other) = other_elements(s, inst.op, elem, operand) else { continue };
        let wants = match elem {
            Elem::I16 => "16-bit integers",
            Elem::I32 => "32-bit integers",
            Elem::Half => "16-bit floats",
            Elem::F32 => "f32",
        };
        let message = format!("`@{}` takes elements of {wants} here, and this is {other}", call.name);
        let help = "elements are taken as they are: change the type of the array, or the operation";
        return s.report(Diagnostic::new(Code::OtherElements, call.args[at].span, message).help(help));
    }
}

/// The elements of an operand, in words, where `op` does not take them for what they are.
fn other_elements(s: &Sema<'_>, op: VecOp, elem: Elem, operand: &VecOperand) -> Option<String> {
    if let VecOperand::Fifo(fifo) = operand {
        let words = s.unit.pe()?.fifos.get(fifo.index())?.config.elem_words;
        return (words != elem.words()).then(|| format!("a FIFO of {}-bit elements", 16 * words));
    }
    // `@faddhs` takes its sources in either order.
    if matches!(op, VecOp::Fmovs | VecOp::Faddhs) {
        return None;
    }
    let dsd = known(operand)?;
    let other = element(s, dsd.base.as_ref()?.root_ty).filter(|ty| !fits(s, *ty, op, elem))?;
    Some(format!("`{}`, an array of {}", variable(s, dsd)?.name, s.show(other)))
}

/// Puts the 16-bit source of an `@faddhs` of two DSDs first, where the arrays tell which one it is.
pub(super) fn put_half_first(s: &Sema<'_>, inst: &mut VecInst) {
    let is_half = |operand: &VecOperand| {
        let elem = element(s, known(operand)?.base.as_ref()?.root_ty)?;
        Some(csl_ir::size_of(&s.types, elem) == Some(2))
    };
    let is_dsd =
        |operand: &VecOperand| matches!(operand, VecOperand::Dsd(_) | VecOperand::Mem4d(_) | VecOperand::Mem4dConst(_));
    if inst.op == VecOp::Faddhs && inst.srcs.iter().all(is_dsd) {
        let [first, second] = [0, 1].map(|at| is_half(&inst.srcs[at]));
        if first == Some(false) && second != Some(false) || first.is_none() && second == Some(true) {
            inst.srcs.swap(0, 1);
        }
    }
}

/// Warns of an offset that counts elements of another size than those of the array.
pub(super) fn warn_increment(s: &mut Sema<'_>, call: &Call<'_>, dsd: &DsdValue, elem: Ty, words: u16) {
    let Some(base) = &dsd.base else { return };
    let PtrRoot::Global(global) = base.root else { return };
    let Some(own) =
        element(s, base.root_ty).filter(|own| csl_ir::size_of(&s.types, *own) != Some(2 * u32::from(words)))
    else {
        return;
    };
    let (name, own) = (s.unit.globals[global].name.clone(), s.show(own));
    let message = format!("the offset counts elements of {}, and `{name}` is an array of {own}", s.show(elem));
    s.report(Diagnostic::new(Code::OtherElements, call.args[2].span, message).help(format!("give {own}")));
}

/// The element type of operand `at`: the destination, then the sources.
fn elem_of(inst: &VecInst, at: usize) -> Elem {
    at.checked_sub(1).map_or(inst.op.dest(), |source| inst.op.sources()[source])
}

/// Whether an operation takes values of a type for what they are, as `elem`.
fn fits(s: &Sema<'_>, ty: Ty, op: VecOp, elem: Elem) -> bool {
    let is_float = matches!(s.types.kind(ty), TypeKind::Float(_));
    let is_f32 = is_float && csl_ir::size_of(&s.types, ty) == Some(4);
    match (op, elem) {
        // An element of an operation is a word or two.
        _ if csl_ir::size_of(&s.types, ty) == Some(1) => false,
        (VecOp::Fmovh, _) => !is_f32,
        (VecOp::Add16 | VecOp::Addc16 | VecOp::Sub16, _) => !is_float,
        (_, Elem::Half) => is_float && csl_ir::size_of(&s.types, ty) == Some(2),
        (_, Elem::F32) => is_f32,
        (_, Elem::I16 | Elem::I32) => true,
    }
}

/// The type of the elements of an array, or of a variable of one element, where they are numbers.
fn element(s: &Sema<'_>, ty: Ty) -> Option<Ty> {
    let elem = match s.types.kind(ty) {
        TypeKind::Array { elem, .. } => *elem,
        _ => ty,
    };
    matches!(s.types.kind(elem), TypeKind::Bool | TypeKind::Int { .. } | TypeKind::Float(_)).then_some(elem)
}

/// The global that the DSD of an operand is over. (There it has the number that it has in the program.)
fn variable<'s>(s: &'s Sema<'_>, dsd: &DsdValue) -> Option<&'s GlobalInfo> {
    match dsd.base.as_ref()?.root {
        PtrRoot::Global(global) => s.unit.globals.iter().find(|info| info.id == Some(GlobalId::at(global.index()))),
        _ => None,
    }
}

/// Notes the queue whose microthread the operation has by default.
fn note_thread(s: &mut Sema<'_>, call: &Call<'_>, inst: &VecInst) {
    let operands = std::iter::once(&inst.dest).chain(&inst.srcs).enumerate();
    let fabric = operands.filter_map(|(at, operand)| Some((at, known(operand)?.fabric.as_ref()?)));
    let fabrics: Vec<_> = fabric.collect();
    let is_given = inst.config.ut.is_some() || fabrics.iter().any(|(_, fabric)| fabric.ut.is_some());
    if let Some(&(at, fabric)) = fabrics.first().filter(|_| inst.config.is_async && !is_given)
        && let Some(queue) = fabric.queue
    {
        let dir = if at == 0 { QueueDir::Out } else { QueueDir::In };
        if let Some(code) = s.runtime() {
            code.note_thread(dir, queue, call.span);
        }
    }
}

/// Notes the queues that the operation uses.
fn note_queues(s: &mut Sema<'_>, call: &Call<'_>, inst: &VecInst) {
    let Some(pe) = s.unit.pe_mut() else { return };
    for (at, operand) in std::iter::once(&inst.dest).chain(&inst.srcs).enumerate() {
        let Some(dsd) = known(operand) else { continue };
        let dir = match dsd.kind {
            DsdKind::Fabin => QueueDir::In,
            DsdKind::Fabout => QueueDir::Out,
            _ => continue,
        };
        if let Some(fabric) = &dsd.fabric
            && let Some(queue) = fabric.queue
        {
            pe.queue_ops.push((dir, queue, fabric.color, call.args[at].span));
        }
    }
}

/// The length of the operation; none where an operand that may give it is known at run time only.
fn length<'a>(operands: impl Iterator<Item = &'a VecOperand>) -> Option<u64> {
    for operand in operands {
        match (operand, known(operand)) {
            (_, Some(dsd)) if elements(dsd) != 0 => return Some(elements(dsd)),
            (VecOperand::Scalar(..) | VecOperand::Ptr(_), _) | (_, Some(_)) => {}
            (_, None) => return None,
        }
    }
    None
}

/// The descriptor of an operand that is known at comptime.
pub(crate) fn known(operand: &VecOperand) -> Option<&DsdValue> {
    match operand {
        VecOperand::Dsd(Opnd::Dsd(dsd)) | VecOperand::Mem4dConst(dsd) => Some(dsd),
        _ => None,
    }
}

/// The number of elements of all dimensions; 0 where the descriptor leaves the length to another operand.
pub(crate) fn elements(dsd: &DsdValue) -> u64 {
    dsd.extents.iter().map(|&extent| u64::from(extent)).product()
}

/// The 16-bit words of an element of operand `at`: the destination, then the sources. `@faddhs` takes its sources in either
/// order.
fn words_of(inst: &VecInst, at: usize) -> i64 {
    let sources = inst.op.sources();
    let elem = match at.checked_sub(1) {
        None => inst.op.dest(),
        Some(_) if inst.op == VecOp::Faddhs => sources[0],
        Some(source) => sources[source],
    };
    elem.words().into()
}

/// The number of the first or last of `length` elements of `words` words where it lies outside the DSD's array, with the
/// array's name and number of elements. Only DSDs of one dimension over a whole variable are looked at.
fn outside(s: &Sema<'_>, dsd: &DsdValue, length: u64, words: i64) -> Option<(i64, String, i64)> {
    let base = dsd.base.as_ref().filter(|base| base.path.iter().all(|&index| index == 0))?;
    if dsd.kind != DsdKind::Mem1d || dsd.wavelet_index_offset || length == 0 {
        return None;
    }
    let bytes = i64::from(csl_ir::size_of(&s.types, base.root_ty)?);
    if element(s, base.root_ty).is_some_and(|elem| csl_ir::size_of(&s.types, elem) == Some(1)) {
        // Each element of the operation is two of the array: that is told by itself.
        return None;
    }
    let first = i64::from(dsd.offset) * i64::from(dsd.elem_words) * 2;
    let last = first + i64::from(*dsd.strides.first()?) * 2 * words * (i64::try_from(length).ok()? - 1);
    let wrong = [last, first].into_iter().find(|&at| at < 0 || at + 2 * words > bytes)?;
    Some((wrong.div_euclid(2 * words), variable(s, dsd)?.name.clone(), bytes / (2 * words)))
}
