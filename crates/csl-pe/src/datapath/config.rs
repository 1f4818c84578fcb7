//! The configuration of an operation or a DSR, with its register operands read.

use csl_isa::vec::RegOrImm;
use csl_machine::{Action, MicrothreadId, OnControl, Priority, VecConfig};
use csl_num::LowBits;

/// An action with the number that was given for its task, which may be that of none.
pub(crate) type Effect = Action<u16>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub is_async: bool,
    pub completion: Effect,
    pub on_control: Option<OnControl<u16>>,
    pub priority: Option<Priority>,
    pub ut: Option<MicrothreadId>,
    pub index: u16,
    pub save_address: bool,
}

impl Config {
    pub fn resolve(config: &VecConfig<RegOrImm>, reg: &dyn Fn(u16) -> u64) -> Config {
        Config {
            is_async: config.is_async,
            completion: effect(config.completion, reg),
            on_control: config.on_control.map(|on_control| on_control.map(|operand| value(*operand, reg))),
            priority: config.priority,
            ut: config.ut.and_then(|ut| microthread(ut, reg)),
            index: config.index.map_or(0, |index| value(index, reg)),
            save_address: config.save_address,
        }
    }

    /// The effect of a control wavelet that ends the operation. One that only terminates it completes it, with what its
    /// completion does: the guide loads a DSR with `.activate` and `.on_control = .{ .terminate = true }`.
    pub fn end_by_control(&self) -> Option<Effect> {
        self.on_control.map(|on_control| match on_control {
            OnControl::Terminate => self.completion,
            OnControl::Then(effect) => effect,
        })
    }
}

fn value(operand: RegOrImm, reg: &dyn Fn(u16) -> u64) -> u16 {
    match operand {
        RegOrImm::Reg(r) => reg(r).low16(),
        RegOrImm::Imm(value) => value,
    }
}

/// The microthread of a number; none where there is no such number.
pub(super) fn microthread(operand: RegOrImm, reg: &dyn Fn(u16) -> u64) -> Option<MicrothreadId> {
    MicrothreadId::new(value(operand, reg).low8())
}

/// The target of an action, with its number read.
fn effect(action: Action<RegOrImm>, reg: &dyn Fn(u16) -> u64) -> Effect {
    action.map(|operand| value(*operand, reg))
}
