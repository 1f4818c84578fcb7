//! The handlers of the teardown task: of colors that were torn down (docs/decisions/machine.md M22), and of queues that have drained
//! (`@queue_flush`). Queues are counted as `SysOp::QueueFlush` does.

use csl_image::PeImage;
use csl_machine::{Color, FLUSH_INPUT};

use crate::ports::Ports;

#[derive(Clone, Debug, Default)]
pub(crate) struct Handlers {
    /// The colors whose handler has to run.
    pub torn: u32,
    /// The queues that are to drain.
    pub flushing: u16,
    /// The queues that have drained (a register); then those of them whose handler has to run.
    pub flushed: u16,
    drained: u16,
}

impl Handlers {
    /// The function of the next handler that has to run, and whether another one has to run after it.
    pub fn next(&mut self, program: &PeImage) -> Option<(u16, bool)> {
        let func = if let Some(&(color, func)) = self.torn_handler(program) {
            self.torn &= !color.bit();
            func
        } else {
            let &(queue, func) = self.drained_handler(program)?;
            self.drained &= !(1 << (queue & 15));
            func
        };
        Some((func, self.torn_handler(program).is_some() || self.drained_handler(program).is_some()))
    }

    fn torn_handler<'a>(&self, program: &'a PeImage) -> Option<&'a (Color, u16)> {
        program.teardown_handlers.iter().find(|(color, _)| self.torn & color.bit() != 0)
    }

    fn drained_handler<'a>(&self, program: &'a PeImage) -> Option<&'a (u8, u16)> {
        program.empty_queue_handlers.iter().find(|(queue, _)| self.drained >> (queue & 15) & 1 == 1)
    }

    /// Whether a queue that was to drain has drained now.
    #[inline]
    pub fn look(&mut self, ports: &Ports) -> bool {
        self.flushing != 0 && self.look_at_all(ports)
    }

    #[cold]
    fn look_at_all(&mut self, ports: &Ports) -> bool {
        let drained = (0..16).filter(|&queue| self.has_drained(queue, ports)).fold(0, |mask, queue| mask | 1 << queue);
        self.flushing &= !drained;
        self.flushed |= drained;
        self.drained |= drained;
        drained != 0
    }

    fn has_drained(&self, queue: u8, ports: &Ports) -> bool {
        let is_empty = |queue: u8| match queue.checked_sub(FLUSH_INPUT) {
            Some(input) => ports.input_slot(input).is_none_or(|slot| ports.inputs[slot].is_empty()),
            None => ports.output_slot(queue).is_none_or(|slot| ports.outputs[slot].is_empty()),
        };
        self.flushing >> queue & 1 == 1 && is_empty(queue)
    }

    /// The output slots of queues that are to drain.
    pub fn awaited_outputs(&self, ports: &Ports) -> u32 {
        let awaited = (0..8).filter(|queue| self.flushing != 0 && self.flushing >> queue & 1 == 1);
        awaited.fold(0, |mask, queue| mask | ports.output_slot(queue).map_or(0, |slot| 1 << slot))
    }
}
