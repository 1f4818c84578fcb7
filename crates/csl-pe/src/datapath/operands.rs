//! Turns the operands in a row of the image's tables into cursors: reads descriptors and binds queues.

use csl_image::PeImage;
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::VecArg;
use csl_machine::{Arch, Color, DsrFile, ENDLESS_LENGTH, QueueId};
use csl_num::LowBits;

use super::config::Config;
use super::cursor::{Circ, Cursor, DsrSlot, In, Linear, Mem4, Mem4Desc, Out};
use super::dsr::{Loaded, queue_alone};
use super::length::Length;
use super::state::Datapath;
use crate::fault::FaultKind;
use crate::ports::{InputSlot, Ports};
use crate::queues::UNQUEUED;

/// The state that an operand may refer to.
pub(crate) struct Setup<'a> {
    pub data: &'a Datapath,
    pub program: &'a PeImage,
    pub ports: &'a mut Ports,
    /// The registers of the function that starts the operation.
    pub reg: &'a dyn Fn(u16) -> u64,
}

/// A resolved operand.
pub(super) struct Found {
    pub cursor: Cursor,
    /// The length in elements; `None` for operands without one: scalars, and FIFOs without a length.
    pub len: Option<Length>,
    pub dsr: Option<DsrSlot>,
    /// The number of DSRs that are loaded for it.
    pub loads: u8,
    /// The properties of a fabric operand: elements in a wavelet, flags, queue.
    pub fabric: Option<Fabric>,
}

#[derive(Clone, Copy)]
pub(super) struct Fabric {
    pub per_wavelet: u8,
    pub flags: u16,
    pub queue: Option<QueueId>,
}

