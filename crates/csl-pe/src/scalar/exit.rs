//! The reasons why the interpreter stops.

use csl_machine::SysOp;
use csl_num::LowBits;

use super::cpu::{Cpu, CpuFault};
use super::ops::canonical;

/// The work of the interpreter's caller before it resumes. Registers are those of the running function's frame; `dst`
/// is [`csl_isa::NO_REG`] where the result is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The function that was started has returned.
    Returned,
    /// `local_time` has reached the limit at a branch; another run continues.
    QuantumEnd,
    /// A vector operation: a row of the program's `vecs`.
    Vec {
        row: u16,
        dst: u16,
    },
    /// A DSR load: a row of the program's `dsr_loads`.
    LoadDsr {
        row: u16,
    },
    /// A service: its arguments are consecutive registers from `args` on.
    Sys {
        op: SysOp,
        args: u16,
        dst: u16,
    },
    /// Sets up iterator `iter` over a row of the program's `iters`. Iterators are numbered over all running functions.
    IterLoad {
        iter: u16,
        row: u16,
    },
    /// Writes 1 into `ok` while an element is left, else 0.
    IterMore {
        iter: u16,
        ok: u16,
    },
    /// Reads the next element into `dst`; 1 or, at the end, 0 into `ok`.
    IterNext {
        iter: u16,
        dst: u16,
        ok: u16,
    },
    /// Writes the element in `src`; 1 or, at the end, 0 into `ok`.
    IterPut {
        iter: u16,
        src: u16,
        ok: u16,
    },
    /// A load from register space or shared memory; the value goes to [`Cpu::finish_load`].
    Load(RegisterLoad),
    /// A store of `bytes` bytes to register space or shared memory.
    Store {
        addr: u16,
        bytes: u8,
        value: u64,
    },
    /// An instruction raises unmasked floating-point exceptions, in the bits of their register.
    FpException {
        raised: u16,
    },
    Fault(CpuFault),
}

/// A load from register space or shared memory, for the caller to carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterLoad {
    pub addr: u16,
    pub bytes: u8,
    pub signed: bool,
    pub dst: u16,
}

/// The exit of a load that the caller carries out.
#[cold]
pub(super) fn load_exit(dst: u16, addr: u16, bytes: usize, signed: bool) -> Exit {
    Exit::Load(RegisterLoad { addr, bytes: bytes.low8(), signed, dst })
}

impl Cpu {
    /// Puts the raw value of a load into its register.
    pub fn finish_load(&mut self, load: RegisterLoad, raw: u64) {
        self.set_reg(load.dst, canonical(raw, 8 * u32::from(load.bytes), load.signed));
    }
}
