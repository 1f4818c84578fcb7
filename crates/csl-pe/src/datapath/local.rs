//! Runs local operations, which access memory and scalars only, many issues at once.

use csl_machine::Chip;
use csl_num::{FloatKind, LowBits};

use super::exceptions;
use super::memory::Memory;
use super::memory_loop;
use super::operation::{Operation, Step};
use crate::fault::FaultKind;

impl Operation {
    /// Runs `issues` issues of a local operation at once.
    pub fn run_local(&mut self, chip: &Chip, memory: &mut Memory, half: FloatKind, issues: u64) -> Step {
        let issues = issues.min(u64::from(u32::MAX)).low32();
        let elements = self.left.at_most(issues.saturating_mul(self.rate.group.into()));
        memory_loop::run(self, memory, half, elements);
        self.left.count_off(elements);
        self.pass_rows(chip, elements);
        self.after_move(memory)
    }

    /// [`Operation::run_local`], element by element up to one that raises a floating-point exception of `unmasked`.
    pub fn run_watched(
        &mut self,
        chip: &Chip,
        memory: &mut Memory,
        half: FloatKind,
        issues: u64,
        unmasked: u16,
    ) -> Result<Step, FaultKind> {
        for _ in 0..issues.saturating_mul(self.rate.group.into()).min(self.left.saturated().into()) {
            let raised = exceptions::of_element(self.op, half, memory_loop::next_sources(self, memory)) & unmasked;
            if raised != 0 {
                return Err(FaultKind::FpException { raised });
            }
            memory_loop::run(self, memory, half, 1);
            self.left.count_off(1);
            self.pass_rows(chip, 1);
        }
        Ok(self.after_move(memory))
    }
}
