//! What is analysed as one: the layout, or the program of one kind of PE.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use csl_diag::Span;
use csl_ir::{
    ControlTable, Expr, FifoInit, FnRef, Func, FuncId, Global, GlobalId, GlobalRef, ModuleRef, Opnd, QueueInit,
    RpcBind, TaskBind, Ty, TypedValue, Varying, VecOperand,
};
use csl_machine::{ColorConfig, DsrFile, DsrLoad, QueueDir, RotatingTasks, Startup};
use csl_num::IntTy;
use csl_syntax::{Symbol, ast};
use indexmap::IndexSet;

use crate::context::SourceFile;
use crate::layout::LayoutState;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnitKind {
    #[default]
    Layout,
    Pe,
}

/// One file with its params bound.
#[derive(Debug)]
pub struct Module {
    pub file: Arc<SourceFile>,
    /// How symbols of it are prefixed: empty for the root, else `name.` of the import.
    pub prefix: String,
    pub params: HashMap<Symbol, TypedValue>,
    /// Where the module was asked for; `None` for the root of the layout.
    pub asked_at: Option<Span>,
    pub items: HashMap<Symbol, ItemState>,
}

#[derive(Clone, Debug)]
pub struct ItemState {
    pub item: TopItem,
    pub state: State,
}

#[derive(Clone, Debug)]
pub enum TopItem {
    Var(Arc<ast::VarDecl>),
    Fn(Arc<ast::FnDecl>),
}

#[derive(Clone, Debug)]
pub enum State {
    Pending,
    /// Being evaluated: meeting it again is a cycle.
    Busy,
    Done(GlobalItem),
    Failed,
}

/// What a name at the top level of a module is.
#[derive(Clone, Debug)]
pub enum GlobalItem {
    /// `const` and `param`; the storage is made when an address is needed.
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
    /// `None` until evaluated, or for `extern`.
    pub init: Option<TypedValue>,
    pub is_const: bool,
    pub storage: ast::Storage,
    pub align: Option<u32>,
    pub linksection: Option<String>,
    pub span: Span,
    pub is_hidden: bool,
    /// Where it stands in the program, once something uses it.
    pub id: Option<GlobalId>,
}

/// Comptime memory of one variable.
#[derive(Clone, Debug)]
pub struct Cell {
    pub value: TypedValue,
    pub runtime_depth: u32,
    pub is_const: bool,
}

/// What makes one function instance differ from another.
pub type InstanceKey = (FnRef, Vec<TypedValue>);

/// A function instance that waits for its body to be analysed.
#[derive(Clone, Debug)]
pub struct PendingFn {
    pub id: FuncId,
    pub fn_ref: FnRef,
    /// Types of all parameters, in order, `None` for those bound at comptime.
    pub params: Vec<crate::call::ParamBinding>,
    pub ret: Ty,
    pub called_at: Span,
}

#[derive(Debug, Default)]
pub struct Unit {
    pub kind: UnitKind,
    /// Name of the root file.
    pub name: String,
    pub modules: Vec<Module>,
    pub fns: Vec<FnInfo>,
    pub globals: Vec<GlobalInfo>,
    pub cells: Vec<Cell>,
    pub instances: HashMap<InstanceKey, FuncId>,
    pub pending: VecDeque<PendingFn>,
    pub memo: HashMap<InstanceKey, TypedValue>,
    /// Constants that run-time code needs in memory.
    pub materialized: HashMap<TypedValue, GlobalRef>,
    /// `export` and `extern` declarations by symbol name.
    pub linked: HashMap<String, GlobalRef>,
    /// Link names of variables without a storage class.
    pub plain_names: HashMap<String, Span>,
    /// Functions that `@export` names.
    pub exported_fns: HashMap<String, FnRef>,

    // What becomes of it: the parts of a `csl_ir::Program`.
    pub out_globals: Vec<Option<Global>>,
    pub out_funcs: Vec<Option<Func>>,
    pub tasks: Vec<TaskBind>,
    pub startup: Vec<Startup<Opnd>>,
    pub queues: Vec<QueueInit>,
    pub fifos: Vec<FifoInit>,
    pub dsr_loads: Vec<(DsrLoad<VecOperand, Opnd>, Span)>,
    pub colors: Vec<(u8, ColorConfig, Span)>,
    pub configs: Vec<(u16, u16)>,
    /// Queues and colors that fabric DSDs name, and where.
    pub queue_uses: Vec<(QueueDir, u8, Option<u8>, Span)>,
    /// DSRs that the program names, and where.
    pub dsr_uses: Vec<(DsrFile, u8, Span)>,
    pub export_refs: Vec<(ExportTarget, String, Span)>,
    pub rpc: Option<RpcBind>,
    pub teardown_handlers: Vec<(u8, FuncId, Span)>,
    pub empty_queue_handlers: Vec<(u8, FuncId, Span)>,
    pub rotating: Vec<RotatingTasks<FuncId>>,
    /// Control tasks that rotate with the data task of an input queue.
    pub alternates: Vec<(u8, TaskBind)>,
    pub control_table: Option<ControlTable>,
    pub main_thread_priority: Option<csl_machine::Priority>,
    pub strings: Vec<String>,
    /// Constants of which every tile has its own: how they follow from its params, and their types.
    pub tile_consts: IndexSet<(Arc<Expr>, IntTy)>,
    /// A top-level `comptime` block is being evaluated: task bindings and the like are allowed.
    pub in_comptime_block: bool,

    /// The layout's own state, while `kind` is `Layout`.
    pub layout: LayoutState,
    /// Coordinates and rectangle of the layout, while `kind` is `Pe`.
    pub rectangle: Option<(u32, u32)>,
}

impl Unit {
    /// The number of a tile's constant.
    pub fn tile_const(&mut self, varying: &Varying, ty: IntTy) -> u32 {
        self.tile_consts.insert_full((varying.expr().clone(), ty)).0 as u32
    }
}

/// Something given to `@export_symbol`, before its id is known.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportTarget {
    Global(GlobalRef),
    Fn(FnRef),
}
