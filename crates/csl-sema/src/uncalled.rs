//! Code that no program uses: functions, tasks, constants and variables that evaluation on demand never comes to. It is
//! analysed for its findings alone, in programs of its own that are then dropped.
//!
//! Code that one program of a layout uses is not looked at in the others, where its params may have no meaning, and a
//! finding counts only when it is made in each module that has the code.

use csl_diag::{Code, Diagnostic, Diagnostics, Label, Severity, Span};
use csl_ir::{ModuleRef, Ty, TypeKind, TypedValue};
use csl_machine::Size;
use csl_syntax::Symbol;
use csl_syntax::ast::{Expr, ExprKind, FnDecl, FnKind, Ident, Inlining, Item, VarDecl, VarKind};
use indexmap::IndexMap;

use crate::context::{Res, Sema};
use crate::global::UNUSED_COLOR;
use crate::instance::ParamBinding;
use crate::layout::{Instance, Layout};
use crate::program::whose_code;
use crate::sharing::{Kept, Sharing};
use crate::unit::{FnInfo, GlobalItem, State, TopItem, Unit};
use crate::value;

/// The findings about a declaration, by the module that has it.
struct Tries {
    name: Symbol,
    /// Whether it is a function that may be meant for comptime.
    may_be_comptime: bool,
    found: IndexMap<Place, Diagnostics>,
}

/// A module of a program, by the program's number.
type Place = (usize, ModuleRef);

/// The tries by the places of the declarations' names.
#[derive(Default)]
struct AllTries(IndexMap<Span, Tries>);

impl AllTries {
    fn add(&mut self, name: Ident, may_be_comptime: bool, place: Place, found: Diagnostics) {
        let new = || Tries { name: name.name, may_be_comptime, found: IndexMap::new() };
        self.0.entry(name.span).or_insert_with(new).found.entry(place).or_default().extend(found);
    }

    fn extend(&mut self, other: AllTries) {
        for (declared, Tries { name, may_be_comptime, found }) in other.0 {
            let new = || Tries { name, may_be_comptime, found: IndexMap::new() };
            self.0.entry(declared).or_insert_with(new).found.extend(found);
        }
    }

    /// Whether nothing is found.
    fn are_silent(&self) -> bool {
        self.0.values().flat_map(|tries| tries.found.values()).all(Diagnostics::is_empty)
    }
}

