//! Turns a row of the image's table of vector operations into an operation that runs.

use csl_isa::dsd::fabric_flags;
use csl_isa::vec::{VecArg, VecDesc};
use csl_machine::{Action, Elem, Priority, QueueDir, SimdMode, VecOp};
use csl_num::LowBits;

use super::config::Config;
use super::cursor::{Cursor, Operand};
use super::length::Length;
use super::operands::{Fabric, Found, Setup, none};
use super::operation::{Message, Needs, Operation};
use super::timing;
use crate::fault::FaultKind;

/// An operation that is about to start, and the cost of its start.
pub(crate) struct Started {
    pub run: Operation,
    /// The number of DSRs that are loaded for it.
    pub loads: u32,
    /// Further cycles before the first issue, for scalar operands.
    pub extra: u32,
}

/// The number of elements of an issue with a FIFO.
#[derive(Clone, Copy)]
struct FifoSimd {
    most: u8,
    least: u8,
}

/// The SIMD mode of a FIFO, as for fabric operands, with 32 bits of the FIFO for a wavelet: `simd_64` waits for two,
/// `simd_32_or_64` takes one too.
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

impl Setup<'_> {
    pub fn start(&mut self, desc: &VecDesc) -> Result<Started, FaultKind> {
        let op = *VecOp::ALL.get(usize::from(desc.op)).ok_or(FaultKind::BadCode("no such vector operation"))?;
        let config = Config::resolve(&desc.config, self.reg);
        let swapped = is_swapped(op, &desc.srcs);
        let found = self.resolve(desc, op, &config, swapped)?;
        // A scalar that was computed or loaded is in its register already.
        let constants = desc.srcs.iter().filter(|arg| matches!(arg, VecArg::ScalarConst { .. })).count() as u32;
        self.assemble(op, config, found, swapped, constants)
    }

    /// The lengths of the operands, the sources before the destination.
    pub fn lengths(&mut self, desc: &VecDesc, op: VecOp) -> Result<[Option<Length>; 4], FaultKind> {
        let config = Config::resolve(&desc.config, self.reg);
        let found = self.resolve(desc, op, &config, is_swapped(op, &desc.srcs))?;
        Ok([1, 2, 3, 0].map(|i| found[i].len))
    }

    /// The operands: the destination, then the sources in the order of the operation.
    #[inline(always)]
    fn resolve(&mut self, desc: &VecDesc, op: VecOp, config: &Config, swapped: bool) -> Result<[Found; 4], FaultKind> {
        let mut found = [none(), none(), none(), none()];
        for (i, arg) in desc.srcs.iter().take(3).enumerate() {
            let at = if swapped { 1 - i } else { i };
            found[at + 1] = self.source(arg, op.sources()[at].words(), config.index)?;
        }
        if op != VecOp::Dfilt {
            found[0] = self.dest(&desc.dest, op.dest().words(), config)?;
        }
        Ok(found)
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
        let cursors = [&found[1].cursor, &found[2].cursor, &found[3].cursor];
        let sources = &cursors[..elems.len()];
        let mut rate = timing::rate(self.data.chip, op, &found[0].cursor, sources, per_wavelet);
        rate.group = rate.group.min(fifo.most);
        let row = timing::row(op, rate, sources);
        let len = length_of([1, 2, 3, 0].map(|i| found[i].len));
        let effective = self.effective_config(config, &found);
        let (accumulate, message) = (accumulator(&found), self.message(&found));
        let loads = found.iter().map(|f| u32::from(f.loads)).sum();
        let words = |i: usize| elems.get(i).map_or(1, |elem| elem.words());
        let operand = |f: Found, words: u16| Operand { cursor: f.cursor, words: words.low8(), dsr: f.dsr };
        let [dest, a, b, c] = found;
        let to = dest.fabric;
        let mut run = Operation {
            sources: 0,
            op,
            dest: operand(dest, op.dest().words()),
            srcs: [operand(a, words(0)), operand(b, words(1)), operand(c, words(2))],
            left: len,
            rate,
            row,
            carry: self.data.carry_of(op),
            accumulate,
            config: effective,
            zero: None,
            is_fabric: per_wavelet.is_some(),
            message,
            fifo_least: fifo.least,
            result: true,
            needs: Needs::default(),
        }
        .settled();
        run.zero = zeroed(&run, to, swapped);
        Ok(Started { run, loads, extra: constants * self.data.chip.timing.scalar_operand + u32::from(rate.lead) })
    }

    /// The limits that the `.simd_mode` of FIFOs (WSE-2) puts on an issue: the greatest and the least number of
    /// elements.
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
            (true, _) => Message::Header(self.data.message_header),
            (_, true) => Message::Awaited,
            _ => Message::No,
        }
    }

    /// The operand of a `@map` iterator and its length: resolved as a source, or else as a destination.
    pub fn iterator(&mut self, arg: &VecArg, words: u16) -> Result<(Operand, Length), FaultKind> {
        let config = Config::default();
        let found = match self.source(arg, words, 0) {
            Err(FaultKind::BadOperand(_)) => self.dest(arg, words, &config)?,
            found => found?,
        };
        let operand = Operand { cursor: found.cursor, words: words.low8(), dsr: found.dsr };
        Ok((operand, length_of([found.len])))
    }

    /// The configuration that holds: that of the first DSR that is asynchronous or has actions, before the operation's
    /// own.
    fn effective_config(&self, config: Config, found: &[Found; 4]) -> Config {
        let mut effective = config;
        for dsr in found.iter().filter_map(|f| f.dsr).map(|at| self.data.dsrs.get(at).config) {
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
        let queue = found.fabric?.queue?;
        let dir = if is_dest { QueueDir::Out } else { QueueDir::In };
        self.program.queues.iter().find(|q| q.dir == dir && q.id == queue)?.priority
    }
}

