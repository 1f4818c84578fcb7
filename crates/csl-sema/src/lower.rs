//! Lowers the globals of a program to initial bytes.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{
    DsdValue, Global, GlobalRef, Packing, Pointer, PtrRoot, Reloc, RelocTarget, Ty, TypeKind, TypedValue, Value,
    VaryingInt,
};
use csl_num::IntTy;
use csl_syntax::ast::Storage;
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

use crate::context::{Res, Sema};
use crate::value::field_types;

/// The number of bytes that 16-bit addresses reach.
const ADDRESSABLE: u32 = 1 << 16;

impl Sema<'_> {
    /// Fills in the globals that the program uses, and those that their initial values point at.
    pub fn lower_globals(&mut self) -> Res<()> {
        for index in 0..self.unit.globals.len() {
            if self.unit.globals[index].storage == Storage::Export {
                self.global_id(GlobalRef::at(index));
            }
        }
        // Lowering one global may bring in others, and functions whose bodies bring in more.
        while self.has_unlowered() {
            for index in 0..self.unit.globals.len() {
                let Some(id) = self.unit.globals[index].id else { continue };
                if self.unit.out_globals[id].is_none() {
                    let global = self.lower_global(index);
                    self.unit.out_globals[id] = Some(global);
                }
            }
            self.drain_pending()?;
        }
        Ok(())
    }

    fn has_unlowered(&self) -> bool {
        self.unit.out_globals.iter().any(Option::is_none)
    }

    fn lower_global(&mut self, index: usize) -> Global {
        let info = self.unit.globals[index].clone();
        let size = csl_ir::size_of(&self.types, info.ty).unwrap_or(0);
        let mut image = Bytes { init: Vec::new(), relocs: Vec::new(), varying: Vec::new() };
        let is_undefined = matches!(&info.init, Some(TypedValue { value: Value::Undef, .. }));
        if size > ADDRESSABLE {
            let message = format!("`{}` takes {size} bytes, more than a PE can address", info.name);
            self.report(Diagnostic::new(Code::OutOfMemory, info.span, message).note("a PE has 48 KiB of memory"));
        }
        match &info.init {
            Some(_) if size > ADDRESSABLE => {}
            Some(init) if self.lower_value(init, 0, &mut image, info.span).is_err() => {}
            Some(_) => {}
            None => {
                let diagnostic = Diagnostic::new(
                    Code::BadSection,
                    info.span,
                    format!("extern symbol `{}` is defined nowhere", info.name),
                );
                self.report(diagnostic.help("export it in another module of the program"));
            }
        }
        Global {
            name: info.name,
            ty: info.ty,
            size,
            align: info.align.unwrap_or(1).max(csl_ir::align_of(&self.types, info.ty)),
            is_const: info.is_const,
            init: image.init,
            relocs: image.relocs,
            varying: image.varying,
            linksection: info.linksection,
            span: info.span,
            is_hidden: info.is_hidden,
            is_undefined,
            is_linked: info.storage != Storage::Default,
        }
    }

    /// Writes a value into memory at byte `at` of a global.
    fn lower_value(&mut self, value: &TypedValue, at: u32, image: &mut Bytes, span: Span) -> Res<()> {
        let size = csl_ir::size_of(&self.types, value.ty).unwrap_or(0);
        match &value.value {
            Value::Undef | Value::Void => Ok(()),
            Value::Bool(b) => {
                image.put(at, size, u64::from(*b));
                Ok(())
            }
            Value::Int(number) => {
                let bits = size * 8;
                let raw = IntTy { signed: false, bits }.wrap(number);
                image.put_big(at, size, &raw);
                Ok(())
            }
            Value::Varying(varying) | Value::VaryingFloat(varying) => {
                let ty = IntTy { signed: false, bits: size * 8 };
                match size {
                    1 | 2 | 4 | 8 => {
                        let tile_const = self.tile_const(varying, ty);
                        image.varying.push(VaryingInt { at, bytes: size as u8, tile_const });
                        image.put(at, size, 0);
                    }
                    _ => image.put_big(at, size, &ty.wrap(varying.concretize())),
                }
                Ok(())
            }
            Value::Float(bits) => {
                image.put(at, size, *bits);
                Ok(())
            }
            Value::Array(array) => {
                let TypeKind::Array { elem, .. } = *self.types.kind(value.ty) else {
                    return Err(self.internal(span, "an array has the type of no array").into());
                };
                let stride = self.elem_stride(elem, span)?;
                if let csl_ir::ArrayValue::Splat { value, .. } = &**array
                    && is_zero(value)
                {
                    return Ok(());
                }
                for index in 0..array.len() {
                    let part = TypedValue::new(elem, array.get(index).clone());
                    self.lower_value(&part, at + stride * index as u32, image, span)?;
                }
                Ok(())
            }
            Value::Struct(parts) => self.lower_struct(value.ty, parts, at, image, span),
            Value::Union { active, value: inner } => {
                let Some(field) = crate::value::child_ty(&self.types, value.ty, i64::from(*active)) else {
                    return Ok(());
                };
                self.lower_value(&TypedValue::new(field, (**inner).clone()), at, image, span)
            }
            Value::Ptr(pointer) => self.lower_pointer(pointer, at, image, span),
            Value::Dsd(dsd) => {
                let dsd = self.lower_dsd(dsd, span)?;
                image.relocs.push(Reloc { at, target: RelocTarget::Dsd(Box::new(dsd)) });
                Ok(())
            }
            Value::Range(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    image.put_big(
                        at + index as u32 * size / 3,
                        size / 3,
                        &IntTy { signed: false, bits: size / 3 * 8 }.wrap(part),
                    );
                }
                Ok(())
            }
            Value::Type(_) | Value::Str(_) | Value::Fn(_) | Value::Module(_) | Value::Fifo(_) | Value::Typed(_) => {
                Err(self.comptime_only(value.ty, span))
            }
        }
    }

    fn lower_struct(&mut self, ty: Ty, parts: &[Value], at: u32, image: &mut Bytes, span: Span) -> Res<()> {
        let fields = field_types(&self.types, ty).unwrap_or_default();
        let packed = matches!(self.types.kind(ty), TypeKind::Struct { packing: Packing::Packed, .. });
        if packed {
            return self.lower_packed(ty, parts, at, image, span);
        }
        for (index, (field, part)) in fields.iter().zip(parts).enumerate() {
            let offset = csl_ir::field_place(&self.types, ty, index).map_or(0, |p| p.offset);
            self.lower_value(&TypedValue::new(field.1, part.clone()), at + offset, image, span)?;
        }
        Ok(())
    }

    /// Writes a packed value as its backing integer; an address in it is filled in later and needs a word of its own.
    fn lower_packed(&mut self, ty: Ty, parts: &[Value], at: u32, image: &mut Bytes, span: Span) -> Res<()> {
        let mut known = parts.to_vec();
        for (index, part) in known.iter_mut().enumerate() {
            let Value::Ptr(pointer) = part else { continue };
            let bit = csl_ir::field_place(&self.types, ty, index).map_or(0, |p| p.bit);
            if !bit.is_multiple_of(16) {
                let message = "an address in a packed struct must begin at a multiple of 16 bits";
                return Err(self.error(Code::NotImplemented, span, message));
            }
            let pointer = pointer.clone();
            self.lower_pointer(&pointer, at + bit / 8, image, span)?;
            *part = Value::Undef;
        }
        let value = TypedValue::new(ty, Value::Struct(known.into()));
        let Some(raw) = crate::packed::bits_of_value(&self.types, &value) else {
            return Err(self.error(Code::NotImplemented, span, "an address inside a nested packed struct"));
        };
        image.put_big(at, csl_ir::size_of(&self.types, ty).unwrap_or(0), &raw);
        Ok(())
    }

    fn lower_pointer(&mut self, pointer: &Pointer, at: u32, image: &mut Bytes, span: Span) -> Res<()> {
        let offset = self.path_offset(pointer.root_ty, &pointer.path, span)?;
        let target = match pointer.root {
            PtrRoot::Absolute(addr) => {
                image.put(at, 2, u64::from(addr.wrapping_add(offset as u16)));
                return Ok(());
            }
            PtrRoot::Global(global) => RelocTarget::Global(self.global_id(global), offset),
            PtrRoot::Fn(f) => RelocTarget::Func(self.instance(f, span)?),
            PtrRoot::Cell(_) => {
                return Err(self.error(
                    Code::ComptimeOnly,
                    span,
                    "the address of a comptime variable does not exist at run time",
                ));
            }
        };
        image.relocs.push(Reloc { at, target });
        Ok(())
    }

    /// A DSD as the program holds it: its base is a global's number there, offsets are in words.
    pub fn lower_dsd(&mut self, dsd: &DsdValue, span: Span) -> Res<DsdValue> {
        let mut lowered = dsd.clone();
        let words = i32::from(dsd.elem_words) * dsd.offset;
        if let Some(base) = &dsd.base {
            let bytes = self.path_offset(base.root_ty, &base.path, span)?;
            let root = match base.root {
                PtrRoot::Global(global) => PtrRoot::Global(GlobalRef::new(self.global_id(global).number())),
                PtrRoot::Absolute(addr) => PtrRoot::Absolute(addr),
                PtrRoot::Cell(_) | PtrRoot::Fn(_) => {
                    return Err(self.error(Code::ComptimeOnly, span, "a DSD needs an address that exists at run time"));
                }
            };
            lowered.base = Some(Pointer { root, root_ty: base.root_ty, path: Vec::new() });
            lowered.offset = bytes / 2 + words;
            lowered.elem_words = 1;
        }
        Ok(lowered)
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Int(n) => n.is_zero(),
        Value::Float(bits) => *bits == 0,
        Value::Bool(b) => !b,
        Value::Undef => true,
        _ => false,
    }
}

/// Initial bytes under construction, up to the last byte that was set.
struct Bytes {
    init: Vec<u8>,
    relocs: Vec<Reloc>,
    varying: Vec<VaryingInt>,
}

impl Bytes {
    fn put(&mut self, at: u32, size: u32, value: u64) {
        self.put_bytes(at, size, &value.to_le_bytes());
    }

    fn put_big(&mut self, at: u32, size: u32, value: &BigInt) {
        match value.to_u64() {
            Some(small) => self.put(at, size, small),
            None => self.put_bytes(at, size, &value.to_bytes_le().1),
        }
    }

    fn put_bytes(&mut self, at: u32, size: u32, bytes: &[u8]) {
        let (at, size) = (at as usize, size as usize);
        if self.init.len() < at + size {
            self.init.resize(at + size, 0);
        }
        for (slot, byte) in self.init[at..at + size].iter_mut().zip(bytes.iter().chain(std::iter::repeat(&0))) {
            *slot = *byte;
        }
    }
}
