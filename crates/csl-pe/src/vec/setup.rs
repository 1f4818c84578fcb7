//! From a row of the image's table of vector operations to an operation that runs.

use csl_image::PeImage;
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{VecArg, VecDesc};
use csl_machine::{Action, Arch, Chip, DsrFile, ENDLESS_LENGTH, Elem, Priority, QueueDir, SimdMode, VecOp};
use csl_num::LowBits;

use super::config::Config;
use super::cursor::{Circ, Cursor, In, Linear, Mem4, Mem4Desc, Out};
use super::dsr::{Dsrs, Loaded};
use super::run::{Message, NO_DSR, Needs, Operand, VecRun};
use super::timing;
use crate::fault::FaultKind;
use crate::fifo::FifoState;
use crate::memory::Memory;
use crate::ports::{NONE, Ports, UNQUEUED};

/// What stands around an operation when it starts.
pub(crate) struct Setup<'a> {
    pub chip: &'static Chip,
    pub program: &'a PeImage,
    /// Whether 16-bit operands on the fabric travel two in a wavelet unless they say otherwise (SDK 2 on).
    pub packed: bool,
    /// The header of a message that is sent.
    pub message_header: u32,
    pub memory: &'a Memory,
    pub ports: &'a mut Ports,
    pub fifos: &'a [FifoState],
    pub dsrs: &'a Dsrs,
    pub reg: &'a dyn Fn(u16) -> u64,
}

/// An operation about to start and what its start costs.
pub(crate) struct Started {
    pub run: VecRun,
    /// DSRs that are loaded for it.
    pub loads: u32,
    /// Further cycles before the first issue: scalar operands.
    pub extra: u32,
}

/// An operand while it is being looked at.
struct Found {
    cursor: Cursor,
    /// `None` for operands without one: scalars, and FIFOs whose length nobody has set.
    len: Option<u32>,
    dsr: u8,
    loads: u32,
    /// Where it is on the fabric: elements in a wavelet, flags, queue.
    fabric: Option<Fabric>,
    config: Option<Config>,
}

#[derive(Clone, Copy)]
struct Fabric {
    per_wavelet: u8,
    flags: u16,
    queue: u8,
}

/// Elements of an issue.
#[derive(Clone, Copy)]
struct FifoSimd {
    most: u8,
    least: u8,
}

/// As for fabric operands, with 32 bits of the FIFO for a wavelet: `simd_64` waits for two, `simd_32_or_64` takes one, too.
fn fifo_simd(mode: SimdMode, words: u8) -> FifoSimd {
    let elements = |of: u8| (of / words).max(1);
    match mode {
        SimdMode::Off => FifoSimd { most: 1, least: 1 },
        SimdMode::Simd32 => FifoSimd { most: elements(2), least: elements(2) },
        SimdMode::Simd64 => FifoSimd { most: elements(4), least: elements(4) },
        SimdMode::Simd32Or64 => FifoSimd { most: elements(4), least: elements(2) },
        SimdMode::SimdMax => FifoSimd { most: u8::MAX, least: 0 },
    }
}

const ENDLESS: u32 = u32::MAX;

