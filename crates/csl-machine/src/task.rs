//! Tasks, queues, FIFOs, and the configurations of a PE's operations.

use serde::{Deserialize, Serialize};

use crate::TaskId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskKind {
    Local,
    Data,
    Control,
}

/// A task named by its kind and number; colors and input queues stand for their data task. The number is known, or
/// an operand of the instruction that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskTarget<I = TaskId> {
    LocalTask(I),
    DataTask(I),
    ControlTask(I),
    Color(I),
    InputQueue(I),
}

impl<I> TaskTarget<I> {
    pub fn id(&self) -> &I {
        let (TaskTarget::LocalTask(id)
        | TaskTarget::DataTask(id)
        | TaskTarget::ControlTask(id)
        | TaskTarget::Color(id)
        | TaskTarget::InputQueue(id)) = self;
        id
    }

    pub fn id_mut(&mut self) -> &mut I {
        let (TaskTarget::LocalTask(id)
        | TaskTarget::DataTask(id)
        | TaskTarget::ControlTask(id)
        | TaskTarget::Color(id)
        | TaskTarget::InputQueue(id)) = self;
        id
    }

    /// The same target with the number replaced by `f`.
    pub fn map<J>(&self, f: impl FnOnce(&I) -> J) -> TaskTarget<J> {
        match self {
            TaskTarget::LocalTask(id) => TaskTarget::LocalTask(f(id)),
            TaskTarget::DataTask(id) => TaskTarget::DataTask(f(id)),
            TaskTarget::ControlTask(id) => TaskTarget::ControlTask(f(id)),
            TaskTarget::Color(id) => TaskTarget::Color(f(id)),
            TaskTarget::InputQueue(id) => TaskTarget::InputQueue(f(id)),
        }
    }
}

/// An action before the first cycle: the compiler blocks, unblocks or activates a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Startup<I = TaskId> {
    Activate(TaskTarget<I>),
    Block(TaskTarget<I>),
    Unblock(TaskTarget<I>),
}

impl<I> Startup<I> {
    pub fn target(&self) -> &TaskTarget<I> {
        let (Startup::Activate(target) | Startup::Block(target) | Startup::Unblock(target)) = self;
        target
    }

    pub fn target_mut(&mut self) -> &mut TaskTarget<I> {
        let (Startup::Activate(target) | Startup::Block(target) | Startup::Unblock(target)) = self;
        target
    }

    /// The same action with the number replaced by `f`.
    pub fn map<J>(&self, f: impl FnOnce(&I) -> J) -> Startup<J> {
        match self {
            Startup::Activate(target) => Startup::Activate(target.map(f)),
            Startup::Block(target) => Startup::Block(target.map(f)),
            Startup::Unblock(target) => Startup::Unblock(target.map(f)),
        }
    }
}

/// The action at the completion of an asynchronous operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action<I = TaskId> {
    #[default]
    Nothing,
    Activate(TaskTarget<I>),
    Unblock(TaskTarget<I>),
}

impl<I> Action<I> {
    pub fn target(&self) -> Option<&TaskTarget<I>> {
        match self {
            Action::Nothing => None,
            Action::Activate(target) | Action::Unblock(target) => Some(target),
        }
    }

    pub fn target_mut(&mut self) -> Option<&mut TaskTarget<I>> {
        match self {
            Action::Nothing => None,
            Action::Activate(target) | Action::Unblock(target) => Some(target),
        }
    }

    /// The same action with the number replaced by `f`.
    pub fn map<J>(&self, f: impl FnOnce(&I) -> J) -> Action<J> {
        match self {
            Action::Nothing => Action::Nothing,
            Action::Activate(target) => Action::Activate(target.map(f)),
            Action::Unblock(target) => Action::Unblock(target.map(f)),
        }
    }
}

/// The effect of a control wavelet on an operation with `.on_control`: it ends the operation, and may have a further
/// effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OnControl<I> {
    Terminate,
    Then(Action<I>),
}

impl<I> OnControl<I> {
    pub fn target(&self) -> Option<&TaskTarget<I>> {
        match self {
            OnControl::Terminate => None,
            OnControl::Then(action) => action.target(),
        }
    }

    pub fn target_mut(&mut self) -> Option<&mut TaskTarget<I>> {
        match self {
            OnControl::Terminate => None,
            OnControl::Then(action) => action.target_mut(),
        }
    }

