//! The handlers of the teardown task: of colors that were torn down (docs/decisions/machine.md M22), and of queues that have drained
//! (`@queue_flush`). Masks of queues have a bit for each [`FlushId`].

use csl_image::PeImage;
use csl_machine::{Color, FlushId, QueueDir};

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
            self.drained &= !mask(queue);
            func
        };
        Some((func, self.torn_handler(program).is_some() || self.drained_handler(program).is_some()))
    }

    fn torn_handler<'a>(&self, program: &'a PeImage) -> Option<&'a (Color, u16)> {
        program.teardown_handlers.iter().find(|(color, _)| self.torn & color.bit() != 0)
    }

    fn drained_handler<'a>(&self, program: &'a PeImage) -> Option<&'a (FlushId, u16)> {
        program.empty_queue_handlers.iter().find(|(queue, _)| self.drained & mask(*queue) != 0)
    }

    /// Whether a queue that was to drain has drained now.
    #[inline]
    pub fn look(&mut self, ports: &Ports) -> bool {
        self.flushing != 0 && self.look_at_all(ports)
    }

    #[cold]
    fn look_at_all(&mut self, ports: &Ports) -> bool {
        let awaited = FlushId::all().filter(|&queue| self.has_drained(queue, ports));
        let drained = awaited.fold(0, |drained, queue| drained | mask(queue));
        self.flushing &= !drained;
        self.flushed |= drained;
        self.drained |= drained;
        drained != 0
    }

    fn has_drained(&self, queue: FlushId, ports: &Ports) -> bool {
        let is_empty = || match queue.queue() {
            (QueueDir::In, queue) => ports.input_slot(queue).is_none_or(|slot| ports.inputs[slot].is_drained()),
            (QueueDir::Out, queue) => ports.output_slot(queue).is_none_or(|slot| ports.outputs[slot].is_empty()),
        };
        self.flushing & mask(queue) != 0 && is_empty()
    }

    /// The output slots of queues that are to drain.
    #[inline]
    pub fn awaited_outputs(&self, ports: &Ports) -> u32 {
        if self.flushing == 0 { 0 } else { self.outputs_to_drain(ports) }
    }

    #[cold]
    fn outputs_to_drain(&self, ports: &Ports) -> u32 {
        let awaited = FlushId::all().filter(|&queue| self.flushing & mask(queue) != 0).map(FlushId::queue);
        let outputs =
            awaited.filter(|(dir, _)| *dir == QueueDir::Out).filter_map(|(_, queue)| ports.output_slot(queue));
        outputs.fold(0, |slots, slot| slots | slot.bit())
    }
}

/// The bit of a queue.
fn mask(queue: FlushId) -> u16 {
    1 << queue.number()
}
