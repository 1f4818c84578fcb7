//! What an operation takes of its PE, a microthread and queues, and what happens where an earlier one still has them: the
//! main thread holds there until that one has ended.
//!
//! The guide leaves it to the programmer that no two operations share a microthread or a queue. Published programs do, and
//! the vendor's simulator is recorded to run them to the right end, so this is no fault; each place is told once, when the
//! run stops.

use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_machine::Arch;
use csl_num::LowBits;

use crate::microthread::Microthread;
use crate::pe::Pe;
use crate::ports::{NONE, Ports, UNQUEUED};
use crate::scalar::Exit;
use crate::vec::config::Config;
use crate::vec::dsr::Loaded;
use crate::vec::setup::queue_alone;

/// What an earlier operation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    Microthread(u8),
    Input(u8),
    Output(u8),
}

/// A place where the main thread has held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hold {
    /// The instruction that had to wait.
    pub pc: u32,
    /// The one that had started what it waited for, the first time that it had to.
    pub first: u32,
    pub resource: Resource,
}

/// What an operand brings: the DSD, if it is on the fabric, and the configuration of an explicit DSR.
#[derive(Clone, Copy, Default)]
struct Claim {
    fabric: Option<Dsd>,
    dsr: Option<Config>,
}

impl Pe {
    /// WSE-2: the output queue's number, or that of the first input. WSE-3: what the operands say, in the order
    /// destination, first source, second source; else the queue of the first that is on the fabric.
    pub(crate) fn microthread_of(&self, desc: &VecDesc) -> u8 {
        let of_operation = desc.config.ut.map(|ut| match ut {
            RegOrImm::Reg(reg) => self.cpu.reg(reg).low8(),
            RegOrImm::Imm(ut) => ut.low8(),
        });
        let given = |claim: Claim| {
            let of_dsd = claim.fabric.and_then(|dsd| (dsd.flags() & fabric_flags::UT_MASK).checked_sub(1));
            match claim.dsr {
                Some(dsr) => dsr.ut,
                None if claim.fabric.is_some() => {
                    of_operation.or(of_dsd.map(|bits| (bits >> fabric_flags::UT_SHIFT).low8()))
                }
                None => None,
            }
        };
        let claims = || operands(desc).map(|arg| self.claim_of(arg));
        let explicit = claims().find_map(given).filter(|_| self.chip.arch == Arch::Wse3);
        let queue = claims().find_map(|claim| claim.fabric.map(|dsd| dsd.queue()));
        explicit.or(queue).unwrap_or(NONE)
    }

    /// Whether, and for what, the main thread must hold at an instruction. Nothing is bound or read for this.
    #[inline]
    pub(crate) fn held_at(&self, exit: Exit, ports: &Ports) -> Option<Hold> {
        if self.uts.is_empty() { None } else { self.held_by_uts(exit, ports) }
    }

    fn held_by_uts(&self, exit: Exit, ports: &Ports) -> Option<Hold> {
        match exit {
            Exit::Vec { row, .. } => {
                let desc = self.program.vecs.get(usize::from(row))?;
                let is_async = |arg| self.claim_of(arg).dsr.is_some_and(|dsr| dsr.is_async);
                if desc.config.is_async || operands(desc).any(is_async) {
                    self.held_microthread(desc, ports)
                } else {
                    operands(desc).find_map(|arg| self.held_queue(arg, ports))
                }
            }
            Exit::IterLoad { row, .. } => self.held_queue(self.program.iters.get(usize::from(row))?.dsd, ports),
            _ => None,
        }
    }

    fn held_microthread(&self, desc: &VecDesc, ports: &Ports) -> Option<Hold> {
        let id = self.microthread_of(desc);
        match self.uts.iter().find(|ut| ut.id == id && id != NONE) {
            Some(first) => Some(self.hold(first, Resource::Microthread(id))),
            // Two microthreads may share a queue on WSE-3 (guide, microthread IDs).
            None if self.chip.arch == Arch::Wse3 => None,
            None => operands(desc).find_map(|arg| self.held_queue(arg, ports)),
        }
    }

    fn held_queue(&self, arg: VecArg, ports: &Ports) -> Option<Hold> {
        let dsd = self.claim_of(arg).fabric?;
        let (queue, color) = (dsd.queue(), dsd.color());
        if dsd.class() == DsdClass::Fabout {
            let slot = ports.output_slot(if queue == NONE { UNQUEUED } else { queue })?;
            let first = self.uts.iter().find(|ut| ut.run.needs.outputs >> slot & 1 != 0)?;
            return Some(self.hold(first, Resource::Output(queue)));
        }
        // On WSE-2 what has come of a color is the color's, whatever queue it is bound to (`ports.rs`).
        let by_color = color != NONE && (queue == NONE || self.chip.arch == Arch::Wse2);
        let slot = if by_color { ports.color_slot(color)? } else { ports.input_slot(queue)? };
        let first = self.uts.iter().find(|ut| ut.run.needs.inputs >> slot & 1 != 0)?;
        Some(self.hold(first, Resource::Input(queue)))
    }

    fn hold(&self, first: &Microthread, resource: Resource) -> Hold {
        Hold { pc: self.cpu.at(), first: first.pc, resource }
    }

    fn claim_of(&self, arg: VecArg) -> Claim {
        let of = |dsd: Dsd| Some(dsd).filter(|dsd| matches!(dsd.class(), DsdClass::Fabin | DsdClass::Fabout));
        match arg {
            VecArg::Dsd(reg) => Claim { fabric: of(Dsd(self.cpu.reg(reg))), dsr: None },
            VecArg::DsdConst(word) => Claim { fabric: of(Dsd(word)), dsr: None },
            VecArg::Dsr { file, id } => self.dsrs.find(file, id).map_or_else(Claim::default, |at| {
                let dsr = self.dsrs.get(at);
                let fabric = if let Loaded::Packed(dsd) = dsr.value { of(queue_alone(dsd)) } else { None };
                Claim { fabric, dsr: Some(dsr.config) }
            }),
            _ => Claim::default(),
        }
    }

    pub(crate) fn arg_on_fabric(&self, arg: VecArg) -> bool {
        self.claim_of(arg).fabric.is_some()
    }

    /// Remembers a place for the warning: what it waited for first counts.
    pub(crate) fn note_hold(&mut self, hold: Hold) {
        if self.holds.iter().all(|known| known.pc != hold.pc) {
            self.holds.push(hold);
        }
    }

    /// The places where the main thread has held, in the order in which it came to them.
    pub fn holds(&self) -> &[Hold] {
        &self.holds
    }
}

/// Destination, then sources.
fn operands(desc: &VecDesc) -> impl Iterator<Item = VecArg> {
    std::iter::once(desc.dest).chain(desc.srcs.iter().copied())
}