impl Setup<'_> {
    pub fn start(&mut self, desc: &VecDesc) -> Result<Started, FaultKind> {
        let op = *VecOp::ALL.get(usize::from(desc.op)).ok_or(FaultKind::BadCode("no such vector operation"))?;
        let config = Config::resolve(&desc.config, self.reg);
        let mut found = [none(), none(), none(), none()];
        let swapped = is_swapped(op, &desc.srcs);
        for (i, arg) in desc.srcs.iter().take(3).enumerate() {
            let at = if swapped { 1 - i } else { i };
            found[at + 1] = self.source(arg, op.sources()[at].words(), config.index)?;
        }
        if op != VecOp::Dfilt {
            found[0] = self.dest(&desc.dest, op.dest().words(), &config)?;
        }
        // One that has been computed or loaded is in its register already.
        let constants = desc.srcs.iter().filter(|arg| matches!(arg, VecArg::ScalarConst { .. })).count() as u32;
        self.assemble(op, config, found, swapped, constants)
    }

    fn assemble(
        &mut self,
        op: VecOp,
        config: Config,
        found: [Found; 4],
        swapped: bool,
        constants: u32,
    ) -> Result<Started, FaultKind> {
        let elems = op.sources();
        let fifo = self.fifo_simd(&found, elems, op.dest());
        let per_wavelet = found.iter().filter_map(|f| f.fabric.map(|fabric| fabric.per_wavelet.min(fifo.most))).min();
        let cursors: [Cursor; 3] = [found[1].cursor, found[2].cursor, found[3].cursor];
        let mut rate = timing::rate(self.chip, op, &found[0].cursor, &cursors[..elems.len()], per_wavelet);
        rate.group = rate.group.min(fifo.most);
        let len = length_of([1, 2, 3, 0].map(|i| found[i].len));
        let effective = self.effective_config(config, &found);
        let operand =
            |i: usize, words: u16| Operand { cursor: found[i].cursor, words: words.low8(), dsr: found[i].dsr };
        let mut run = VecRun {
            op,
            dest: operand(0, op.dest().words()),
            srcs: [1, 2, 3].map(|i| operand(i, elems.get(i - 1).map_or(1, |elem| elem.words()))),
            left: len,
            rate,
            row: timing::row(op, rate, &cursors[..elems.len()]),
            carry: 0,
            accumulate: accumulator(&found),
            config: effective,
            zero: None,
            is_fabric: per_wavelet.is_some(),
            message: self.message(&found),
            fifo_least: fifo.least,
            result: true,
            needs: Needs::default(),
        }
        .settled();
        run.zero = zeroed(&run, found[0].fabric, swapped);
        let loads = found.iter().map(|f| f.loads).sum();
        Ok(Started { run, loads, extra: constants * self.chip.timing.scalar_operand + u32::from(rate.lead) })
    }

    /// What the `.simd_mode` of FIFOs (WSE-2) leaves of an issue: how many elements at most, and at least.
    fn fifo_simd(&self, found: &[Found; 4], elems: &[Elem], dest: Elem) -> FifoSimd {
        let words = std::iter::once(dest).chain(elems.iter().copied()).map(|elem| elem.words().low8());
        let of = |(f, words): (&Found, u8)| match f.cursor {
            Cursor::Fifo(id) => self.program.fifos.get(usize::from(id))?.config.simd.map(|mode| fifo_simd(mode, words)),
            _ => None,
        };
        let all = found.iter().zip(words).filter_map(of);
        all.fold(FifoSimd { most: u8::MAX, least: 0 }, |a, b| FifoSimd {
            most: a.most.min(b.most),
            least: a.least.max(b.least),
        })
    }

    fn message(&self, found: &[Found; 4]) -> Message {
        let has = |f: &Found| f.fabric.is_some_and(|fabric| fabric.flags & fabric_flags::MESSAGE != 0);
        match (has(&found[0]), found[1..].iter().any(has)) {
            (true, _) => Message::Header(self.message_header),
            (_, true) => Message::Awaited,
            _ => Message::No,
        }
    }

    /// The operand of a `@map` iterator and its length: as a source, or else as a destination.
    pub fn iterator(&mut self, arg: &VecArg, words: u16) -> Result<(Operand, u32), FaultKind> {
        let config = Config::default();
        let found = match self.source(arg, words, 0) {
            Err(FaultKind::BadOperand(_)) => self.dest(arg, words, &config)?,
            found => found?,
        };
        let operand = Operand { cursor: found.cursor, words: words.low8(), dsr: found.dsr };
        Ok((operand, length_of([found.len])))
    }

    /// The first DSR that is asynchronous or has actions counts before the operation's own configuration.
    fn effective_config(&self, config: Config, found: &[Found; 4]) -> Config {
        let mut effective = config;
        for dsr in found.iter().filter_map(|f| f.config) {
            effective.is_async |= dsr.is_async;
            effective.on_control = effective.on_control.or(dsr.on_control);
            if effective.completion == Action::Nothing {
                effective.completion = dsr.completion;
            }
            effective.priority = effective.priority.or(dsr.priority);
        }
        let of_dsd = found.iter().filter_map(|f| f.fabric).find_map(|fabric| flag_priority(fabric.flags));
        let of_queue = || found.iter().enumerate().find_map(|(i, f)| self.resource_priority(i == 0, f));
        effective.priority = effective.priority.or(of_dsd).or_else(of_queue);
        effective.is_async &= found.iter().any(|f| f.fabric.is_some());
        effective
    }

    /// The priority that a queue or FIFO was set up with (WSE-3).
    fn resource_priority(&self, is_dest: bool, found: &Found) -> Option<Priority> {
        if let Cursor::Fifo(id) = found.cursor {
            return self.program.fifos.get(usize::from(id))?.config.priority;
        }
        let queue = found.fabric?.queue;
        let dir = if is_dest { QueueDir::Out } else { QueueDir::In };
        self.program.queues.iter().find(|q| q.dir == dir && q.id == queue)?.priority
    }

    fn source(&mut self, arg: &VecArg, words: u16, index: u16) -> Result<Found, FaultKind> {
        let mask = if words == 1 { 0xffff } else { u32::MAX };
        match *arg {
            VecArg::Scalar { reg, .. } => Ok(scalar((self.reg)(reg) as u32 & mask)),
            VecArg::ScalarConst { value, .. } => Ok(scalar(value & mask)),
            VecArg::Ptr(reg) => Ok(linear((self.reg)(reg).low16())),
            VecArg::PtrAt(addr) => Ok(linear(addr)),
            ref other => self.dsd(other, words, index, Side::Source, false),
        }
    }

    fn dest(&mut self, arg: &VecArg, words: u16, config: &Config) -> Result<Found, FaultKind> {
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
            VecArg::Mem4d(reg) => Ok(mem4(Mem4Desc::read(self.memory, (self.reg)(reg).low16()), words, index)),
            VecArg::Mem4dAt(addr) => Ok(mem4(Mem4Desc::read(self.memory, addr), words, index)),
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
                let step = (dsd.stride().low16()).wrapping_mul(2 * words);
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
        let cursor = Cursor::In(In { slot: slot.low8(), control_transform });
        Ok(Found { cursor, fabric: Some(self.fabric(dsd, words)), ..none() })
    }

    /// WSE-2 up to SDK 1.4: the operation binds its color to its queue (docs/decisions/machine.md M29).
    fn input_slot(&mut self, dsd: Dsd) -> Result<usize, FaultKind> {
        let (queue, color) = (dsd.queue(), dsd.color());
        if queue != NONE && !self.chip.valid_input_queue(u32::from(queue)) {
            return Err(FaultKind::NoQueue { output: false, queue });
        }
        let slot = match (self.chip.arch, queue != NONE, color != NONE) {
            (Arch::Wse2, true, true) => Some(self.bind_input(queue, color)?),
            (Arch::Wse3, true, true) if self.ports.input_slot(queue).is_none() => Some(self.bind_input(queue, color)?),
            (_, true, _) => self.ports.input_slot(queue),
            (_, false, _) => self.ports.landing_slot(color),
        };
        slot.ok_or(FaultKind::NoQueue { output: false, queue })
    }

    fn bind_input(&mut self, queue: u8, color: u8) -> Result<usize, FaultKind> {
        self.ports.bind_input(queue, color).map_err(|_| FaultKind::QueueNotEmpty { output: false, queue })
    }

    fn fabout(&mut self, dsd: Dsd, words: u16, index: u16, is_async: bool) -> Result<Found, FaultKind> {
        let queue = dsd.queue();
        let missing = FaultKind::NoQueue { output: true, queue };
        let valid = self.chip.valid_output_queue(u32::from(queue));
        if (queue == NONE && is_async) || (queue != NONE && !valid) {
            return Err(missing);
        }
        let queue = if queue == NONE { UNQUEUED } else { queue };
        let slot = match self.ports.output_slot(queue) {
            Some(slot) => slot,
            None => self.ports.bind_output(queue, NONE).map_err(|_| missing)?,
        };
        let configured = self.ports.outputs[slot].color;
        let color = match self.chip.arch {
            Arch::Wse2 if dsd.color() != NONE => dsd.color(),
            Arch::Wse3 if configured == NONE => dsd.color(),
            _ => configured,
        };
        if color == NONE {
            return Err(missing);
        }
        let has = |flag: u16| dsd.flags() & flag != 0;
        let half = self.ports.outputs[slot].dense && words == 1 && !dsd.index_offset();
        let out = Out {
            half,
            slot: slot.low8(),
            color,
            control: has(fabric_flags::CONTROL),
            control_transform: has(fabric_flags::CONTROL_TRANSFORM),
            advance_switch: has(fabric_flags::ADVANCE_SWITCH),
            index: dsd.index_offset().then_some(index),
        };
        let fabric = self.fabric(dsd, words);
        let per_wavelet = if half { 1 } else { fabric.per_wavelet };
        let fabric = Fabric { queue, per_wavelet, ..fabric };
        Ok(Found { cursor: Cursor::Out(out), fabric: Some(fabric), ..none() })
    }

    /// Elements in a wavelet (docs/decisions/machine.md M1). An index takes the place of a second element; a control
    /// wavelet has none.
    fn fabric(&self, dsd: Dsd, words: u16) -> Fabric {
        let flags = dsd.flags();
        let mode = (flags & fabric_flags::SIMD_MASK) >> fabric_flags::SIMD_SHIFT;
        let packs = match mode {
            0 => self.packed && flags & fabric_flags::CONTROL == 0 && !dsd.index_offset(),
            1 => false,
            _ => true,
        };
        Fabric { per_wavelet: if packs && words == 1 { 2 } else { 1 }, flags, queue: dsd.queue() }
    }

    fn fifo(&self, id: u8, side: Side) -> Result<Found, FaultKind> {
        let fifo = self.fifos.get(usize::from(id)).ok_or(FaultKind::BadOperand("no such FIFO"))?;
        let len = if side == Side::Source { fifo.read_len } else { fifo.write_len };
        Ok(Found { cursor: Cursor::Fifo(id), len: Some(len.into()).filter(|&len| len != 0), ..none() })
    }

    fn dsr(&mut self, file: DsrFile, id: u8, words: u16, index: u16, side: Side) -> Result<Found, FaultKind> {
        let at = self.dsrs.find(file, id).ok_or(FaultKind::EmptyDsr { file, id })?;
        let (value, config) = (self.dsrs.get(at).value, self.dsrs.get(at).config);
        let found = match value {
            Loaded::Packed(dsd) => self.packed_dsd(queue_alone(dsd), words, index, side, config.is_async)?,
            Loaded::Circ { dsd, at } => circ(dsd, at, words),
            Loaded::Mem4(desc) => mem4(desc, words, index),
            Loaded::Fifo(id) => self.fifo(id, side)?,
        };
        Ok(Found { loads: 0, dsr: at.low8(), config: Some(config), ..found })
    }
}

