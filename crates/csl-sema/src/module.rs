//! Modules: loads files, binds params, looks names up.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{FnRef, ModuleRef, Name, Ty, TypedValue};
use csl_syntax::Symbol;
use csl_syntax::ast::{self, Block, Expr, ExprKind, Item, VarKind};
use rustc_hash::FxHashMap;

use crate::context::{Frame, Res, Sema, Stop};
use crate::operand::Place;
use crate::options::{Import, Resolved, SourceFile};
use crate::unit::{FnInfo, GlobalItem, ItemState, Module, State, TopItem};

impl Sema<'_> {
    /// Loads a file as a new module instance: two imports of a file are two modules. `span` is the place of
    /// the import; none for the root.
    pub fn load_module(
        &mut self,
        name: &str,
        importer: Option<ModuleRef>,
        bindings: Vec<(Name, TypedValue)>,
        span: Option<Span>,
    ) -> Res<ModuleRef> {
        let file = self.load_file(name, importer, span)?;
        let import = |place| Import { place, file: file.ast.id, is_program: importer.is_none() };
        self.imports.extend(span.map(import));
        self.check_import_cycle(&file, span)?;
        let items = self.declare_items(&file);
        let mut params: FxHashMap<Symbol, TypedValue> = FxHashMap::default();
        for (name, value) in bindings {
            let symbol = Symbol::new(name);
            let is_param = matches!(items.get(&symbol), Some(ItemState { item: TopItem::Var(decl), .. }) if decl.kind == VarKind::Param);
            if !is_param {
                self.unknown_binding(name, &file, span);
                continue;
            }
            params.insert(symbol, value);
        }
        // A module outlives the iteration of a loop that imports it.
        if self.open.is_some() {
            self.note_unlike();
            params.values_mut().for_each(|value| crate::sharing::settle(&mut value.value));
        }
        let module = ModuleRef::at(self.unit.modules.len());
        self.unit.modules.push(Module { file: file.clone(), prefix: String::new(), params, asked_at: span, items });
        self.importing.push(file.path.clone());
        let result = self.import_eagerly(module, &file.ast, span);
        self.importing.pop();
        // An editor asks about the rest of a file whose imports cannot be evaluated yet, too.
        if self.record.is_some() { Ok(module) } else { result.map(|()| module) }
    }

    /// Checks that imports end: a file may import itself with other params, but not for ever.
    fn check_import_cycle(&mut self, file: &SourceFile, span: Option<Span>) -> Res<()> {
        let nested = self.importing.iter().filter(|path| **path == file.path).count();
        if nested <= MOST_NESTED && self.unit.modules.len() <= MOST_MODULES {
            return Ok(());
        }
        let message = format!("importing `{}` never ends: its imports lead back to it", file.path);
        Err(self.fail(match span {
            Some(span) => Diagnostic::new(Code::ImportCycle, span, message),
            None => Diagnostic::unplaced(Code::ImportCycle, message),
        }))
    }

    fn unknown_binding(&mut self, name: Name, file: &SourceFile, span: Option<Span>) {
        // The struct of memcpy carries more fields than any one generation of the library declares.
        // Nor is a param missing that a syntax error has taken with it.
        if file.is_library || file.findings.check().is_err() {
            return;
        }
        let message = format!("`{name}` is not a param of `{}`", file.path);
        let diagnostic = match span {
            Some(span) => Diagnostic::new(Code::UnknownParamBinding, span, message),
            None => Diagnostic::unplaced(Code::UnknownParamBinding, message),
        };
        let params = file.ast.items.iter().filter_map(|item| match item {
            Item::Var(decl) if decl.kind == VarKind::Param => Some(decl.name.name.as_str()),
            _ => None,
        });
        let diagnostic = self.did_you_mean(diagnostic, span, ("", name), params);
        self.report(diagnostic);
    }

    /// Finds `name` as the file with the path `importer` means it, or gives the reason why it cannot.
    pub fn resolve(&mut self, name: &str, importer: Option<String>) -> Result<Resolved, String> {
        let asked = (name.to_owned(), importer);
        if let Some(resolved) = self.resolved.get(&asked) {
            return Ok(resolved.clone());
        }
        let resolved = self.sources.resolve(name, asked.1.as_deref())?;
        self.resolved.insert(asked, resolved.clone());
        Ok(resolved)
    }

    /// The parsed file, from the cache or the sources.
    pub fn load_file(&mut self, name: &str, importer: Option<ModuleRef>, span: Option<Span>) -> Res<Arc<SourceFile>> {
        let importer = importer.map(|m| self.unit.modules[m].file.path.clone());
        let resolved = match self.resolve(name, importer) {
            Ok(resolved) => resolved,
            Err(why) => {
                return Err(self.fail(match span {
                    Some(span) => Diagnostic::new(Code::FileNotFound, span, why),
                    None => Diagnostic::unplaced(Code::FileNotFound, why),
                }));
            }
        };
        if let Some(file) = self.files.get(&resolved.path).cloned() {
            // Findings of the first reading may have been dropped; those that were kept are not reported twice.
            self.diagnostics.extend(file.findings.clone());
            return Ok(file);
        }
        let id = self.map.add(resolved.path.clone(), resolved.text.clone());
        let file = self.sources.parse(id, &resolved);
        self.diagnostics.extend(file.findings.clone());
        self.files.insert(resolved.path, file.clone());
        Ok(file)
    }

    /// The syntax error of a module whose text declares `name` and whose tree does not: the error took the declaration.
    pub fn lost_by_syntax_error(&self, module: ModuleRef, name: &str) -> Option<Stop> {
        let file = &self.unit.modules[module].file;
        let reported = file.findings.check().err()?;
        let text = self.map.text(file.ast.id);
        let declares = |at: usize| {
            let (before, after) = (text[..at].trim_end(), &text[at + name.len()..]);
            let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let is_whole = before.len() < at && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            is_whole && matches!(word, "fn" | "task" | "var" | "const" | "param")
        };
        text.match_indices(name).any(|(at, _)| declares(at)).then(|| reported.into())
    }

    /// The error that the parser has reported for a part of a module.
    pub fn syntax_error(&mut self, module: ModuleRef, span: Span) -> Stop {
        match self.unit.modules[module].file.findings.check() {
            Err(reported) => reported.into(),
            Ok(()) => self.internal(span, "the parser gave this up without a word").into(),
        }
    }

    fn declare_items(&mut self, file: &SourceFile) -> FxHashMap<Symbol, ItemState> {
        let mut items: FxHashMap<Symbol, ItemState> = FxHashMap::default();
        for item in &file.ast.items {
            let (name, item) = match item {
                Item::Var(decl) => (decl.name, TopItem::Var(decl.clone())),
                Item::Fn(decl) => {
                    self.check_params(decl);
                    (decl.name, TopItem::Fn(decl.clone()))
                }
                Item::Comptime(_) | Item::Layout(_) | Item::Error(_) => continue,
            };
            if let Some(first) = items.get(&name.name) {
                let first = first.item.name_span();
                let diagnostic =
                    Diagnostic::new(Code::Redeclared, name.span, format!("redeclaration of `{}`", name.name));
                self.report(diagnostic.secondary(first, "first declared here"));
                continue;
            }
            items.insert(name.name, ItemState { item, state: State::Pending });
        }
        items
    }

    fn check_params(&mut self, decl: &ast::FnDecl) {
        let names: Vec<ast::Ident> = decl.params.iter().filter_map(|p| p.name).collect();
        for (at, name) in names.iter().enumerate() {
            if let Some(first) = names[..at].iter().find(|n| n.name == name.name) {
                let message = format!("redeclaration of parameter `{}`", name.name);
                let diagnostic = Diagnostic::new(Code::Redeclared, name.span, message);
                self.report(diagnostic.secondary(first.span, "first declared here"));
            }
        }
    }

    /// Evaluates imports (their comptime blocks bind tasks) and FIFOs with registers of their own, which take effect
    /// whether their names are used or not. Other FIFOs wait: published pipelines allocate more than a PE could hold
    /// and use some.
    fn import_eagerly(&mut self, module: ModuleRef, file: &ast::File, span: Option<Span>) -> Res<()> {
        let mut outcome = Ok(());
        let path = self.unit.modules[module].file.path.clone();
        for item in &file.items {
            let Item::Var(decl) = item else { continue };
            if !decl.init.as_ref().is_some_and(takes_effect) {
                continue;
            }
            let lookup = |s: &mut Self| s.lookup_item(module, decl.name.name);
            let result = match span {
                Some(span) if module.number() > 0 => self.traced(span, format!("`{path}` imported here"), lookup),
                _ => lookup(self),
            };
            outcome = result.map(|_| ()).and(outcome);
        }
        outcome
    }

    /// Evaluates the top-level `comptime` blocks of a module, in order.
    pub fn run_comptime_blocks(&mut self, module: ModuleRef) -> Res<()> {
        let file = self.unit.modules[module].file.clone();
        let outer = std::mem::replace(&mut self.pe()?.in_comptime_block, true);
        let mut result = Ok(());
        for item in &file.ast.items {
            if let Item::Comptime(block) = item {
                let this = self.in_frame(Frame::top_level(module), |s| s.exec_block(block));
                result = result.and(this);
            }
        }
        self.pe()?.in_comptime_block = outer;
        result
    }

    /// Executes a top-level block in the current frame, and reports the errors of all its statements.
    pub fn exec_block(&mut self, block: &Block) -> Res<()> {
        let first_cell = self.unit.cells.len();
        let mut result = Ok(());
        for stmt in &block.stmts {
            result = result.and(self.eval_stmt(stmt));
        }
        self.unit.cells.truncate(first_cell);
        result
    }

    /// The item that `name` is at the top level of `module`; `None` when the module declares no such name.
    pub fn lookup_item(&mut self, module: ModuleRef, name: Symbol) -> Res<Option<GlobalItem>> {
        let Some(entry) = self.unit.modules[module].items.get_mut(&name) else { return Ok(None) };
        match &entry.state {
            State::Done(item) => return Ok(Some(item.clone())),
            State::Failed(reported) => return Err((*reported).into()),
            State::Busy => {
                let item = entry.item.clone();
                return Err(self.value_cycle(name, item));
            }
            State::Placed(global) => return Ok(Some(GlobalItem::Var(*global))),
            State::Typed(ty) => {
                let (ty, item) = (*ty, entry.item.clone());
                let TopItem::Var(decl) = &item else { return Err(self.value_cycle(name, item)) };
                return Ok(Some(GlobalItem::Var(self.place_early(module, decl, ty)?)));
            }
            State::Pending => {}
        }
        entry.state = State::Busy;
        let item = entry.item.clone();
        let span = item.name_span();
        let result = match item {
            TopItem::Var(decl) => self.in_frame(Frame::top_level(module), |s| s.declare_global(module, &decl)),
            TopItem::Fn(decl) => {
                self.unit.fns.push(FnInfo { module, decl, ty: Ty::VOID });
                Ok(GlobalItem::Fn(FnRef::at(self.unit.fns.len() - 1)))
            }
        };
        let result = self.whole(result, span);
        let state = match &result {
            Ok(item) => {
                self.note_item(span, item);
                State::Done(item.clone())
            }
            Err(reported) => {
                self.unlink(module, name);
                self.unit.failed.push((module, name));
                State::Failed(*reported)
            }
        };
        self.set_state(module, name, state);
        Ok(result.map(Some)?)
    }

    fn value_cycle(&mut self, name: Symbol, item: TopItem) -> Stop {
        let message = format!("the value of `{name}` depends on itself");
        let diagnostic = Diagnostic::new(Code::ImportCycle, item.name_span(), message);
        let may_point = |init: &Expr| {
            matches!(
                init.kind,
                ExprKind::StructInit { .. } | ExprKind::ArrayInit { .. } | ExprKind::Tuple(_) | ExprKind::AddrOf(_)
            )
        };
        self.fail(match item {
            TopItem::Var(decl) if decl.ty.is_none() && decl.init.as_ref().is_some_and(may_point) => {
                diagnostic.help(format!("if only its address is needed, declare its type: `{name}: T = ...`"))
            }
            _ => diagnostic,
        })
    }

    /// Takes back the symbol of a declaration that has failed behind the taking of its address.
    fn unlink(&mut self, module: ModuleRef, name: Symbol) {
        if let Some(ItemState { state: State::Placed(global), .. }) = self.unit.modules[module].items.get(&name) {
            let global = *global;
            self.unit.linked.retain(|_, linked| *linked != global);
        }
    }

    /// Forgets the declarations that failed after the first `kept`, so that they are evaluated again: their findings
    /// are dropped.
    pub fn forget_failed(&mut self, kept: usize) {
        for (module, name) in self.unit.failed.split_off(kept) {
            self.set_state(module, name, State::Pending);
        }
    }

    pub fn set_state(&mut self, module: ModuleRef, name: Symbol, state: State) {
        if let Some(entry) = self.unit.modules[module].items.get_mut(&name) {
            entry.state = state;
        }
    }

    /// `module.name`
    pub fn module_member(&mut self, module: ModuleRef, name: &str, span: Span) -> Res<Place> {
        match self.lookup_item(module, Symbol::new(name))? {
            Some(item) => self.item_place(item, span),
            None => {
                if let Some(lost) = self.lost_by_syntax_error(module, name) {
                    return Err(lost);
                }
                let module = &self.unit.modules[module];
                let message = format!("`{}` has no member `{name}`", module.file.path);
                let names = module.items.keys().map(|n| n.as_str());
                let diagnostic = Diagnostic::new(Code::UnknownField, span, message);
                let mut diagnostic = self.did_you_mean(diagnostic, Some(span), ("", name), names);
                if diagnostic.help.is_none() && module.file.is_library {
                    diagnostic = diagnostic.help(format!("`waferlab doc '{}'` lists what it has", module.file.path));
                }
                Err(self.fail(diagnostic))
            }
        }
    }

    /// The name of a global or function of `module` in the compiled program.
    pub fn symbol_name(&self, module: ModuleRef, name: &str) -> String {
        format!("{}{name}", self.unit.modules[module].prefix)
    }
}

