//! Wavelets that an operation takes and sends, and the issues without elements: message headers and `@dfilt`.

use csl_machine::{Color, VecOp, Wavelet, message};

use super::cursor::{Cursor, In, Out};
use super::length::Length;
use super::operation::{Message, Operation, Stall, Step};
use super::state::Datapath;
use crate::ports::Ports;
use crate::queues::Outgoing;

/// The mark of a control wavelet that `control_transform` has put into memory: the two highest bits (the guide says no
/// more).
const TRANSFORM_MARK: u32 = 3 << 30;

impl Operation {
    /// Sends or takes the header of a message.
    pub(super) fn pass_header(&mut self, data: &mut Datapath, ports: &mut Ports, now: u64) -> Step {
        match (self.message, &self.dest.cursor, &self.srcs[0].cursor) {
            (Message::Header(header), &Cursor::Out(Out { slot, color, .. }), _) => {
                let ready = now + data.dispatch_to_ramp();
                let wavelet = Wavelet::word(header);
                if !ports.put(slot, Outgoing { wavelet, color, advance_switch: false, ready }) {
                    return Step::Stalled(Stall::Output(slot));
                }
            }
            (Message::Awaited, _, &Cursor::In(In { slot, .. })) => match ports.take(slot) {
                None => return Step::Stalled(Stall::Input(slot)),
                Some(header) => self.left = Length::of(header.data >> message::LENGTH_SHIFT),
            },
            _ => {}
        }
        self.message = if matches!(self.message, Message::Header(_)) { Message::Open } else { Message::Taken };
        self.after_move(&mut data.memory)
    }

    /// Puts the wavelet of the next elements, packed in one value and so many, into an output queue that has room. The
    /// last of all closes a message, where the operation `closes` one.
    #[inline(always)]
    pub(super) fn send(
        &self,
        data: &Datapath,
        ports: &mut Ports,
        now: u64,
        out: Out,
        (value, elements): (u32, u32),
        closes: bool,
    ) {
        let is_last = self.left == Length::of(elements);
        let marked = out.control_transform && value & TRANSFORM_MARK == TRANSFORM_MARK;
        let mut word = if marked { value & !TRANSFORM_MARK } else { value };
        if let Some(index) = out.index {
            word = word & 0xffff | u32::from(index) << 16;
        }
        let closes = is_last && closes;
        let wavelet = Wavelet { data: word, control: out.control || marked || closes, half: out.half };
        let advance_switch = out.advance_switch && is_last;
        let ready = now + data.dispatch_to_ramp();
        let sent = ports.put(out.slot, Outgoing { wavelet, color: out.color, advance_switch, ready });
        debug_assert!(sent, "`ready` has looked for room");
    }

    /// A control wavelet at the head of an input, which the next issue takes as an element and the program has not asked
    /// for: the operation neither sends it on as one nor marks it, and it closes no message.
    pub fn stray_control(&self, ports: &Ports) -> Option<(Color, u32)> {
        let sends_control = matches!(self.dest.cursor, Cursor::Out(out) if out.control);
        let is_asked_for = sends_control || self.config.on_control.is_some() || self.message != Message::No;
        if is_asked_for || self.op == VecOp::Dfilt {
            return None;
        }
        self.srcs.iter().find_map(|src| match src.cursor {
            Cursor::In(input) if !input.control_transform => {
                let queue = &ports.inputs[input.slot];
                queue.front().filter(|head| head.control).map(|head| (queue.color, head.data))
            }
            _ => None,
        })
    }

    /// `@dfilt`: drops wavelets until `left` control wavelets came.
    pub(super) fn filter(&mut self, data: &mut Datapath, ports: &mut Ports) -> Step {
        let Cursor::In(input) = self.srcs[0].cursor else { return self.complete(&mut data.memory) };
        match ports.take(input.slot) {
            None => Step::Stalled(Stall::Input(input.slot)),
            Some(wavelet) => {
                if wavelet.control {
                    self.left.count_off(1);
                }
                self.after_move(&mut data.memory)
            }
        }
    }
}

/// The word of a wavelet as an operation sees it. The mask of the control transform is applied here only: applied on
/// both sides of a relay it would cancel itself (a choice).
pub(super) fn received(input: In, wavelet: Wavelet, transform: u32) -> u32 {
    let mark = input.control_transform && wavelet.control;
    if mark { wavelet.data ^ transform | TRANSFORM_MARK } else { wavelet.data }
}
