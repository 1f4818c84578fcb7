//! Turns values into operands of instructions.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Addr, AddrBase, Opnd, Pointer, PtrRoot, Scalar, TileConst, Ty, TypeKind, TypedValue, Value, Varying};
use csl_num::{FloatKind, IntTy};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;

impl Sema<'_> {
    /// A scalar value as an operand of an instruction.
    pub fn opnd(&mut self, operand: &Operand, span: Span) -> Res<Opnd> {
        match operand {
            Operand::Reg(_, opnd) => Ok(opnd.clone()),
            Operand::Const(value) => self.const_opnd(value, span),
            Operand::Mem(ty, addr) => match self.scalar(*ty) {
                Some(scalar) => self.emit_load(scalar, addr.clone(), span),
                None => Err(self.not_scalar(*ty, span)),
            },
            Operand::Agg(ty, _) => Err(self.not_scalar(*ty, span)),
        }
    }

    fn not_scalar(&mut self, ty: Ty, span: Span) -> Stop {
        let shown = self.show(ty);
        self.error(Code::ComptimeOnly, span, format!("a value of type `{shown}` cannot be used at run time here"))
    }

    fn const_opnd(&mut self, value: &TypedValue, span: Span) -> Res<Opnd> {
        match &value.value {
            Value::Bool(b) => Ok(Opnd::Imm(u64::from(*b))),
            Value::Int(number) => self.int_opnd(value.ty, number, span),
            Value::Varying(varying) => self.varying_opnd(value.ty, varying, span),
            Value::Float(bits) => match self.types.kind(value.ty) {
                TypeKind::Float(kind) if *kind == FloatKind::F32 || *kind == self.options.fp16 => Ok(Opnd::Imm(*bits)),
                TypeKind::Float(_) => Err(self.other_fp16(value.ty, span)),
                _ => Err(self.comptime_only(value.ty, span)),
            },
            Value::VaryingFloat(varying) => match self.types.kind(value.ty) {
                TypeKind::Float(kind)
                    if (*kind == FloatKind::F32 || *kind == self.options.fp16) && !self.is_comptime() =>
                {
                    Ok(Opnd::Tile(self.tile_const(varying, IntTy { signed: false, bits: kind.bits() })))
                }
                _ => {
                    let settled = TypedValue::new(value.ty, Value::Float(varying.concretize_bits()));
                    self.const_opnd(&settled, span)
                }
            },
            // An uninitialised scalar: any value will do.
            Value::Undef if self.scalar(value.ty).is_some() => Ok(Opnd::Imm(0)),
            Value::Ptr(pointer) => self.pointer_opnd(pointer, span),
            Value::Dsd(dsd) => Ok(Opnd::Dsd(Box::new(self.lower_dsd(dsd, span)?))),
            _ => Err(self.comptime_only(value.ty, span)),
        }
    }

    pub fn comptime_only(&mut self, ty: Ty, span: Span) -> Stop {
        let elem = match *self.types.kind(ty) {
            TypeKind::Array { elem, .. } => elem,
            _ => ty,
        };
        if let TypeKind::Float(kind) = *self.types.kind(elem)
            && kind != FloatKind::F32
            && kind != self.options.fp16
        {
            return self.other_fp16(elem, span);
        }
        let shown = self.show(ty);
        let diagnostic =
            Diagnostic::new(Code::ComptimeOnly, span, format!("a value of type `{shown}` must be comptime-known"));
        let help = match ty {
            Ty::COMPTIME_INT => "give the variable an integer type such as i16",
            Ty::COMPTIME_FLOAT => "give the variable a float type such as f32",
            _ => "use it only where it is known at compile time",
        };
        self.fail(diagnostic.help(help))
    }

    /// The operand of a value that varies between tiles: in run-time code it is a constant of the tile.
    fn varying_opnd(&mut self, ty: Ty, varying: &Varying, span: Span) -> Res<Opnd> {
        match self.scalar(ty) {
            Some(Scalar::Int { signed, bits }) if !self.is_comptime() => {
                Ok(Opnd::Tile(self.tile_const(varying, IntTy { signed, bits: bits.into() })))
            }
            _ => self.int_opnd(ty, varying.concretize(), span),
        }
    }

    /// The number of a constant that differs between tiles.
    pub(crate) fn tile_const(&mut self, varying: &Varying, ty: IntTy) -> TileConst {
        let value = (varying.expr().clone(), ty);
        let number = TileConst::at(self.tile_consts.insert_full(value.clone()).0);
        self.unit.tile_consts.entry(number).or_insert(value);
        number
    }

    fn int_opnd(&mut self, ty: Ty, number: &BigInt, span: Span) -> Res<Opnd> {
        match self.scalar(ty) {
            Some(Scalar::Int { signed, bits }) => {
                Ok(Opnd::Imm(IntTy { signed, bits: u32::from(bits) }.canonical(number)))
            }
            // DSRs and the like are numbers in instructions, never in registers.
            _ if matches!(self.types.kind(ty), TypeKind::Dsr(_)) => Ok(Opnd::Imm(number.to_u64().unwrap_or(0))),
            _ if matches!(self.types.kind(ty), TypeKind::Int { .. }) => {
                let shown = self.show(ty);
                Err(self.error(
                    Code::NotImplemented,
                    span,
                    format!(
                        "a value of type `{shown}` cannot stand here at run time: it takes an integer of 1 to 64 bits"
                    ),
                ))
            }
            _ => Err(self.comptime_only(ty, span)),
        }
    }

    fn pointer_opnd(&mut self, pointer: &Pointer, span: Span) -> Res<Opnd> {
        if let PtrRoot::Fn(f) = pointer.root {
            return Ok(Opnd::Func(self.instance(f, span)?));
        }
        Ok(match self.pointer_addr(pointer, span)? {
            Addr { base: AddrBase::Global(id), offset } => Opnd::Global(id, offset),
            Addr { offset, .. } => Opnd::Imm(u64::from(offset as u16)),
        })
    }
}
