//! Scalar code in turns by the interpreter and by native code.

use csl_image::PeImage;
use csl_jit::{Native, State};

use super::cpu::Cpu;
use super::exit::Exit;
use super::interpret;
use super::surroundings::Surroundings;

/// Native code is entered to run for at least so many cycles: to enter it costs as much as to interpret a few.
const WORTHWHILE: u64 = 64;

/// Data memory that no one observes.
pub trait Plain: Surroundings {
    /// The bytes from address 0 on, as far as they are kept.
    fn kept_bytes_mut(&mut self) -> &mut [u8];
}

/// Memory of a core that counts its turns, and stops where native code goes on.
struct Counted<'a, M> {
    memory: &'a mut M,
    native: &'a Native,
    is_stopped: bool,
}

impl<M: Plain> Surroundings for Counted<'_, M> {
    #[inline(always)]
    fn load<const N: usize>(&mut self, addr: u16) -> Option<[u8; N]> {
        self.memory.load(addr)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool {
        self.memory.store(addr, value)
    }

    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool {
        self.memory.copy(to, from, bytes)
    }

    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool {
        self.memory.fill(to, value, count)
    }

    #[inline(always)]
    fn turn(&mut self, func: u16, pc: u32) -> bool {
        self.is_stopped = self.native.turn(func, pc);
        self.is_stopped
    }
}

/// [`super::run`], with the same result.
pub fn run<M: Plain>(cpu: &mut Cpu, memory: &mut M, pe: &PeImage, until: u64, native: &Native) -> Exit {
    if until.saturating_sub(cpu.local_time) < WORTHWHILE {
        return interpret::run(cpu, memory, pe, until);
    }
    loop {
        if let Some(entry) = native.entry(cpu.func, cpu.pc) {
            let start = cpu.block_start();
            let left = entry.run(State {
                frame: &mut cpu.regs[cpu.fp as usize..],
                memory: memory.kept_bytes_mut(),
                tile_consts: &cpu.tile_consts,
                stack: cpu.sp,
                time: start,
                until,
            });
            cpu.stop(left.pc, start, left.time);
            if left.is_at_limit {
                return Exit::QuantumEnd;
            }
        }
        let mut counted = Counted { memory, native, is_stopped: false };
        let exit = interpret::run(cpu, &mut counted, pe, until);
        if !counted.is_stopped {
            return exit;
        }
    }
}
