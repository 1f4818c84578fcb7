//! Services of the PE: the dispatch of system operations, and loads and stores in register space.

use csl_image::PeImage;
use csl_machine::{Arch, Color, REGISTERS_START, SysOp, TaskId, TaskTarget};
use csl_num::{LowBits, Prng};

use super::astray::AstrayRoot;
use super::state::{Sched, Visit};
use crate::event::{Event, EventKind, Printed};
use crate::fault::FaultKind;
use crate::scalar::{Cpu, RegisterLoad};

impl Sched {
    /// Carries out a system operation, whose arguments are registers from `args` on, and writes its result.
    pub fn serve(&mut self, op: SysOp, args: u16, dst: u16, visit: &mut Visit) -> Result<(), FaultKind> {
        let arg = |i: u16| if usize::from(i) < op.args().len() { visit.cpu.reg(args + i) } else { 0 };
        let (a, b) = (arg(0), arg(1));
        let value = self.service(op, a, b, visit)?;
        if op == SysOp::SetDsrAddr
            && let Some(shadow) = &mut self.shadow
        {
            shadow.move_dsr(a, args + 1);
        }
        if op.has_result() && dst != csl_isa::NO_REG {
            visit.cpu.set_reg(dst, value);
        }
        Ok(())
    }

    fn service(&mut self, op: SysOp, a: u64, b: u64, visit: &mut Visit) -> Result<u64, FaultKind> {
        let local_time = visit.cpu.local_time;
        let channel = |id: u64| TaskTarget::DataTask(TaskId::clamped(id));
        let mut value = 0;
        match op {
            SysOp::ActivateTask => {
                self.look_at_activation(a.low16(), visit.cpu);
                self.tasks.activate_local(a.low16(), Some(visit.cpu.at()))?;
            }
            SysOp::BlockTask => self.block_number(a, true, visit.program),
            SysOp::UnblockTask => self.block_number(a, false, visit.program),
            SysOp::BlockColor => self.tasks.set_blocked(channel_of_color(a, visit), true),
            SysOp::UnblockColor => self.tasks.set_blocked(channel_of_color(a, visit), false),
            SysOp::BlockQueue => self.tasks.set_blocked(channel(a), true),
            SysOp::UnblockQueue => self.tasks.set_blocked(channel(a), false),
            SysOp::BlockUt => self.ut_blocked |= 1 << (a & 7),
            SysOp::UnblockUt => self.ut_blocked &= !(1 << (a & 7)),
            SysOp::Random16 => value = u64::from(self.counters.prng().next_u16()),
            SysOp::SetActivePrng => self.counters.set_active_prng(a),
            SysOp::SetPrngSeed => *self.counters.prng() = Prng::new(a.low32()),
            SysOp::Assert if a == 0 => return Err(FaultKind::AssertionFailed),
            SysOp::Assert => {}
            SysOp::GetConfig => value = u64::from(self.read_register(a.low16(), visit)),
            SysOp::SetConfig => self.write_register(a.low16(), b.low16(), visit)?,
            SysOp::TscEnable => self.counters.enable_tsc(local_time),
            SysOp::TscDisable => self.counters.disable_tsc(local_time),
            SysOp::TscWord if self.refuses_time => return Err(FaultKind::NoClock),
            SysOp::TscWord => {
                self.counters.note_read(visit.cpu.at());
                value = u64::from(self.counters.tsc_word(a, local_time));
            }
            SysOp::UnblockCmdStream => {
                self.look_at_unblock(visit);
                visit.ports.cmd_stream_unblocked = true;
            }
            SysOp::GetX => value = u64::from(visit.at.0),
            SysOp::GetY => value = u64::from(visit.at.1),
            SysOp::SetFifoReadLength => visit.data.fifo_mut(a)?.read_len = b.low16(),
            SysOp::SetFifoWriteLength => visit.data.fifo_mut(a)?.write_len = b.low16(),
            SysOp::QueueFlush => self.flush(a, visit),
            SysOp::SetDsrAddr => visit.data.set_dsr_addr(a, b.low16())?,
            SysOp::MessageHeader => visit.data.message_header = a.low32(),
            SysOp::PrintValue => self.printing.push(Printed { kind: a.low16(), value: b }),
            SysOp::PrintFlush => self.flush_print(local_time),
            SysOp::LookAtRoot => self.look_at_root(a.low16(), b.low16(), visit.cpu),
        }
        Ok(value)
    }

    fn block_number(&mut self, id: u64, blocked: bool, program: &PeImage) {
        let target = self.tasks.task_of_id(program, id.low16());
        self.tasks.set_blocked(target, blocked);
    }

    /// Notes the first root that is no PE of its row or column, for reports.
    fn look_at_root(&mut self, root: u16, size: u16, cpu: &Cpu) {
        if root >= size {
            self.astray.get_or_insert_with(|| Box::new(AstrayRoot { root, size, stack: cpu.call_stack() }));
        }
    }

    fn flush(&mut self, queue: u64, visit: &Visit) {
        self.handlers.flushing |= 1 << (queue & 15);
        self.watch_flushes(visit.data.chip, visit.ports);
    }

    fn flush_print(&mut self, cycle: u64) {
        let print = std::mem::take(&mut self.printing);
        self.events.push(Event { cycle, what: EventKind::Print(print) });
    }

    /// Carries out a load from register space, or from memory that microthreads use too.
    pub fn load_register(&mut self, load: RegisterLoad, visit: &mut Visit) {
        if load.addr < REGISTERS_START {
            if let Some(shadow) = &mut self.shadow {
                shadow.touch(load.addr, load.bytes.into(), false);
            }
            let mut bytes = [0; 8];
            visit.data.memory.read_bytes(load.addr, &mut bytes[..usize::from(load.bytes)]);
            return visit.cpu.finish_load(load, u64::from_le_bytes(bytes));
        }
        let words = u16::from(load.bytes).div_ceil(2);
        let mut raw = 0;
        for i in 0..words {
            let word = (load.addr >> 1).wrapping_add(i);
            raw |= u64::from(self.read_register(word, visit)) << (16 * i);
        }
        if load.bytes == 1 && load.addr & 1 == 1 {
            raw >>= 8;
        }
        visit.cpu.finish_load(load, raw);
    }

    /// Carries out a store of `bytes` bytes to register space, or to memory that microthreads use too.
    pub fn store_register(&mut self, addr: u16, bytes: u8, value: u64, visit: &mut Visit) -> Result<(), FaultKind> {
        if addr < REGISTERS_START {
            if let Some(shadow) = &mut self.shadow {
                shadow.touch(addr, bytes.into(), true);
            }
            visit.data.memory.write_bytes(addr, &value.to_le_bytes()[..usize::from(bytes)]);
            return Ok(());
        }
        if bytes == 1 {
            return Err(FaultKind::Unsupported("a store of one byte to a register"));
        }
        for i in 0..u16::from(bytes / 2) {
            let word = (addr >> 1).wrapping_add(i);
            self.write_register(word, (value >> (16 * i)).low16(), visit)?;
        }
        Ok(())
    }
}

/// The channel of a color; on WSE-3 the input queue that the color is bound to, if any.
fn channel_of_color(color: u64, visit: &Visit) -> TaskTarget {
    let number = TaskId::clamped(color);
    let slot = Color::of(color).and_then(|color| visit.ports.color_slot(color));
    let queue = slot.and_then(|slot| visit.ports.inputs[slot].queue);
    match (visit.data.chip.arch, queue) {
        (Arch::Wse3, Some(queue)) => TaskTarget::InputQueue(queue.into()),
        _ => TaskTarget::Color(number),
    }
}
