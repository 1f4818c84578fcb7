//! The unit of an analysis: the layout, or the program of one kind of PE.

use std::collections::VecDeque;
use std::sync::Arc;

use csl_diag::{Reported, Span, TraceFrame};
use csl_ir::{Expr, FnRef, Func, FuncId, Global, GlobalId, GlobalRef, ModuleRef, TileConst, Ty, TypedValue};
use csl_machine::Size;
use csl_num::IntTy;
use csl_syntax::{Symbol, ast};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::layout::Layout;
use crate::options::SourceFile;
use crate::pe::Pe;

/// The state that only a layout has, or only a PE's program.
#[derive(Debug)]
pub enum UnitKind {
    Layout(Layout),
    Pe(Pe),
}

impl Default for UnitKind {
    fn default() -> UnitKind {
        UnitKind::Layout(Layout::default())
    }
}

/// One file with its params bound.
#[derive(Debug)]
pub struct Module {
    pub file: Arc<SourceFile>,
    /// The prefix of the module's symbols: empty for the root, else `name.` of the import.
    pub prefix: String,
    pub params: FxHashMap<Symbol, TypedValue>,
    /// The place of the import; `None` for the root of the layout.
    pub asked_at: Option<Span>,
    pub items: FxHashMap<Symbol, ItemState>,
}

/// A top-level declaration and the state of its evaluation.
#[derive(Clone, Debug)]
pub struct ItemState {
    pub item: TopItem,
    pub state: State,
}

/// A top-level declaration that is evaluated on demand.
#[derive(Clone, Debug)]
pub enum TopItem {
    Var(Arc<ast::VarDecl>),
    Fn(Arc<ast::FnDecl>),
}

/// The state of a declaration's evaluation.
#[derive(Clone, Debug)]
pub enum State {
    Pending,
    /// A declaration under evaluation: meeting it again is a cycle.
    Busy,
    /// A declaration whose initial value is under evaluation: its declared type is known, so that its address can be taken.
    Typed(Ty),
    /// The same, and its address has been taken.
    Placed(GlobalRef),
    Done(GlobalItem),
    Failed(Reported),
}

/// The meaning of a name at the top level of a module.
#[derive(Clone, Debug)]
pub enum GlobalItem {
    /// `const` and `param`; the storage is made when an address is taken.
    Const {
        value: TypedValue,
        global: Option<GlobalRef>,
    },
    Var(GlobalRef),
    Fn(FnRef),
}

/// A function declaration in a module.
#[derive(Clone, Debug)]
pub struct FnInfo {
    pub module: ModuleRef,
    pub decl: Arc<ast::FnDecl>,
    pub ty: Ty,
}

/// A variable with memory of its own, whether run-time code uses it or not.
#[derive(Clone, Debug)]
pub struct GlobalInfo {
    pub name: String,
    pub ty: Ty,
    /// The initial value; `None` until evaluated, or for `extern`.
    pub init: Option<TypedValue>,
    /// Whether the initial value is still under evaluation.
    pub is_busy: bool,
    pub is_const: bool,
    pub storage: ast::Storage,
    /// Whether the program itself names its symbol.
    pub has_link_name: bool,
    pub align: Option<u32>,
    pub linksection: Option<String>,
    pub span: Span,
    pub is_hidden: bool,
    /// The global's number in the program, once it is used.
    pub id: Option<GlobalId>,
}

/// Comptime memory of one variable.
#[derive(Clone, Debug)]
pub struct Cell {
    pub value: TypedValue,
    pub runtime_depth: u32,
    pub is_const: bool,
    /// It is declared as `comptime_struct`: an assignment may give it another type of struct.
    pub takes_any_struct: bool,
}

/// The key of a function instance: the function and its comptime arguments.
pub type InstanceKey = (FnRef, Vec<TypedValue>);

/// A function instance that waits for its body to be analysed.
#[derive(Clone, Debug)]
pub struct PendingFn {
    pub id: FuncId,
    pub fn_ref: FnRef,
    /// The bindings of all parameters, in order.
    pub params: Vec<crate::instance::ParamBinding>,
    pub ret: Ty,
    pub called_at: Span,
    /// The instances of generic functions that led here, the outermost first.
    pub steps: Vec<TraceFrame>,
}

/// A layout or a PE program under analysis: its modules, its declarations and its kind.
#[derive(Debug, Default)]
pub struct Unit {
    pub kind: UnitKind,
    /// Name of the root file.
    pub name: String,
    /// Whether imports show that the program was written for SDK 1.4 or older.
    pub is_legacy: bool,
    pub modules: Vec<Module>,
    /// Declarations whose state is [`State::Failed`].
    pub failed: Vec<(ModuleRef, Symbol)>,
    pub fns: Vec<FnInfo>,
    /// Attributes without effect that have been told of.
    pub told_attributes: FxHashSet<Span>,
    pub globals: Vec<GlobalInfo>,
    pub cells: Vec<Cell>,
    pub instances: FxHashMap<InstanceKey, FuncId>,
    pub pending: VecDeque<PendingFn>,
    /// The instances of generic functions that the body under analysis is of, the outermost first.
    pub steps: Vec<TraceFrame>,
    pub memo: FxHashMap<InstanceKey, TypedValue>,
    /// The values of structs and tuples of literals, by place and expected type.
    pub literals: FxHashMap<(ModuleRef, Span, Option<Ty>), TypedValue>,
    /// Constants that run-time code needs in memory.
    pub materialized: FxHashMap<TypedValue, GlobalRef>,
    /// `export` and `extern` declarations by symbol name.
    pub linked: FxHashMap<String, GlobalRef>,
    /// Link names of variables without a storage class.
    pub plain_names: FxHashMap<String, Span>,
    /// Functions that `@export` names.
    pub exported_fns: FxHashMap<String, FnRef>,
    /// Variables that `@export` names.
    pub exported_vars: FxHashSet<GlobalRef>,

    // Parts of the program that run-time code needs.
    pub out_globals: Vec<Option<Global>>,
    pub out_funcs: Vec<Option<Func>>,
    pub strings: Vec<String>,
    /// The constants that differ between tiles: each as an expression of the tile's params, and its type.
    pub tile_consts: IndexMap<TileConst, (Arc<Expr>, IntTy), FxBuildHasher>,
}

impl Unit {
    /// The program of the tiles with the code `file`, before its analysis.
    pub fn of_pe(file: &str, layout: &Layout, rectangle: Size) -> Unit {
        let pe = Pe::new(layout.exports.clone(), rectangle);
        Unit { kind: UnitKind::Pe(pe), name: file.to_string(), is_legacy: layout.is_legacy, ..Unit::default() }
    }

    /// The names of the declarations that have been evaluated.
    pub fn used(&self) -> impl Iterator<Item = Span> {
        let items = self.modules.iter().flat_map(|module| module.items.values());
        items.filter(|item| !matches!(item.state, State::Pending)).map(|item| item.item.name_span())
    }

    pub fn pe(&self) -> Option<&Pe> {
        match &self.kind {
            UnitKind::Layout(_) => None,
            UnitKind::Pe(pe) => Some(pe),
        }
    }

    pub fn pe_mut(&mut self) -> Option<&mut Pe> {
        match &mut self.kind {
            UnitKind::Layout(_) => None,
            UnitKind::Pe(pe) => Some(pe),
        }
    }
}