/// The length of an operation: the first that is not 0 among those of its operands; 0 if every operand has length 0,
/// and 1 if no operand has a length, as with scalars alone.
fn length_of<const N: usize>(lengths: [Option<Length>; N]) -> Length {
    let known = lengths.into_iter().flatten();
    known.clone().find(|len| !len.is_zero()).unwrap_or(if known.count() == 0 { Length::ONE } else { Length::ZERO })
}

fn flag_priority(flags: u16) -> Option<Priority> {
    match (flags & fabric_flags::PRIORITY_MASK) >> fabric_flags::PRIORITY_SHIFT {
        1 => Some(Priority::Low),
        2 => Some(Priority::Medium),
        3 => Some(Priority::High),
        _ => None,
    }
}

/// Whether the second source of `@faddhs` is the 16-bit one, which the operation has first. The width of a scalar
/// decides; for two DSDs the guide is silent (taken: the first).
fn is_swapped(op: VecOp, srcs: &[VecArg]) -> bool {
    let scalar_bits = |i: usize| match srcs.get(i) {
        Some(VecArg::Scalar { bits, .. } | VecArg::ScalarConst { bits, .. }) => Some(*bits),
        _ => None,
    };
    op == VecOp::Faddhs && (scalar_bits(0) == Some(32) || scalar_bits(1) == Some(16))
}

/// The source that accumulates: `(pointer, scalar, dsd)` forms reduce, and the scalar is the first value of an
/// accumulator that ends in the destination (25-pt-stencil's `@fmaxs(&max, max, dsd)`).
fn accumulator(found: &[Found; 4]) -> Option<u8> {
    let is_scalar = |i: &usize| matches!(found[*i].cursor, Cursor::Scalar(_));
    let reduces = matches!(found[0].cursor, Cursor::Ptr { .. }) && !matches!(found[2].cursor, Cursor::None);
    [1, 2].into_iter().find(is_scalar).filter(|_| reduces).map(|i| i.low8() - 1)
}

/// The source that `.zero` clears when the operation completes, in its state at the start. A single source is the
/// "second".
fn zeroed(run: &Operation, fabric: Option<Fabric>, swapped: bool) -> Option<Box<(Operand, Length)>> {
    let flags = fabric?.flags;
    let one_source = matches!(run.srcs[1].cursor, Cursor::None);
    let at = match (flags & fabric_flags::ZERO_FIRST != 0, flags & fabric_flags::ZERO_SECOND != 0) {
        (true, _) => 0,
        (_, true) => usize::from(!one_source),
        _ => return None,
    };
    let source = &run.srcs[if swapped { 1 - at } else { at }];
    source.cursor.is_memory().then(|| Box::new((source.clone(), run.left)))
}
