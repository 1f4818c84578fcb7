//! Activations of ids that nothing is bound to, for reports: they have no effect (docs/decisions/machine.md M67).

use csl_machine::TaskId;

/// The first activation of an id that nothing is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnboundActivation {
    pub id: TaskId,
    /// The instruction; none of an activation before the first cycle.
    pub pc: Option<u32>,
}
