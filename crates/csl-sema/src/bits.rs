//! Fields of packed structs and unions in run-time memory: bits of a backing integer.

use csl_diag::{Code, Span};
use csl_ir::{Addr, BinOp, Inst, Opnd, Packing, Pointer, Scalar, Ty, TypeKind};

use crate::context::{Res, Sema, Stop};
use crate::operand::{Operand, PlaceKind};
use crate::packed;
use crate::value::child_ty;

impl Sema<'_> {
    /// The number of steps of a pointer's path before it enters a packed struct or union, and that type; `None` if it
    /// does not.
    pub fn packed_at(&self, pointer: &Pointer) -> Option<(usize, Ty)> {
        let mut ty = pointer.root_ty;
        for (steps, &index) in pointer.path.iter().enumerate() {
            if let TypeKind::Struct { packing: Packing::Packed, .. }
            | TypeKind::Union { packing: Packing::Packed, .. } = self.types.kind(ty)
            {
                return Some((steps, ty));
            }
            ty = child_ty(&self.types, ty, index)?;
        }
        None
    }

    /// The bits that a pointer to a packed field refers to; `None` for any other pointer.
    pub fn packed_place(&mut self, pointer: &Pointer, span: Span) -> Res<Option<PlaceKind>> {
        let Some((steps, whole)) = self.packed_at(pointer) else { return Ok(None) };
        let outer = Pointer { path: pointer.path[..steps].to_vec(), ..pointer.clone() };
        let addr = self.pointer_addr(&outer, span)?;
        let (mut ty, mut bit) = (whole, 0);
        for &index in &pointer.path[steps..] {
            bit += csl_ir::field_place(&self.types, ty, index as usize).map_or(0, |p| p.bit);
            ty = child_ty(&self.types, ty, index).ok_or_else(|| self.no_part(ty, index, span))?;
        }
        let (Some(container_bits), Some(bits)) =
            (csl_ir::bits_of(&self.types, whole), csl_ir::bits_of(&self.types, ty))
        else {
            let shown = self.show(whole);
            return Err(self.error(Code::BadType, span, format!("`{shown}` has a field that cannot be packed")));
        };
        Ok(Some(PlaceKind::Bits { addr, container_bits, bit, bits }))
    }

    pub fn packed_address(&mut self, span: Span) -> Stop {
        self.error(Code::BadOperand, span, "address of packed struct field is unsupported")
    }

    pub fn load_bits(
        &mut self,
        ty: Ty,
        addr: Addr,
        container_bits: u32,
        bit: u32,
        bits: u32,
        span: Span,
    ) -> Res<Operand> {
        if bits == 0
            && let Some(value) = packed::value_without_bits(&self.types, ty)
        {
            return Ok(value.into());
        }
        let Some((addr, container, bit)) = window(&addr, container_bits, bit, bits) else {
            let raw = self.load_wide_bits(&addr, container_bits, bit, bits, span)?;
            return self.bitcast_field(raw, ty, span);
        };
        let word = self.code(span)?.new_reg(container);
        self.emit(Inst::Load { ty: container, dst: word, addr, keeps: false }, span)?;
        let shifted = self.code(span)?.new_reg(container);
        self.emit(
            Inst::Bin { op: BinOp::Shr, ty: container, dst: shifted, a: Opnd::Reg(word), b: Opnd::Imm(u64::from(bit)) },
            span,
        )?;
        let field = Scalar::Int { signed: false, bits: bits.clamp(1, 64) as u8 };
        let raw = self.code(span)?.new_reg(field);
        self.emit(Inst::Cast { from: container, to: field, to_bool: false, dst: raw, a: Opnd::Reg(shifted) }, span)?;
        let raw_ty = self.types.int(false, bits);
        if ty == Ty::BOOL {
            let wide = self.code(span)?.new_reg(Scalar::BOOL);
            self.emit(
                Inst::Cast { from: field, to: Scalar::BOOL, to_bool: false, dst: wide, a: Opnd::Reg(raw) },
                span,
            )?;
            return Ok(Operand::Reg(ty, Opnd::Reg(wide)));
        }
        self.bitcast_field(Operand::Reg(raw_ty, Opnd::Reg(raw)), ty, span)
    }

    fn bitcast_field(&mut self, raw: Operand, ty: Ty, span: Span) -> Res<Operand> {
        match self.types.kind(ty).clone() {
            TypeKind::Ptr { .. } => {
                let opnd = self.opnd(&raw, span)?;
                Ok(Operand::Reg(ty, opnd))
            }
            TypeKind::Enum { base, .. } => {
                let number = self.bitcast(raw, base, span)?;
                let opnd = self.opnd(&number, span)?;
                Ok(Operand::Reg(ty, opnd))
            }
            _ => self.bitcast(raw, ty, span),
        }
    }

    pub fn store_bits(
        &mut self,
        addr: Addr,
        container_bits: u32,
        bit: u32,
        bits: u32,
        value: Operand,
        span: Span,
    ) -> Res<()> {
        if bits == 0 {
            return Ok(());
        }
        // A packed struct inside another is its backing integer.
        let value = match self.scalar(value.ty()) {
            Some(_) => value,
            None => {
                let backing = self.types.int(false, bits);
                self.bitcast(value, backing, span)?
            }
        };
        let Some((addr, container, bit)) = window(&addr, container_bits, bit, bits) else {
            return self.store_wide_bits(&addr, container_bits, bit, bits, &value, span);
        };
        let src = self.opnd(&value, span)?;
        let field = Scalar::Int { signed: false, bits: bits.clamp(1, 64) as u8 };
        let from = self.scalar(value.ty()).unwrap_or(field);
        let raw = match from {
            Scalar::Half => Scalar::U16,
            Scalar::F32 => Scalar::U32,
            other => other,
        };
        let (narrow, wide, moved) =
            (self.code(span)?.new_reg(field), self.code(span)?.new_reg(container), self.code(span)?.new_reg(container));
        self.emit(Inst::Cast { from: raw, to: field, to_bool: false, dst: narrow, a: src }, span)?;
        self.emit(Inst::Cast { from: field, to: container, to_bool: false, dst: wide, a: Opnd::Reg(narrow) }, span)?;
        let bin = |op, dst, a, b| Inst::Bin { op, ty: container, dst, a, b };
        self.emit(bin(BinOp::Shl, moved, Opnd::Reg(wide), Opnd::Imm(u64::from(bit))), span)?;
        let mask = !((u64::MAX >> (64 - bits.clamp(1, 64))) << bit);
        let keep = csl_num::wrap64(csl_num::IntTy { signed: false, bits: container.bytes() * 8 }, mask);
        let (old, kept, new) = (
            self.code(span)?.new_reg(container),
            self.code(span)?.new_reg(container),
            self.code(span)?.new_reg(container),
        );
        self.emit(Inst::Load { ty: container, dst: old, addr: addr.clone(), keeps: true }, span)?;
        self.emit(bin(BinOp::And, kept, Opnd::Reg(old), Opnd::Imm(keep)), span)?;
        self.emit(bin(BinOp::Or, new, Opnd::Reg(kept), Opnd::Reg(moved)), span)?;
        self.emit(Inst::Store { ty: container, addr, src: Opnd::Reg(new) }, span)?;
        Ok(())
    }
}

/// The part of a backing integer that holds a field and fits in a register: its address, its kind, and the field's first bit
/// there. A backing integer of up to 64 bits is taken whole.
fn window(addr: &Addr, container_bits: u32, bit: u32, bits: u32) -> Option<(Addr, Scalar, u32)> {
    let whole = match container_bits {
        0..=8 => Scalar::Int { signed: false, bits: 8 },
        9..=16 => Scalar::U16,
        17..=32 => Scalar::U32,
        _ => Scalar::Int { signed: false, bits: 64 },
    };
    // Whole limbs lie in memory, so that 64 bits from any word but the last three do.
    let last = container_bits.div_ceil(64) * 64 - 64;
    let start = if container_bits > 64 { (bit / 16 * 16).min(last) } else { 0 };
    let addr = Addr { offset: addr.offset + (start / 8) as i32, base: addr.base.clone() };
    (bit + bits <= start + 64).then_some((addr, whole, bit - start))
}
