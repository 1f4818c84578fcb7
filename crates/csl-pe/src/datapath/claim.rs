//! The resources that the operands of an operation take. They are found before the operation starts: nothing is bound
//! or read.

use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::vec::{VecArg, VecDesc};
use csl_machine::{Arch, MicrothreadId};

use super::config::{self, Config};
use super::dsr::{Loaded, queue_alone};
use super::state::Datapath;

/// The DSD of an operand, if it is on the fabric, and the configuration of an explicit DSR.
#[derive(Clone, Copy, Default)]
pub(crate) struct Claim {
    pub fabric: Option<Dsd>,
    pub dsr: Option<Config>,
}

impl Datapath {
    /// The claim of an operand; `reg` are the registers of the running function.
    pub fn claim_of(&self, arg: VecArg, reg: &dyn Fn(u16) -> u64) -> Claim {
        let of = |dsd: Dsd| Some(dsd).filter(|dsd| matches!(dsd.class(), DsdClass::Fabin | DsdClass::Fabout));
        match arg {
            VecArg::Dsd(number) => Claim { fabric: of(Dsd(reg(number))), dsr: None },
            VecArg::DsdConst(word) => Claim { fabric: of(Dsd(word)), dsr: None },
            VecArg::Dsr { file, id } => self.dsrs.find(file, id).map_or_else(Claim::default, |at| {
                let dsr = self.dsrs.get(at);
                let fabric = if let Loaded::Packed(dsd) = dsr.value { of(queue_alone(dsd)) } else { None };
                Claim { fabric, dsr: Some(dsr.config) }
            }),
            _ => Claim::default(),
        }
    }

    pub fn is_on_fabric(&self, arg: VecArg, reg: &dyn Fn(u16) -> u64) -> bool {
        self.claim_of(arg, reg).fabric.is_some()
    }

    /// The microthread that an asynchronous operation runs on. WSE-2: the output queue's number, or that of the first
    /// input. WSE-3: the one that the operands name, in the order destination, first source, second source; else the
    /// queue of the first that is on the fabric, if it names one.
    pub fn microthread_of(&self, desc: &VecDesc, reg: &dyn Fn(u16) -> u64) -> Option<MicrothreadId> {
        let of_operation = desc.config.ut.and_then(|ut| config::microthread(ut, reg));
        let given = |claim: Claim| match (claim.dsr, claim.fabric) {
            (Some(dsr), _) => dsr.ut,
            (None, Some(dsd)) => of_operation.or(dsd.microthread()),
            (None, None) => None,
        };
        let claims = || operands(desc).map(|arg| self.claim_of(arg, reg));
        let explicit = claims().find_map(given).filter(|_| self.chip.arch == Arch::Wse3);
        let queue = claims().find_map(|claim| claim.fabric).and_then(Dsd::queue);
        explicit.or(queue.map(MicrothreadId::from))
    }
}

/// The operands: destination, then sources.
pub(crate) fn operands(desc: &VecDesc) -> impl Iterator<Item = VecArg> {
    std::iter::once(desc.dest).chain(desc.srcs.iter().copied())
}