    /// The same effect with the number replaced by `f`.
    pub fn map<J>(&self, f: impl FnOnce(&I) -> J) -> OnControl<J> {
        match self {
            OnControl::Terminate => OnControl::Terminate,
            OnControl::Then(action) => OnControl::Then(action.map(f)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    Low,
    Medium,
    High,
}

impl Priority {
    /// The code in descriptors: 0 low, 1 medium, 2 high.
    pub const fn code(self) -> u16 {
        self as u16
    }
}

/// The configuration struct of a vector operation or DSR load; `I` is an operand of the instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VecConfig<I> {
    pub is_async: bool,
    pub completion: Action<I>,
    pub on_control: Option<OnControl<I>>,
    pub priority: Option<Priority>,
    /// The microthread (WSE-3).
    pub ut: Option<I>,
    /// `.index`, a u16.
    pub index: Option<I>,
    /// `.save_address`, of `@load_to_dsr` only.
    pub save_address: bool,
    pub single_step: bool,
}

impl<I> Default for VecConfig<I> {
    fn default() -> VecConfig<I> {
        VecConfig {
            is_async: false,
            completion: Action::Nothing,
            on_control: None,
            priority: None,
            ut: None,
            index: None,
            save_address: false,
            single_step: false,
        }
    }
}

impl<I> VecConfig<I> {
    /// The same configuration with each operand replaced by `f`.
    pub fn map<J>(&self, f: &mut dyn FnMut(&I) -> J) -> VecConfig<J> {
        VecConfig {
            is_async: self.is_async,
            completion: self.completion.map(&mut *f),
            on_control: self.on_control.as_ref().map(|on_control| on_control.map(&mut *f)),
            priority: self.priority,
            ut: self.ut.as_ref().map(&mut *f),
            index: self.index.as_ref().map(f),
            save_address: self.save_address,
            single_step: self.single_step,
        }
    }

    /// The operands of the configuration.
    pub fn operands(&self) -> impl Iterator<Item = &I> {
        let on_control = self.on_control.as_ref().and_then(OnControl::target);
        let targets = self.completion.target().into_iter().chain(on_control).map(TaskTarget::id);
        targets.chain(&self.ut).chain(&self.index)
    }

    pub fn operands_mut(&mut self) -> impl Iterator<Item = &mut I> {
        let on_control = self.on_control.as_mut().and_then(OnControl::target_mut);
        let targets = self.completion.target_mut().into_iter().chain(on_control).map(TaskTarget::id_mut);
        targets.chain(&mut self.ut).chain(&mut self.index)
    }
}

/// A file of data structure registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DsrFile {
    Dest,
    Src0,
    Src1,
}

impl DsrFile {
    pub const ALL: [DsrFile; 3] = [DsrFile::Dest, DsrFile::Src0, DsrFile::Src1];

    /// The name in CSL of the type of its registers.
    pub const fn name(self) -> &'static str {
        match self {
            DsrFile::Dest => "dsr_dest",
            DsrFile::Src0 => "dsr_src0",
            DsrFile::Src1 => "dsr_src1",
        }
    }
}

/// A load of a DSR: the descriptor `D`, the configuration's operands `I`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DsrLoad<D, I> {
    pub file: DsrFile,
    pub id: u8,
    pub xdsr: Option<u8>,
    pub srs: Vec<u8>,
    pub dsd: D,
    pub config: VecConfig<I>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QueueDir {
    In,
    Out,
}

/// `@bind_rotating_tasks` (WSE-3): data tasks that take turns; `F` names the alternate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RotatingTasks<F> {
    pub data_task: TaskId,
    pub alt: F,
    pub init: u32,
    pub limit: u32,
}

/// The action of an operation that finds a FIFO empty or full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FifoAction {
    #[default]
    TestOrSuspend,
    Terminate,
    Suspend,
    Fault,
}

/// The number of elements that an operation with a fabric operand moves at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SimdMode {
    /// One element a wavelet (packing turned off).
    Off,
    Simd32,
    Simd64,
    Simd32Or64,
    SimdMax,
}

/// The configuration of a FIFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FifoConfig<I = TaskId> {
    pub elem_words: u16,
    pub empty_action: FifoAction,
    pub full_action: FifoAction,
    pub activate_push: Option<TaskTarget<I>>,
    pub activate_pop: Option<TaskTarget<I>>,
    pub priority: Option<Priority>,
    pub simd: Option<SimdMode>,
}

impl<I> FifoConfig<I> {
    /// The same configuration with each task's number replaced by `f`.
    pub fn map<J>(&self, mut f: impl FnMut(&I) -> J) -> FifoConfig<J> {
        FifoConfig {
            elem_words: self.elem_words,
            empty_action: self.empty_action,
            full_action: self.full_action,
            activate_push: self.activate_push.as_ref().map(|target| target.map(&mut f)),
            activate_pop: self.activate_pop.as_ref().map(|target| target.map(&mut f)),
            priority: self.priority,
            simd: self.simd,
        }
    }
}
