//! The state of the datapath.

use csl_image::PeImage;
use csl_machine::{Chip, TaskTarget, VecOp};
use csl_num::FloatKind;

use super::cursor::Operand;
use super::dsr::Dsrs;
use super::fifo::FifoState;
use super::length::Length;
use super::memory::Memory;
use super::operation::Operation;
use crate::fault::FaultKind;

/// Memory, FIFOs and data structure registers of one PE, and the modes of its vector operations. Operations under way
/// belong to the threads that run them.
///
/// The order of the fields is that in memory: those that each issue reads lie together.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Datapath {
    pub chip: &'static Chip,
    pub memory: Memory,
    /// The program's 16-bit float format.
    pub half: FloatKind,
    /// Whether 16-bit operands on the fabric travel two in a wavelet unless they say otherwise.
    pub packed: bool,
    /// The floating-point exceptions that stop the PE, in the bits of their register.
    pub unmasked: u16,
    /// Local tasks that FIFOs have activated since [`Datapath::take_activated`], one bit an id.
    pub activated: u32,
    pub fifos: Vec<FifoState>,
    /// The bits that `control_transform` flips in received control wavelets.
    pub transform: u32,
    pub dsrs: Dsrs,
    /// The iterators of `@map`, numbered over all running functions.
    pub iters: Vec<Iter>,
    /// The header of the next message to send.
    pub message_header: u32,
    /// The carry that the last addition left, in programs with an operation that reads it.
    carry: Option<u32>,
}

/// An iterator of `@map`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Iter {
    pub operand: Operand,
    /// The elements left.
    pub left: Length,
}

impl Datapath {
    pub fn new(program: &PeImage, chip: &'static Chip) -> Datapath {
        Datapath {
            chip,
            fifos: program.fifos.iter().map(FifoState::new).collect(),
            memory: Memory::of(program),
            activated: 0,
            transform: 0,
            unmasked: 0,
            half: program.half.kind(),
            packed: program.dialect.packs_halves,
            dsrs: Dsrs::default(),
            iters: Vec::new(),
            message_header: 0,
            carry: program.vecs.iter().any(|vec| vec.op == VecOp::Addc16.number()).then_some(0),
        }
    }

    /// The carry with which an operation starts; none of one that neither reads it nor leaves one that anything reads.
    pub(super) fn carry_of(&self, op: VecOp) -> Option<u32> {
        self.carry.filter(|_| matches!(op, VecOp::Add16 | VecOp::Addc16))
    }

    /// Takes over what an operation that has ended leaves: the addresses of its explicit DSRs with `.save_address`, and
    /// its carry.
    pub fn take_over(&mut self, ended: &Operation) {
        for (dsr, addr) in ended.saved() {
            self.dsrs.save(dsr, addr);
        }
        if ended.carry.is_some() {
            self.carry = ended.carry;
        }
    }

    /// Cycles from an issue until its wavelet may land on the router.
    pub fn dispatch_to_ramp(&self) -> u64 {
        u64::from(self.chip.timing.dispatch_to_ramp)
    }

    /// The local tasks that FIFOs have activated since the last call, one bit an id.
    #[inline]
    pub fn take_activated(&mut self) -> u32 {
        std::mem::take(&mut self.activated)
    }

    pub fn fifo_mut(&mut self, id: u64) -> Result<&mut FifoState, FaultKind> {
        let fifo = usize::try_from(id).ok().and_then(|id| self.fifos.get_mut(id));
        fifo.ok_or(FaultKind::BadOperand("no such FIFO"))
    }

    /// Pops an element of `words` words, which must be there.
    pub(super) fn pop(&mut self, id: u8, words: u8) -> u32 {
        let fifo = &mut self.fifos[usize::from(id)];
        let value = fifo.pop(&self.memory, words);
        let then = fifo.after_pop();
        self.activate(then);
        value
    }

    /// Pushes an element of `words` words, for which there must be room.
    pub(super) fn push(&mut self, id: u8, words: u8, value: u32) {
        let fifo = &mut self.fifos[usize::from(id)];
        fifo.push(&mut self.memory, words, value);
        let then = fifo.after_push();
        self.activate(then);
    }

    fn activate(&mut self, target: Option<TaskTarget>) {
        if let Some(TaskTarget::LocalTask(id)) = target {
            self.activated |= id.bit();
        }
    }
}