/// A fabin in an explicit DSR reads from the color of its queue and binds none (docs/decisions/machine.md M29).
pub(crate) fn queue_alone(dsd: Dsd) -> Dsd {
    if dsd.class() != DsdClass::Fabin || dsd.queue() == NONE {
        return dsd;
    }
    Dsd::fabric(DsdClass::Fabin, NONE, dsd.queue(), dsd.extent(), dsd.flags(), dsd.index_offset())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Dest,
}

fn none() -> Found {
    Found { cursor: Cursor::None, len: None, dsr: NO_DSR, loads: 0, fabric: None, config: None }
}

fn scalar(value: u32) -> Found {
    Found { cursor: Cursor::Scalar(value), ..none() }
}

fn linear(addr: u16) -> Found {
    Found { cursor: Cursor::Mem(Linear { addr, step: 0 }), loads: 1, ..none() }
}

fn mem4(desc: Mem4Desc, words: u16, index: u16) -> Found {
    let mem4 = Mem4::new(desc, words, index);
    Found { cursor: Cursor::Mem4(mem4), len: Some(mem4.len()), loads: 1, ..none() }
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

/// The length of an operation: the first that is not 0 among those of its operands. 0 where every operand has length 0,
/// and 1 where no operand has a length, as with scalars alone.
fn length_of<const N: usize>(lengths: [Option<u32>; N]) -> u32 {
    let known = lengths.into_iter().flatten();
    known.clone().find(|&len| len != 0).unwrap_or(if known.count() == 0 { 1 } else { 0 })
}

fn length(dsd: Dsd) -> u32 {
    if dsd.extent() == ENDLESS_LENGTH { ENDLESS } else { u32::from(dsd.extent()) }
}

fn flag_priority(flags: u16) -> Option<Priority> {
    match (flags & fabric_flags::PRIORITY_MASK) >> fabric_flags::PRIORITY_SHIFT {
        1 => Some(Priority::Low),
        2 => Some(Priority::Medium),
        3 => Some(Priority::High),
        _ => None,
    }
}

/// Whether the second source of `@faddhs` is the 16-bit one, which the operation has first. A scalar decides it by its
/// width; of two DSDs the guide does not say which (taken: the first).
fn is_swapped(op: VecOp, srcs: &[VecArg]) -> bool {
    let scalar_bits = |i: usize| match srcs.get(i) {
        Some(VecArg::Scalar { bits, .. } | VecArg::ScalarConst { bits, .. }) => Some(*bits),
        _ => None,
    };
    op == VecOp::Faddhs && (scalar_bits(0) == Some(32) || scalar_bits(1) == Some(16))
}

/// `(pointer, scalar, dsd)` forms reduce: the scalar is the first value of an accumulator that ends in the destination
/// (25-pt-stencil's `@fmaxs(&max, max, dsd)`).
fn accumulator(found: &[Found; 4]) -> Option<u8> {
    let is_scalar = |i: &usize| matches!(found[*i].cursor, Cursor::Scalar(_));
    let reduces = matches!(found[0].cursor, Cursor::Ptr { .. }) && !matches!(found[2].cursor, Cursor::None);
    [1, 2].into_iter().find(is_scalar).filter(|_| reduces).map(|i| i.low8() - 1)
}

/// The source that `.zero` clears when the operation completes, as it stands at the start. With one source it is the
/// "second".
fn zeroed(run: &VecRun, fabric: Option<Fabric>, swapped: bool) -> Option<(Cursor, u8, u32)> {
    let flags = fabric?.flags;
    let one_source = matches!(run.srcs[1].cursor, Cursor::None);
    let at = match (flags & fabric_flags::ZERO_FIRST != 0, flags & fabric_flags::ZERO_SECOND != 0) {
        (true, _) => 0,
        (_, true) => usize::from(!one_source),
        _ => return None,
    };
    let source = run.srcs[if swapped { 1 - at } else { at }];
    source.cursor.is_memory().then_some((source.cursor, source.words, run.left))
}
