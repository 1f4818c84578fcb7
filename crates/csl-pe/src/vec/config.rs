//! The configuration of an operation or a DSR, with its registers read.

use csl_image::TaskTarget;
use csl_isa::vec::{Action, OnControl, Priority, RegOrImm, Target, VecConfig};

/// What a completion does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Effect {
    #[default]
    Nothing,
    Activate(TaskTarget),
    Unblock(TaskTarget),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub is_async: bool,
    pub completion: Effect,
    pub on_control: Option<Effect>,
    pub priority: Option<Priority>,
    pub ut: Option<u8>,
    pub index: u16,
    pub save_address: bool,
}

impl Config {
    pub fn resolve(config: &VecConfig, reg: &dyn Fn(u16) -> u64) -> Config {
        Config {
            is_async: config.is_async,
            completion: effect(config.completion, reg),
            on_control: config.on_control.map(|on| on_control(on, reg)),
            priority: config.priority,
            ut: config.ut.map(|ut| value(ut, reg) as u8),
            index: config.index.map_or(0, |index| value(index, reg)),
            save_address: config.save_address,
        }
    }
}

fn value(operand: RegOrImm, reg: &dyn Fn(u16) -> u64) -> u16 {
    match operand {
        RegOrImm::Reg(r) => reg(r) as u16,
        RegOrImm::Imm(value) => value,
    }
}

fn effect(action: Action, reg: &dyn Fn(u16) -> u64) -> Effect {
    match action {
        Action::Nothing => Effect::Nothing,
        Action::Activate(target) => Effect::Activate(resolve_target(target, reg)),
        Action::Unblock(target) => Effect::Unblock(resolve_target(target, reg)),
    }
}

fn on_control(on: OnControl, reg: &dyn Fn(u16) -> u64) -> Effect {
    match on {
        OnControl::Terminate => Effect::Nothing,
        OnControl::Then(action) => effect(action, reg),
    }
}

fn resolve_target(target: Target, reg: &dyn Fn(u16) -> u64) -> TaskTarget {
    let id = |operand| value(operand, reg).min(255) as u8;
    match target {
        Target::LocalTask(operand) => TaskTarget::LocalTask(id(operand)),
        Target::DataTask(operand) => TaskTarget::DataTask(id(operand)),
        Target::ControlTask(operand) => TaskTarget::ControlTask(id(operand)),
        Target::Color(operand) => TaskTarget::Color(id(operand)),
        Target::InputQueue(operand) => TaskTarget::InputQueue(id(operand)),
    }
}
