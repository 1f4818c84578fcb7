//! The resources that the operands of an operation take. They are found before the operation starts: nothing is bound
//! or read.

use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_machine::Arch;
use csl_num::LowBits;

use super::config::Config;
use super::dsr::{Loaded, queue_alone};
use super::state::Datapath;
use crate::queues::NONE;

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
    /// queue of the first that is on the fabric.
    pub fn microthread_of(&self, desc: &VecDesc, reg: &dyn Fn(u16) -> u64) -> u8 {
        let of_operation = desc.config.ut.map(|ut| match ut {
            RegOrImm::Reg(number) => reg(number).low8(),
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
        let claims = || operands(desc).map(|arg| self.claim_of(arg, reg));
        let explicit = claims().find_map(given).filter(|_| self.chip.arch == Arch::Wse3);
        let queue = claims().find_map(|claim| claim.fabric.map(|dsd| dsd.queue()));
        explicit.or(queue).unwrap_or(NONE)
    }
}

/// The operands: destination, then sources.
pub(crate) fn operands(desc: &VecDesc) -> impl Iterator<Item = VecArg> {
    std::iter::once(desc.dest).chain(desc.srcs.iter().copied())
}