impl Sema<'_> {
    /// Reports findings in code that no program uses; each program is looked at with the params of its first tile.
    pub(crate) fn check_uncalled(&mut self, layout: &Layout, rectangle: Size, sharing: &mut Sharing) {
        let mut tries = AllTries::default();
        let mut seen = vec![false; sharing.programs.len()];
        for ((key, instance), (program, _)) in layout.instances.iter().zip(&sharing.kinds) {
            let number = *program as usize;
            if sharing.programs[number].is_err() || std::mem::replace(&mut seen[number], true) {
                continue;
            }
            if let Some(Kept { unit, is_open }) = sharing.kept.remove(program) {
                let tried = self.tries_in(*unit, instance, number, |_| Ok(()));
                // Numbers that are open may be found fault with; those of the tile are to be tried then.
                if !is_open || tried.are_silent() {
                    tries.extend(tried);
                    continue;
                }
            }
            let shape = &layout.shapes[key.shape as usize];
            let params = shape.params(&key.numbers, |_| None);
            let unit = Unit::of_pe(&shape.file, layout, rectangle);
            let evaluate = |s: &mut Self| s.evaluate_program(&shape.file, params, instance.span);
            tries.extend(self.tries_in(unit, instance, number, evaluate));
        }
        tries.0.values().flat_map(Tries::certain).for_each(|finding| self.diagnostics.push(finding));
    }

    /// Looks into the code of a program that none uses. `begin` evaluates what the program uses, where the unit has not been.
    fn tries_in(
        &mut self,
        unit: Unit,
        instance: &Instance,
        program: usize,
        begin: impl FnOnce(&mut Self) -> Res<()>,
    ) -> AllTries {
        let mut tries = AllTries::default();
        let outer = std::mem::replace(&mut self.unit, unit);
        self.steps = 0;
        let all = |s: &mut Self| {
            if begin(s).is_ok() {
                s.try_program(program, &mut tries);
            }
        };
        // What is found outside of the tries has been told before.
        let _ = self.apart(|s| s.traced(instance.span, whose_code(instance), all));
        self.unit = outer;
        tries
    }

    fn try_program(&mut self, program: usize, tries: &mut AllTries) {
        for module in (0..self.unit.modules.len()).map(ModuleRef::at) {
            let file = self.unit.modules[module].file.clone();
            for item in file.ast.items.iter().filter(|_| !file.is_library) {
                match item {
                    Item::Fn(decl) if !self.used.contains(&decl.name.span) => {
                        self.try_fn((program, module), decl, tries);
                    }
                    Item::Var(decl) if !self.used.contains(&decl.name.span) => {
                        self.try_var((program, module), decl, tries);
                    }
                    _ => {}
                }
            }
        }
    }

    fn try_var(&mut self, place: Place, decl: &VarDecl, tries: &mut AllTries) {
        // Params are for others to give, and more FIFOs may be declared than a PE holds.
        if decl.kind == VarKind::Param || decl.init.as_ref().is_some_and(makes_fifo) {
            return;
        }
        let found = self.tried(|s| s.lookup_item(place.1, decl.name.name).map(|_| ()));
        tries.add(decl.name, false, place, found);
    }

    fn try_fn(&mut self, place: Place, decl: &FnDecl, tries: &mut AllTries) {
        let is_generic = decl.params.iter().any(|param| param.is_comptime || param.ty.is_none());
        if is_generic || decl.body.is_none() || decl.inlining == Inlining::Inline && !decl.params.is_empty() {
            return;
        }
        let found = self.tried(|s| s.ask_for(place.1, decl));
        tries.add(decl.name, may_be_comptime(decl), place, found);
        while let Some(pending) = self.unit.pending.pop_front() {
            let found = self.tried(|s| s.analyze_pending(&pending));
            let FnInfo { module, decl: other, .. } = self.fn_info(pending.fn_ref);
            // Findings in an instance of a used function belong to the function that asks for the instance.
            match self.used.contains(&other.name.span) {
                true => tries.add(decl.name, may_be_comptime(decl), place, found),
                false => tries.add(other.name, may_be_comptime(other), (place.0, *module), found),
            }
        }
    }

    /// Asks for the instance of a function, if its types allow one without a call.
    fn ask_for(&mut self, module: ModuleRef, decl: &FnDecl) -> Res<()> {
        let Some(GlobalItem::Fn(f)) = self.lookup_item(module, decl.name.name)? else { return Ok(()) };
        let ty = self.fn_type(f)?;
        let TypeKind::Fn(ty) = self.types.kind(ty).clone() else { return Ok(()) };
        if ty.is_generic || self.is_comptime_only(ty.ret) {
            return Ok(());
        }
        let params: Vec<ParamBinding> = ty.params.iter().map(|&param| ParamBinding::Runtime(param)).collect();
        self.instance_with(f, &params, ty.ret, decl.name.span).map(|_| ())
    }

    /// The findings of an evaluation, without those about something that the program says it does not have.
    fn tried(&mut self, f: impl FnOnce(&mut Self) -> Res<()>) -> Diagnostics {
        let before = (std::mem::take(&mut self.steps), self.exhausted);
        let (_, found) = self.apart(f);
        (self.steps, self.exhausted) = before;
        let mut kept = Diagnostics::new();
        found.iter().filter(|finding| !self.is_about_absent(finding)).for_each(|finding| kept.push(finding.clone()));
        kept
    }

    /// Whether a finding is about a param that says that something is absent: nothing, or the color that no chip has.
    fn is_about_absent(&self, finding: &Diagnostic) -> bool {
        let Some(Label { span, .. }) = finding.primary else { return false };
        let text = &self.map.text(span.file)[span.range()];
        let words = || text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let modules = self.unit.modules.iter().filter(|module| module.file.ast.id == span.file);
        let mut params =
            modules.flat_map(|module| &module.items).filter_map(|(name, item)| match (&item.item, &item.state) {
                (TopItem::Var(decl), State::Done(GlobalItem::Const { value, .. })) if decl.kind == VarKind::Param => {
                    Some((name, value))
                }
                _ => None,
            });
        let is_absent = |value: &TypedValue| {
            value.ty == Ty::VOID || value.ty == Ty::COLOR && value::u64_of(value) == Some(u64::from(UNUSED_COLOR))
        };
        params.any(|(name, value)| is_absent(value) && words().any(|word| word == name.as_str()))
    }
}

impl Tries {
    /// The findings that every try has made.
    fn certain(&self) -> impl Iterator<Item = Diagnostic> {
        let place = |finding: &Diagnostic| (finding.code, finding.primary.as_ref().map(|label| label.span));
        let is_found =
            move |finding: &Diagnostic, tried: &Diagnostics| tried.iter().any(|other| place(other) == place(finding));
        // The steps of the first try stand for all.
        let first = self.found.values().next();
        let findings = first.into_iter().flat_map(Diagnostics::iter).filter(move |finding| {
            let is_at_comptime = matches!(finding.code, Code::NotComptime | Code::ComptimeOnly | Code::AssertFailed);
            finding.severity != Severity::Note
                && !(is_at_comptime && self.may_be_comptime)
                && self.found.values().all(|tried| is_found(finding, tried))
        });
        let note = format!("nothing uses `{}`; `--check-all` looks into it", self.name);
        findings.map(move |finding| finding.clone().note(note.clone()))
    }
}

/// Whether a function may be meant for calls at comptime alone, where more is known than in a run-time instance.
fn may_be_comptime(decl: &FnDecl) -> bool {
    decl.kind == FnKind::Fn && !decl.params.is_empty()
}

fn makes_fifo(init: &Expr) -> bool {
    let mut found = false;
    csl_syntax::walk::each(init, &mut |expr| {
        found |= matches!(&expr.kind, ExprKind::Builtin { name, .. } if name.name.as_str() == "allocate_fifo");
    });
    found
}