impl Setup<'_> {
    pub(super) fn source(&mut self, arg: &VecArg, words: u16, index: u16) -> Result<Found, FaultKind> {
        let mask = if words == 1 { 0xffff } else { u32::MAX };
        match *arg {
            VecArg::Scalar { reg, .. } => Ok(scalar((self.reg)(reg).low32() & mask)),
            VecArg::ScalarConst { value, .. } => Ok(scalar(value & mask)),
            VecArg::Ptr(reg) => Ok(linear((self.reg)(reg).low16())),
            VecArg::PtrAt(addr) => Ok(linear(addr)),
            ref other => self.dsd(other, words, index, Side::Source, false),
        }
    }

    pub(super) fn dest(&mut self, arg: &VecArg, words: u16, config: &Config) -> Result<Found, FaultKind> {
        let pointer = |addr| Found { cursor: Cursor::Ptr { addr, value: None }, loads: 1, ..none() };
        match *arg {
            VecArg::Ptr(reg) => Ok(pointer((self.reg)(reg).low16())),
            VecArg::PtrAt(addr) => Ok(pointer(addr)),
            VecArg::Scalar { .. } | VecArg::ScalarConst { .. } => {
                Err(FaultKind::BadOperand("a scalar cannot be a destination"))
            }
            ref other => self.dsd(other, words, config.index, Side::Dest, config.is_async),
        }
    }

    fn dsd(&mut self, arg: &VecArg, words: u16, index: u16, side: Side, is_async: bool) -> Result<Found, FaultKind> {
        match *arg {
            VecArg::Dsd(reg) => self.packed_dsd(Dsd((self.reg)(reg)), words, index, side, is_async),
            VecArg::DsdConst(word) => self.packed_dsd(Dsd(word), words, index, side, is_async),
            VecArg::Mem4d(reg) => Ok(mem4(Mem4Desc::read(&self.data.memory, (self.reg)(reg).low16()), words, index)),
            VecArg::Mem4dAt(addr) => Ok(mem4(Mem4Desc::read(&self.data.memory, addr), words, index)),
            VecArg::Mem4dConst(row) => {
                let words_of = &self.program.descriptors[usize::from(row)];
                Ok(mem4(Mem4Desc::of_words(words_of), words, index))
            }
            VecArg::Fifo(id) => self.fifo(id, side),
            VecArg::Dsr { file, id } => self.dsr(file, id, words, index, side),
            _ => Err(FaultKind::BadOperand("a scalar where a DSD is needed")),
        }
    }

    fn packed_dsd(&mut self, dsd: Dsd, words: u16, index: u16, side: Side, is_async: bool) -> Result<Found, FaultKind> {
        let len = length(dsd);
        let found = match (dsd.class(), side) {
            (DsdClass::Mem1d, _) => {
                let base = if dsd.index_offset() { dsd.addr().wrapping_add(index.wrapping_mul(2)) } else { dsd.addr() };
                let step = dsd.stride().cast_unsigned().wrapping_mul(2 * words);
                Found { cursor: Cursor::Mem(Linear { addr: base, step }), ..none() }
            }
            (DsdClass::Circbuf, _) => circ(dsd, dsd.addr(), words),
            (DsdClass::Fabin, Side::Source) => self.fabin(dsd, words)?,
            (DsdClass::Fabout, Side::Dest) => self.fabout(dsd, words, index, is_async)?,
            (DsdClass::Fabin, Side::Dest) => return Err(FaultKind::BadOperand("a fabin DSD cannot be a destination")),
            (DsdClass::Fabout, Side::Source) => return Err(FaultKind::BadOperand("a fabout DSD cannot be a source")),
        };
        Ok(Found { loads: 1, len: Some(len), ..found })
    }

    fn fabin(&mut self, dsd: Dsd, words: u16) -> Result<Found, FaultKind> {
        let slot = self.input_slot(dsd)?;
        let control_transform = dsd.flags() & fabric_flags::CONTROL_TRANSFORM != 0;
        let cursor = Cursor::In(In { slot, control_transform });
        Ok(Found { cursor, fabric: Some(self.fabric(dsd, words)), ..none() })
    }

    /// The input slot of a fabin. On WSE-2 up to SDK 1.4 the operation binds its color to its queue
    /// (docs/decisions/machine.md M29).
    fn input_slot(&mut self, dsd: Dsd) -> Result<InputSlot, FaultKind> {
        let (arch, queue) = (self.data.chip.arch, dsd.queue());
        if queue.is_some_and(|queue| !self.data.chip.valid_input_queue(queue.into())) {
            return Err(FaultKind::NoQueue { output: false, queue });
        }
        let slot = match (queue, dsd.color()) {
            (Some(queue), Some(color)) if arch == Arch::Wse2 || self.ports.input_slot(queue).is_none() => {
                Some(self.bind_input(queue, color)?)
            }
            (Some(queue), _) => self.ports.input_slot(queue),
            (None, Some(color)) => self.ports.arrival_slot(color),
            (None, None) => None,
        };
        slot.ok_or(FaultKind::NoQueue { output: false, queue })
    }

    fn bind_input(&mut self, queue: QueueId, color: Color) -> Result<InputSlot, FaultKind> {
        self.ports.bind_input(queue, color).map_err(|_| FaultKind::QueueNotEmpty { output: false, queue })
    }

    fn fabout(&mut self, dsd: Dsd, words: u16, index: u16, is_async: bool) -> Result<Found, FaultKind> {
        let missing = FaultKind::NoQueue { output: true, queue: dsd.queue() };
        let queue = match dsd.queue() {
            Some(queue) if self.data.chip.valid_output_queue(queue.into()) => queue,
            None if !is_async => UNQUEUED,
            _ => return Err(missing),
        };
        let slot = match self.ports.output_slot(queue) {
            Some(slot) => slot,
            None => self.ports.bind_output(queue, None).map_err(|_| missing)?,
        };
        let configured = self.ports.outputs[slot].color;
        let color = match self.data.chip.arch {
            Arch::Wse2 => dsd.color().or(configured),
            Arch::Wse3 => configured.or(dsd.color()),
        };
        let color = color.ok_or(missing)?;
        let has = |flag: u16| dsd.flags() & flag != 0;
        let half = self.ports.outputs[slot].dense && words == 1 && !dsd.index_offset();
        let out = Out {
            half,
            slot,
            color,
            control: has(fabric_flags::CONTROL),
            control_transform: has(fabric_flags::CONTROL_TRANSFORM),
            advance_switch: has(fabric_flags::ADVANCE_SWITCH),
            index: dsd.index_offset().then_some(index),
        };
        let fabric = self.fabric(dsd, words);
        let per_wavelet = if half { 1 } else { fabric.per_wavelet };
        let fabric = Fabric { queue: Some(queue), per_wavelet, ..fabric };
        Ok(Found { cursor: Cursor::Out(out), fabric: Some(fabric), ..none() })
    }

    /// The properties of a fabric operand, such as the elements in a wavelet (docs/decisions/machine.md M1). An index
    /// takes the place of a second element; a control wavelet has none.
    fn fabric(&self, dsd: Dsd, words: u16) -> Fabric {
        let flags = dsd.flags();
        let mode = (flags & fabric_flags::SIMD_MASK) >> fabric_flags::SIMD_SHIFT;
        let packs = match mode {
            0 => self.data.packed && flags & fabric_flags::CONTROL == 0 && !dsd.index_offset(),
            1 => false,
            _ => true,
        };
        Fabric { per_wavelet: if packs && words == 1 { 2 } else { 1 }, flags, queue: dsd.queue() }
    }

    fn fifo(&self, id: u8, side: Side) -> Result<Found, FaultKind> {
        let fifo = self.data.fifos.get(usize::from(id)).ok_or(FaultKind::BadOperand("no such FIFO"))?;
        let len = if side == Side::Source { fifo.read_len } else { fifo.write_len };
        Ok(Found { cursor: Cursor::Fifo(id), len: (len != 0).then(|| Length::of(len.into())), ..none() })
    }

    fn dsr(&mut self, file: DsrFile, id: u8, words: u16, index: u16, side: Side) -> Result<Found, FaultKind> {
        let at = self.data.dsrs.find(file, id).ok_or(FaultKind::EmptyDsr { file, id })?;
        let (value, config) = (self.data.dsrs.get(at).value, self.data.dsrs.get(at).config);
        let found = match value {
            Loaded::Packed(dsd) => self.packed_dsd(queue_alone(dsd), words, index, side, config.is_async)?,
            Loaded::Circ { dsd, at } => circ(dsd, at, words),
            Loaded::Mem4(desc) => mem4(desc, words, index),
            Loaded::Fifo(id) => self.fifo(id, side)?,
        };
        Ok(Found { loads: 0, dsr: Some(at), ..found })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Dest,
}

pub(super) fn none() -> Found {
    Found { cursor: Cursor::None, len: None, dsr: None, loads: 0, fabric: None }
}

fn scalar(value: u32) -> Found {
    Found { cursor: Cursor::Scalar(value), ..none() }
}

fn linear(addr: u16) -> Found {
    Found { cursor: Cursor::Mem(Linear { addr, step: 0 }), loads: 1, ..none() }
}

fn mem4(desc: Mem4Desc, words: u16, index: u16) -> Found {
    let mem4 = Mem4::new(desc, words, index);
    Found { len: Some(mem4.len()), cursor: Cursor::Mem4(Box::new(mem4)), loads: 1, ..none() }
}

fn circ(dsd: Dsd, at: u16, words: u16) -> Found {
    let step = 2 * words;
    let bytes = dsd.wraparound().wrapping_mul(step);
    Found {
        cursor: Cursor::Circ(Circ { base: dsd.addr(), addr: at, bytes, step }),
        len: Some(length(dsd)),
        loads: 1,
        ..none()
    }
}

fn length(dsd: Dsd) -> Length {
    if dsd.extent() == ENDLESS_LENGTH { Length::ENDLESS } else { Length::of(dsd.extent().into()) }
}
