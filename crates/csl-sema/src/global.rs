//! Globals: their declaration, their memory, their initial bytes.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{
    DsdValue, Global, GlobalId, GlobalRef, ModuleRef, Packing, Pointer, PtrRoot, Reloc, RelocTarget, Ty, TypeKind,
    TypedValue, Value, VaryingInt,
};
use csl_num::IntTy;
use csl_syntax::ast::{Expr, ExprKind, Storage, VarDecl, VarKind};
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

use crate::context::{Binding, Res, Sema, Stop};
use crate::operand::{Operand, Place, PlaceKind};
use crate::unit::{GlobalInfo, GlobalItem, State};
use crate::value::field_types;

/// No color of any chip; published programs write it for a stream that is not there.
const UNUSED_COLOR: u32 = 32;

/// Bytes that 16-bit addresses reach.
const ADDRESSABLE: u32 = 1 << 16;

impl Sema<'_> {
    /// Evaluates a declaration at the top level of a module.
    pub fn declare_global(&mut self, module: ModuleRef, decl: &VarDecl) -> Res<GlobalItem> {
        let ty = decl.ty.as_ref().map(|ty| self.eval_type(ty)).transpose()?;
        match decl.kind {
            VarKind::Param => self.declare_param(module, decl, ty),
            VarKind::Const if decl.storage == Storage::Default && !has_attributes(decl) => {
                let value = self.initial_value(decl, ty)?;
                self.name_module(module, decl, &value);
                Ok(GlobalItem::Const { value, global: None })
            }
            _ => self.declare_variable(module, decl, ty),
        }
    }

    /// Symbols of an imported module are called after the constant that it was first bound to.
    fn name_module(&mut self, importer: ModuleRef, decl: &VarDecl, value: &TypedValue) {
        if let Value::Module(module) = value.value
            && self.unit.modules[module].prefix.is_empty()
        {
            let prefix = format!("{}.", self.symbol_name(importer, decl.name.name.as_str()));
            self.unit.modules[module].prefix = prefix;
        }
    }

    fn declare_param(&mut self, module: ModuleRef, decl: &VarDecl, ty: Option<Ty>) -> Res<GlobalItem> {
        let bound = self.unit.modules[module].params.get(&decl.name.name).cloned();
        let value = match (bound, ty) {
            (Some(value), Some(ty)) => self.param_value(module, value, ty, decl)?,
            (Some(value), None) => value,
            (None, _) if decl.init.is_some() => self.initial_value(decl, ty)?,
            (None, _) => return Err(self.unbound_param(module, decl)),
        };
        Ok(GlobalItem::Const { value, global: None })
    }

    fn unbound_param(&mut self, module: ModuleRef, decl: &VarDecl) -> Stop {
        let message = format!("param `{}` has no value", decl.name.name);
        let diagnostic = Diagnostic::new(Code::UnboundParam, decl.name.span, message);
        self.fail(match self.unit.modules[module].asked_at {
            Some(span) => diagnostic
                .secondary(span, "nothing is bound to it here")
                .help(format!("add `.{} = ...` to the struct of params", decl.name.name)),
            None => diagnostic.help(format!("give it on the command line: --params={}:VALUE", decl.name.name)),
        })
    }

    fn param_value(&mut self, module: ModuleRef, value: TypedValue, ty: Ty, decl: &VarDecl) -> Res<TypedValue> {
        // Colors and their numbers: tile params of published programs bind one to the other.
        let both_ids = |a: Ty, b: Ty| a == Ty::COLOR && matches!(self.types.kind(b), TypeKind::Int { .. });
        if both_ids(ty, value.ty) || both_ids(value.ty, ty) {
            return Ok(TypedValue::new(ty, value.value));
        }
        // An unused stream of memcpy is void; programs up to SDK 1.2 pass it on as a color and test its number.
        if ty == Ty::COLOR && value.ty == Ty::VOID {
            return Ok(TypedValue::int(ty, UNUSED_COLOR));
        }
        let before = std::mem::take(&mut self.diagnostics);
        let result = self.coerce_const(value.clone(), ty, decl.name.span);
        let why = std::mem::replace(&mut self.diagnostics, before);
        result.map_err(|_| {
            let given = crate::value::show(&self.types, &value);
            let message = format!("param `{}` cannot have the value {given}", decl.name.name);
            let label = format!("declared with type `{}`", self.show(ty));
            let mut diagnostic = Diagnostic::new(Code::BadParamValue, decl.name.span, message).label(label);
            if let Some(span) = self.unit.modules[module].asked_at {
                let text = format!("given a value of type `{}` here", self.show(value.ty));
                diagnostic = diagnostic.secondary(span, text);
            }
            diagnostic.notes.extend(why.iter().map(|d| d.message.clone()));
            self.fail(diagnostic)
        })
    }

    fn initial_value(&mut self, decl: &VarDecl, ty: Option<Ty>) -> Res<TypedValue> {
        let Some(init) = &decl.init else {
            let message = format!("constant `{}` needs an initial value", decl.name.name);
            return Err(self.error(Code::BadType, decl.name.span, message));
        };
        let value = match ty {
            Some(ty) => self.eval_const_as(init, ty)?,
            None => self.eval_const(init)?,
        };
        if let Value::Type(ty) = value.value {
            self.types.name_aggregate(ty, decl.name.name.as_str());
        }
        Ok(value)
    }

    fn declare_variable(&mut self, module: ModuleRef, decl: &VarDecl, ty: Option<Ty>) -> Res<GlobalItem> {
        if decl.storage == Storage::Extern && decl.init.is_some() {
            return Err(self.error(
                Code::BadExport,
                decl.span,
                "an extern declaration must not initialise the variable",
            ));
        }
        let value = match &decl.init {
            Some(_) => Some(self.initial_value(decl, ty)?),
            None => None,
        };
        let Some(ty) = ty.or(value.as_ref().map(|v| v.ty)) else {
            return Err(self.error(
                Code::BadType,
                decl.name.span,
                format!("`{}` needs a type or an initial value", decl.name.name),
            ));
        };
        // What has no memory can only be a comptime-known variable that nothing changes.
        if self.is_comptime_only(ty) || csl_ir::size_of(&self.types, ty).is_none() {
            return self.comptime_global(decl, ty, value);
        }
        if decl.storage != Storage::Default && !self.is_exportable(ty) {
            return Err(self.not_exportable(ty, decl.name.span));
        }
        let info = self.global_info(module, decl, ty, value)?;
        let global = self.link(info, decl)?;
        Ok(GlobalItem::Var(global))
    }

    fn comptime_global(&mut self, decl: &VarDecl, ty: Ty, value: Option<TypedValue>) -> Res<GlobalItem> {
        match value {
            Some(value) if decl.kind == VarKind::Const => Ok(GlobalItem::Const { value, global: None }),
            _ => Err(self.comptime_only(ty, decl.name.span)),
        }
    }

    fn global_info(&mut self, module: ModuleRef, decl: &VarDecl, ty: Ty, init: Option<TypedValue>) -> Res<GlobalInfo> {
        let name = match &decl.linkname {
            Some(expr) => self.eval_string(expr)?,
            None if decl.storage != Storage::Default => decl.name.name.as_str().to_string(),
            None => self.symbol_name(module, decl.name.name.as_str()),
        };
        let align = decl.align.as_ref().map(|e| self.eval_align(e)).transpose()?;
        let linksection = decl.linksection.as_ref().map(|e| self.eval_string(e)).transpose()?;
        let init = init.or_else(|| (decl.storage != Storage::Extern).then(|| TypedValue::new(ty, Value::Undef)));
        Ok(GlobalInfo {
            name,
            ty,
            init,
            is_const: decl.kind == VarKind::Const,
            storage: decl.storage,
            align,
            linksection,
            span: decl.name.span,
            is_hidden: false,
            id: None,
        })
    }

    pub fn eval_string(&mut self, expr: &Expr) -> Res<String> {
        let value = self.eval_const_as(expr, Ty::COMPTIME_STRING)?;
        match value.value {
            Value::Str(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Err(Stop::Error),
        }
    }

    fn eval_align(&mut self, expr: &Expr) -> Res<u32> {
        let value = self.eval_const(expr)?;
        match crate::value::u64_of(&value).and_then(|n| u32::try_from(n).ok()) {
            Some(align) if align.is_power_of_two() && align <= 32768 => Ok(align),
            _ => Err(self.error(Code::BadType, expr.span, "an alignment is a power of two, in bytes")),
        }
    }

    /// Joins `export` and `extern` declarations of one symbol.
    fn link(&mut self, info: GlobalInfo, decl: &VarDecl) -> Res<GlobalRef> {
        self.check_plain_name(&info, decl)?;
        if info.storage == Storage::Default {
            return Ok(self.new_global(info));
        }
        let Some(&known) = self.unit.linked.get(&info.name) else {
            let name = info.name.clone();
            let global = self.new_global(info);
            self.unit.linked.insert(name, global);
            return Ok(global);
        };
        let other = &mut self.unit.globals[known];
        let (both_export, other_span) =
            (other.storage == Storage::Export && info.storage == Storage::Export, other.span);
        if other.ty != info.ty || other.is_const != info.is_const || both_export {
            let what = if both_export { "exported twice" } else { "declared with different types" };
            let diagnostic =
                Diagnostic::new(Code::BadExport, decl.name.span, format!("symbol `{}` is {what}", info.name));
            return Err(self.fail(diagnostic.secondary(other_span, "also here")));
        }
        if info.storage == Storage::Export {
            let id = other.id;
            *other = GlobalInfo { id, ..info };
        }
        Ok(known)
    }

    /// A declaration with a storage class shares its symbol with none that has a link name alone.
    fn check_plain_name(&mut self, info: &GlobalInfo, decl: &VarDecl) -> Res<()> {
        let other = if info.storage != Storage::Default {
            self.unit.plain_names.get(&info.name).copied()
        } else if decl.linkname.is_some() {
            self.unit.plain_names.insert(info.name.clone(), info.span);
            self.unit.linked.get(&info.name).map(|&other| self.unit.globals[other].span)
        } else {
            None
        };
        let Some(other) = other else { return Ok(()) };
        let message = format!("symbol `{}` is declared both with and without a storage class", info.name);
        Err(self.fail(Diagnostic::new(Code::BadExport, info.span, message).secondary(other, "also here")))
    }

    pub fn new_global(&mut self, info: GlobalInfo) -> GlobalRef {
        self.unit.globals.push(info);
        GlobalRef::at(self.unit.globals.len() - 1)
    }

    /// The global's number in the program; using it once puts it there.
    pub fn global_id(&mut self, global: GlobalRef) -> GlobalId {
        let info = &mut self.unit.globals[global];
        if let Some(id) = info.id {
            return id;
        }
        let id = GlobalId::at(self.unit.out_globals.len());
        info.id = Some(id);
        self.unit.out_globals.push(None);
        id
    }

    /// A constant put into memory, once for equal constants.
    pub fn materialize(&mut self, value: TypedValue, span: Span) -> GlobalRef {
        if let Some(&global) = self.unit.materialized.get(&value) {
            return global;
        }
        let name = format!("const.{}", self.unit.materialized.len());
        let global = self.new_global(GlobalInfo {
            name,
            ty: value.ty,
            init: Some(value.clone()),
            is_const: true,
            storage: Storage::Default,
            align: None,
            linksection: None,
            span,
            is_hidden: true,
            id: None,
        });
        self.unit.materialized.insert(value, global);
        global
    }

    /// The place of a named constant that has just become one with an address.
    pub fn stored_const(&mut self, expr: &Expr) -> Res<Option<Place>> {
        match &expr.kind {
            ExprKind::Name(name) => match self.find_local(*name) {
                Some(Binding::Const(Operand::Const(value))) if self.has_memory(value.ty) => {
                    let ty = value.ty;
                    let global = self.materialize(value, expr.span);
                    Ok(Some(global_place(global, ty)))
                }
                Some(_) => Ok(None),
                None => {
                    let module = self.frame().module;
                    self.stored_item(module, *name, expr.span)
                }
            },
            ExprKind::Field { base, name } => match self.eval_place(base)?.kind {
                PlaceKind::Value(Operand::Const(TypedValue { value: Value::Module(module), .. })) => {
                    self.stored_item(module, name.name, expr.span)
                }
                _ => self.stored_part(expr),
            },
            ExprKind::Index { .. } => self.stored_part(expr),
            _ => Ok(None),
        }
    }

    /// A field or element of a named constant.
    fn stored_part(&mut self, expr: &Expr) -> Res<Option<Place>> {
        let (ExprKind::Field { base, .. } | ExprKind::Index { base, .. }) = &expr.kind else { return Ok(None) };
        if self.stored_const(base)?.is_none() {
            return Ok(None);
        }
        // The constant has memory now, so that evaluating again yields its place.
        self.eval_place(expr).map(Some)
    }

    fn stored_item(&mut self, module: ModuleRef, name: csl_syntax::Symbol, span: Span) -> Res<Option<Place>> {
        match self.lookup_item(module, name)? {
            Some(GlobalItem::Const { value, global: None }) if self.has_memory(value.ty) => {
                let info = GlobalInfo {
                    name: self.symbol_name(module, name.as_str()),
                    ty: value.ty,
                    init: Some(value.clone()),
                    is_const: true,
                    storage: Storage::Default,
                    align: None,
                    linksection: None,
                    span,
                    is_hidden: false,
                    id: None,
                };
                let ty = value.ty;
                let global = self.new_global(info);
                self.set_state(module, name, State::Done(GlobalItem::Const { value, global: Some(global) }));
                Ok(Some(global_place(global, ty)))
            }
            Some(item @ (GlobalItem::Const { global: Some(_), .. } | GlobalItem::Var(_))) => {
                self.item_place(item, span).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn has_memory(&self, ty: Ty) -> bool {
        !self.is_comptime_only(ty) && csl_ir::size_of(&self.types, ty).is_some()
    }

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
            Value::Varying(varying) => {
                let ty = IntTy { signed: false, bits: size * 8 };
                match size {
                    1 | 2 | 4 | 8 => {
                        let tile_const = self.unit.tile_const(varying, ty);
                        image.varying.push(VaryingInt { at, bytes: size as u8, tile_const });
                        image.put(at, size, 0);
                    }
                    _ => image.put_big(at, size, &ty.wrap(varying.settle())),
                }
                Ok(())
            }
            Value::Float(bits) => {
                image.put(at, size, *bits);
                Ok(())
            }
            Value::Array(array) => {
                let TypeKind::Array { elem, .. } = *self.types.kind(value.ty) else { return Err(Stop::Error) };
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

    /// The backing integer; an address in it is filled in later, which needs a word of its own.
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

fn global_place(global: GlobalRef, ty: Ty) -> Place {
    let pointer = Pointer { root: PtrRoot::Global(global), root_ty: ty, path: Vec::new() };
    Place { ty, is_const: true, kind: PlaceKind::Ptr(pointer) }
}

fn has_attributes(decl: &VarDecl) -> bool {
    decl.align.is_some() || decl.linksection.is_some() || decl.linkname.is_some()
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

/// Initial bytes under construction: as long as the last byte that was set.
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