/// The greatest number of module instances of one program.
const MOST_MODULES: usize = 4096;

/// The greatest number of times that a file may occur in a chain of imports.
const MOST_NESTED: usize = 16;

/// Whether an initial value is an import or a FIFO with registers, or a choice among such.
fn takes_effect(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Builtin { name, args } => match name.name.as_str() {
            "import_module" => true,
            "allocate_fifo" => args.get(1).is_some_and(names_registers),
            _ => false,
        },
        ExprKind::If(node) => takes_effect(&node.then) || node.otherwise.as_ref().is_some_and(takes_effect),
        ExprKind::Switch(node) => node.arms.iter().any(|arm| takes_effect(&arm.body)),
        ExprKind::Comptime(inner) => takes_effect(inner),
        _ => false,
    }
}

fn names_registers(options: &Expr) -> bool {
    match &options.kind {
        ExprKind::StructInit { fields, .. } => fields.iter().any(|f| matches!(f.name.name.as_str(), "dest" | "src")),
        ExprKind::If(node) => names_registers(&node.then) || node.otherwise.as_ref().is_some_and(names_registers),
        _ => false,
    }
}

impl TopItem {
    pub fn name_span(&self) -> Span {
        match self {
            TopItem::Var(decl) => decl.name.span,
            TopItem::Fn(decl) => decl.name.span,
        }
    }
}
