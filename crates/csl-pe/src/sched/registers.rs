//! The compute element's own registers; all others belong to the router.

use csl_machine::registers::{ce, filter};
use csl_machine::{Color, FLUSH_INPUT, QueueId};
use csl_num::LowBits;

use super::state::{Sched, Visit};
use crate::fault::FaultKind;
use crate::outside::Registers;
use crate::ports::Ports;

const QUEUES: u16 = 8;
/// Bits of a wavelet below its index.
const INDEX_SHIFT: u32 = 16;

/// Classes of the main thread's priority register, in the scale of `microthread::class`.
const MAIN_CLASSES: [u8; 4] = [1, 2, 3, 4];

impl Sched {
    /// The register at a word address.
    pub fn read_register(&mut self, word: u16, visit: &mut Visit) -> u16 {
        let Visit { cpu, data, ports, registers, .. } = visit;
        let queue = QueueId::at((word % QUEUES).low8());
        let halves = |value: u32, first: u16| (value >> (16 * (word - first))).low16();
        match word {
            ce::INPUT_QUEUES.. if word < ce::INPUT_QUEUES + QUEUES => {
                let color = ports.input_slot(queue).map(|slot| ports.inputs[slot].color);
                color_bits(color) | self.queue_priority[queue]
            }
            ce::OUTPUT_QUEUES.. if word < ce::OUTPUT_QUEUES + QUEUES => {
                color_bits(ports.output_slot(queue).and_then(|slot| ports.outputs[slot].color))
            }
            ce::INPUT_STATUS => input_status(ports),
            ce::OUTPUT_STATUS => output_status(ports),
            ce::TEARDOWN_PENDING.. if word < ce::TEARDOWN_PENDING + 2 => {
                let pending = halves(self.handlers.torn, ce::TEARDOWN_PENDING);
                self.handlers.torn &= !(u32::from(pending) << (16 * (word - ce::TEARDOWN_PENDING)));
                pending
            }
            ce::INPUT_FLUSHED => self.handlers.flushed >> FLUSH_INPUT,
            ce::OUTPUT_FLUSHED => self.handlers.flushed & 0xff,
            ce::MAIN_PRIORITY => u16::from(self.main_class.saturating_sub(1)),
            ce::LOCAL_TASK_PRIORITY.. if word < ce::LOCAL_TASK_PRIORITY + 2 => {
                halves(self.tasks.local_priority, ce::LOCAL_TASK_PRIORITY)
            }
            ce::CHANNEL_PRIORITY.. if word < ce::CHANNEL_PRIORITY + 2 => {
                halves(self.tasks.channel_priority, ce::CHANNEL_PRIORITY)
            }
            ce::EXCEPTIONS => data.unmasked,
            ce::CONTROL_TRANSFORM => (data.transform >> INDEX_SHIFT).low16(),
            ce::UT_BLOCKED => u16::from(self.ut_blocked),
            ce::TIMESTAMP.. if word < ce::TIMESTAMP + ce::TIMESTAMP_WORDS => {
                if self.refuses_time {
                    self.raise_fault(FaultKind::NoClock, cpu.local_time, cpu);
                }
                self.counters.tsc_word(u64::from(word - ce::TIMESTAMP), cpu.local_time)
            }
            ce::COUNTER_CONTROL => u16::from(self.counters.tsc_runs()),
            _ => match registers.read(word) {
                Some(value) => value,
                None => {
                    self.unserved.note(cpu.at(), word);
                    self.unserved.read(word)
                }
            },
        }
    }

