//! Reads and writes places.

use std::borrow::Cow;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Addr, Inst, Pointer, PtrRoot, Ty, TypeKind, TypedValue, Value};

use crate::context::{Res, Sema, Stop};
use crate::operand::{Operand, Place, PlaceKind};
use crate::value::{child_ty, read_path, write_path};

/// The greatest number of elements of the arrays whose parts are written one by one at comptime, all variables that live at a
/// time together: an element takes 64 bytes of the compiler.
const MOST_WRITTEN: u64 = 1 << 22;

/// A pointer's variable is out of its scope.
struct Gone;

impl Sema<'_> {
    /// The value at a place.
    pub fn load(&mut self, place: Place, span: Span) -> Res<Operand> {
        match place.kind {
            PlaceKind::Value(value) => Ok(value),
            PlaceKind::Reg(reg) => Ok(Operand::Reg(place.ty, self.code(span)?.read(reg))),
            PlaceKind::Mem(addr) => self.load_memory(place.ty, addr, span),
            PlaceKind::Bits { addr, container_bits, bit, bits } => {
                self.load_bits(place.ty, addr, container_bits, bit, bits, span)
            }
            PlaceKind::Ptr(pointer) => self.load_pointer(place.ty, &pointer, span),
        }
    }

    fn load_memory(&mut self, ty: Ty, addr: Addr, span: Span) -> Res<Operand> {
        self.code(span)?;
        if ty == Ty::VOID {
            return Ok(Operand::void());
        }
        if crate::convert::is_empty_int(self.types.kind(ty)) {
            return Ok(TypedValue::int(ty, 0).into());
        }
        match self.scalar(ty) {
            Some(scalar) => {
                let opnd = self.emit_load(scalar, addr, span)?;
                Ok(Operand::Reg(ty, opnd))
            }
            None if csl_ir::size_of(&self.types, ty).is_some() => Ok(Operand::Mem(ty, addr)),
            None => Err(self.comptime_only(ty, span)),
        }
    }

    fn load_pointer(&mut self, ty: Ty, pointer: &Pointer, span: Span) -> Res<Operand> {
        let known = match self.known_root(ty, pointer) {
            Ok(Some(root)) => match read_path(&self.types, &root, &pointer.path) {
                Some(value) => Some(value),
                None => {
                    let root = root.into_owned();
                    return self.walk(root, &pointer.path, span);
                }
            },
            Ok(None) => None,
            Err(Gone) => return Err(self.gone(span)),
        };
        match known {
            Some(value) => Ok(value.unwrapped().into()),
            None if self.is_comptime() => Err(self.runtime_variable(pointer, span)),
            None => match self.packed_place(pointer, span)? {
                Some(kind) => self.load(Place { ty, is_const: true, kind }, span),
                None => {
                    let addr = self.pointer_addr(pointer, span)?;
                    self.load_memory(ty, addr, span)
                }
            },
        }
    }

    /// The comptime-known value of the object that a pointer starts from.
    fn known_root(&self, ty: Ty, pointer: &Pointer) -> Result<Option<Cow<'_, TypedValue>>, Gone> {
        Ok(match pointer.root {
            PtrRoot::Cell(cell) => Some(Cow::Borrowed(&self.unit.cells.get(cell.index()).ok_or(Gone)?.value)),
            PtrRoot::Global(global) => {
                let info = &self.unit.globals[global];
                info.init.as_ref().filter(|init| info.is_const && init.value != Value::Undef).map(Cow::Borrowed)
            }
            PtrRoot::Fn(f) => Some(Cow::Owned(TypedValue::new(ty, Value::Fn(f)))),
            PtrRoot::Absolute(_) => None,
        })
    }

    pub fn gone(&mut self, span: Span) -> Stop {
        self.error(Code::BadOperand, span, "the variable that this points at no longer exists")
    }

    fn runtime_variable(&mut self, pointer: &Pointer, span: Span) -> Stop {
        match pointer.root {
            PtrRoot::Global(global) => {
                let (name, at) = (self.unit.globals[global].name.clone(), self.unit.globals[global].span);
                if self.unit.globals[global].is_busy {
                    let message = format!("the value of `{name}` depends on itself");
                    return self.error(Code::ImportCycle, at, message);
                }
                let diagnostic = Diagnostic::new(
                    Code::NotComptime,
                    span,
                    format!("`{name}` is a variable, its value is not comptime-known"),
                );
                self.fail(diagnostic.secondary(at, "declared here"))
            }
            _ => self.not_comptime(span),
        }
    }

    /// Writes a value, coerced to the place's type.
    pub fn store(&mut self, place: &Place, value: Operand, span: Span) -> Res<()> {
        if place.is_const {
            return Err(self.error(Code::NotAssignable, span, "cannot assign to a constant"));
        }
        let value = self.coerce(value, place.ty, span)?;
        match &place.kind {
            PlaceKind::Value(_) => Err(self.error(Code::NotAssignable, span, "cannot assign to this expression")),
            PlaceKind::Ptr(pointer) => self.store_pointer(pointer, place.ty, value, span),
            PlaceKind::Reg(reg) => {
                let src = self.opnd(&value, span)?;
                self.emit(Inst::Copy { dst: *reg, src }, span)?;
                Ok(())
            }
            PlaceKind::Mem(addr) => self.store_memory(addr.clone(), value, span),
            PlaceKind::Bits { addr, container_bits, bit, bits } => {
                self.store_bits(addr.clone(), *container_bits, *bit, *bits, value, span)
            }
        }
    }

    fn store_pointer(&mut self, pointer: &Pointer, ty: Ty, value: Operand, span: Span) -> Res<()> {
        let PtrRoot::Cell(cell) = pointer.root else {
            self.code_or(span, "comptime code cannot assign to a run-time variable")?;
            if let Some(kind) = self.packed_place(pointer, span)? {
                return self.store(&Place { ty: value.ty(), is_const: false, kind }, value, span);
            }
            let addr = self.pointer_addr(pointer, span)?;
            return self.store_memory(addr, value, span);
        };
        let Operand::Const(mut value) = value else { return Err(self.not_comptime(span)) };
        self.settle_if_outlives(cell, &mut value);
        self.check_changeable(cell, span)?;
        if goes_through_large(&self.types, pointer) {
            let message = format!("an array of more than {MOST_WRITTEN} elements cannot be changed at comptime");
            return Err(self.error(Code::QuotaExceeded, span, message));
        }
        let copied =
            crate::value::copied(&self.types, pointer.root_ty, &self.unit.cells[cell].value.value, &pointer.path);
        self.count_steps(copied, span)?;
        self.count_memory(copied, span)?;
        // The value is taken out, so that the write does not copy all of it.
        let mut whole = std::mem::replace(&mut self.unit.cells[cell].value.value, Value::Undef);
        let written = write_path(&self.types, pointer.root_ty, &mut whole, &pointer.path, value.as_part(ty));
        self.unit.cells[cell].value.value = whole;
        match written {
            true => Ok(()),
            false => Err(self.error(Code::IndexOutOfBounds, span, "this part does not exist")),
        }
    }

    /// Before a comptime variable takes a value: one that outlives an open iteration of a layout's loop takes that iteration's own.
    pub fn settle_if_outlives(&mut self, cell: csl_ir::CellRef, value: &mut TypedValue) {
        if self.outlives_iteration(cell) {
            self.note_unlike();
            crate::sharing::settle(&mut value.value);
        }
    }

    /// A comptime variable changes under the control flow that it was declared under.
    pub fn check_changeable(&mut self, cell: csl_ir::CellRef, span: Span) -> Res<()> {
        match self.unit.cells.get(cell.index()) {
            None => Err(self.gone(span)),
            Some(root) if root.runtime_depth < self.frame.runtime_depth => {
                let message = "a comptime variable cannot be changed under run-time control flow";
                Err(self.error(Code::NotComptime, span, message))
            }
            Some(_) => Ok(()),
        }
    }

    /// Counts elements that are kept one by one from here on. What lives is looked up only now and then: arrays end with their
    /// variables, or are handed on.
    fn count_memory(&mut self, elements: u64, span: Span) -> Res<()> {
        self.written += elements;
        if self.written <= MOST_WRITTEN {
            return Ok(());
        }
        let living = crate::value::elements(self.unit.cells.iter().map(|cell| &cell.value.value)) + elements;
        self.written = living / 2;
        if living <= MOST_WRITTEN {
            return Ok(());
        }
        let message = format!("arrays that are changed at comptime can have {MOST_WRITTEN} elements, all together");
        Err(self.error(Code::QuotaExceeded, span, message))
    }

    fn store_memory(&mut self, addr: Addr, value: Operand, span: Span) -> Res<()> {
        self.code(span)?;
        let ty = value.ty();
        if let Some(scalar) = self.scalar(ty) {
            let src = self.opnd(&value, span)?;
            self.emit(Inst::Store { ty: scalar, addr, src }, span)?;
            return Ok(());
        }
        match value {
            Operand::Const(TypedValue { value: Value::Undef | Value::Void, .. }) => Ok(()),
            Operand::Const(ref typed) if self.fill(&addr, typed, span)? => Ok(()),
            Operand::Agg(ty, parts) => {
                let place = Place { ty, is_const: false, kind: PlaceKind::Mem(addr) };
                for (index, part) in parts.into_iter().enumerate() {
                    let field = self.part_place(place.clone(), index as i64, span)?;
                    self.store(&field, part, span)?;
                }
                Ok(())
            }
            value => {
                let Some(bytes) = csl_ir::size_of(&self.types, ty) else { return Err(self.comptime_only(ty, span)) };
                let src = self.addr(&value, span)?;
                self.emit(Inst::MemCopy { dst: addr, src, bytes }, span)?;
                Ok(())
            }
        }
    }

    /// Stores an array of equal scalars without a copy of it in memory.
    fn fill(&mut self, addr: &Addr, value: &TypedValue, span: Span) -> Res<bool> {
        let (Value::Array(array), TypeKind::Array { elem, .. }) = (&value.value, self.types.kind(value.ty).clone())
        else {
            return Ok(false);
        };
        let csl_ir::ArrayValue::Splat { value: each, len } = &**array else { return Ok(false) };
        let Some(scalar) = self.scalar(elem) else { return Ok(false) };
        if !matches!(each, Value::Undef) {
            let src = self.opnd(&TypedValue::new(elem, each.clone()).into(), span)?;
            self.emit(Inst::MemFill { ty: scalar, dst: addr.clone(), src, count: *len as u32 }, span)?;
        }
        Ok(true)
    }
}

fn goes_through_large(types: &csl_ir::Types, pointer: &Pointer) -> bool {
    let mut ty = Some(pointer.root_ty);
    pointer.path.iter().any(|&index| {
        let is_large = ty.is_some_and(|ty| match types.kind(ty) {
            TypeKind::Array { dims, .. } => dims.iter().product::<u64>() > MOST_WRITTEN,
            _ => false,
        });
        ty = ty.and_then(|ty| child_ty(types, ty, index));
        is_large
    })
}
