//! Structural hazards: the main thread waits at an operation until an earlier one that has its microthread or queue has
//! ended.
//!
//! The guide leaves it to the programmer that no two operations share a microthread or a queue. Published programs do
//! share them, and the vendor's simulator is recorded to run them to the right end, so a hazard is no fault; each place
//! is reported once, when the run stops.

use csl_image::PeImage;
use csl_isa::dsd::DsdClass;
use csl_isa::vec::{VecArg, VecDesc};
use csl_machine::{Arch, MicrothreadId, QueueId};

use super::microthread::Microthread;
use crate::datapath::{Datapath, operands};
use crate::ports::Ports;
use crate::queues::UNQUEUED;
use crate::scalar::{Cpu, Exit};

/// A resource that an earlier operation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    Microthread(MicrothreadId),
    /// An input or output queue; none where the operation names a color alone, or no queue.
    Input(Option<QueueId>),
    Output(Option<QueueId>),
}

/// A place where the main thread has met a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hazard {
    /// The instruction that had to wait.
    pub pc: u32,
    /// The instruction of the operation that it waited for the first time.
    pub first: u32,
    pub resource: Resource,
}

/// The state in which hazards are searched: the microthreads that run, and the state that an operation would take.
pub(super) struct Search<'a> {
    pub uts: &'a [Microthread],
    pub cpu: &'a Cpu,
    pub data: &'a Datapath,
    pub program: &'a PeImage,
    pub ports: &'a Ports,
}

impl Search<'_> {
    /// The hazard of the main thread at an exit, if it must wait for an earlier operation.
    pub fn at(&self, exit: Exit) -> Option<Hazard> {
        let reg = |number| self.cpu.reg(number);
        match exit {
            Exit::Vec { row, .. } => {
                let desc = self.program.vecs.get(usize::from(row))?;
                let is_async = |arg| self.data.claim_of(arg, &reg).dsr.is_some_and(|dsr| dsr.is_async);
                if desc.config.is_async || operands(desc).any(is_async) {
                    self.of_microthread(desc)
                } else {
                    operands(desc).find_map(|arg| self.of_queue(arg))
                }
            }
            Exit::IterLoad { row, .. } => self.of_queue(self.program.iters.get(usize::from(row))?.dsd),
            _ => None,
        }
    }

    fn of_microthread(&self, desc: &VecDesc) -> Option<Hazard> {
        let id = self.data.microthread_of(desc, &|number| self.cpu.reg(number));
        let user = |id: MicrothreadId| Some((id, self.uts.iter().find(|ut| ut.id == Some(id))?));
        match id.and_then(user) {
            Some((id, first)) => Some(self.hazard(first, Resource::Microthread(id))),
            // Two microthreads may share a queue on WSE-3 (guide, microthread IDs).
            None if self.data.chip.arch == Arch::Wse3 => None,
            None => operands(desc).find_map(|arg| self.of_queue(arg)),
        }
    }

    fn of_queue(&self, arg: VecArg) -> Option<Hazard> {
        let dsd = self.data.claim_of(arg, &|number| self.cpu.reg(number)).fabric?;
        let (queue, color) = (dsd.queue(), dsd.color());
        if dsd.class() == DsdClass::Fabout {
            let slot = self.ports.output_slot(queue.unwrap_or(UNQUEUED))?;
            let first = self.uts.iter().find(|ut| ut.run.needs.outputs & slot.bit() != 0)?;
            return Some(self.hazard(first, Resource::Output(queue)));
        }
        // On WSE-2 the wavelets of a color belong to the color, whatever queue it is bound to (`ports.rs`).
        let slot = match color.filter(|_| queue.is_none() || self.data.chip.arch == Arch::Wse2) {
            Some(color) => self.ports.color_slot(color)?,
            None => self.ports.input_slot(queue?)?,
        };
        let first = self.uts.iter().find(|ut| ut.run.needs.inputs & slot.bit() != 0)?;
        Some(self.hazard(first, Resource::Input(queue)))
    }

    fn hazard(&self, first: &Microthread, resource: Resource) -> Hazard {
        Hazard { pc: self.cpu.at(), first: first.pc, resource }
    }
}