    /// Writes the register at a word address.
    pub fn write_register(&mut self, word: u16, value: u16, visit: &mut Visit) -> Result<(), FaultKind> {
        let Visit { cpu, data, ports, registers, .. } = visit;
        let queue = QueueId::at((word % QUEUES).low8());
        match word {
            ce::INPUT_QUEUES.. if word < ce::INPUT_QUEUES + QUEUES => {
                self.queue_priority[queue] = value & (ce::MEDIUM_PRIORITY | ce::HIGH_PRIORITY);
                self.classify_uts();
                bind_input(ports, queue, value)?;
                enable_filter(*registers, value);
            }
            ce::OUTPUT_QUEUES.. if word < ce::OUTPUT_QUEUES + QUEUES => bind_output(ports, queue, value)?,
            ce::OUTPUT_FLUSHED => self.handlers.flushed &= !(value & 0xff),
            ce::INPUT_FLUSHED => self.handlers.flushed &= !(value << FLUSH_INPUT),
            ce::INPUT_STATUS | ce::OUTPUT_STATUS => {}
            ce::MAIN_PRIORITY => self.main_class = MAIN_CLASSES[usize::from(value & 3)],
            ce::LOCAL_TASK_PRIORITY.. if word < ce::LOCAL_TASK_PRIORITY + 2 => {
                set_half(&mut self.tasks.local_priority, word - ce::LOCAL_TASK_PRIORITY, value);
            }
            ce::CHANNEL_PRIORITY.. if word < ce::CHANNEL_PRIORITY + 2 => {
                set_half(&mut self.tasks.channel_priority, word - ce::CHANNEL_PRIORITY, value);
            }
            ce::EXCEPTIONS => data.unmasked = value,
            ce::CONTROL_TRANSFORM => data.transform = u32::from(value & ce::TRANSFORMED) << INDEX_SHIFT,
            ce::UT_BLOCKED => self.ut_blocked = value.low8(),
            ce::TIMESTAMP.. if word < ce::TIMESTAMP + ce::TIMESTAMP_WORDS => {
                self.counters.set_tsc_word(word - ce::TIMESTAMP, value, cpu.local_time);
            }
            ce::COUNTER_CONTROL => self.counters.run_tsc(value & ce::COUNTER_RUNS != 0, cpu.local_time),
            _ if registers.write(word, value) => {}
            _ => {
                self.unserved.note(cpu.at(), word);
                self.unserved.write(word, value);
            }
        }
        Ok(())
    }
}

fn color_bits(color: Option<Color>) -> u16 {
    color.map_or(ce::NO_COLOR, u16::from)
}

fn color_of(value: u16) -> Option<Color> {
    Some(Color::of_bits(value.into())).filter(|&color| u16::from(color) != ce::NO_COLOR)
}

fn bind_input(ports: &mut Ports, queue: QueueId, value: u16) -> Result<(), FaultKind> {
    let Some(color) = color_of(value) else { return Ok(()) };
    ports.bind_input(queue, color).map_err(|_| FaultKind::QueueNotEmpty { output: false, queue }).map(drop)
}

/// Switches the filter of a queue's color by the queue's register; most colors have none.
fn enable_filter(registers: &mut dyn Registers, value: u16) {
    if let Some(color) = color_of(value) {
        let is_enabled = u16::from(value & ce::FILTER_ENABLE != 0);
        registers.write(filter::ENABLES + u16::from(color), is_enabled);
    }
}

fn bind_output(ports: &mut Ports, queue: QueueId, value: u16) -> Result<(), FaultKind> {
    let Some(color) = color_of(value) else { return Ok(()) };
    ports.bind_output(queue, Some(color)).map_err(|_| FaultKind::QueueNotEmpty { output: true, queue }).map(drop)
}

fn status(empty: impl Fn(QueueId) -> bool, full: impl Fn(QueueId) -> bool) -> u16 {
    let bits = |q: u8| u16::from(empty(QueueId::at(q))) << q | u16::from(full(QueueId::at(q))) << (8 + q);
    (0..8).map(bits).fold(0, |status, bits| status | bits)
}

fn input_status(ports: &Ports) -> u16 {
    let of = |q: QueueId| ports.input_slot(q).map(|slot| &ports.inputs[slot]);
    status(|q| of(q).is_none_or(|input| input.is_empty()), |q| of(q).is_some_and(|input| !input.has_room()))
}

fn output_status(ports: &Ports) -> u16 {
    let of = |q: QueueId| ports.output_slot(q).map(|slot| &ports.outputs[slot]);
    status(|q| of(q).is_none_or(|output| output.is_empty()), |q| of(q).is_some_and(|output| output.room() == 0))
}

fn set_half(mask: &mut u32, half: u16, value: u16) {
    let shift = 16 * u32::from(half);
    *mask = *mask & !(0xffff << shift) | u32::from(value) << shift;
}
