//! Builds the body of a function.

use csl_diag::{Code, Span};
use csl_ir::{
    Addr, AddrBase, Block, BlockId, DsdKind, Func, Inst, IterId, Opnd, Reg, Scalar, Site, SlotId, StackSlot, Term, Ty,
    TypeKind,
};

use csl_machine::{QueueDir, QueueId};
use csl_syntax::Symbol;

use crate::context::{Mode, Res, Sema};
use crate::operand::Operand;

#[derive(Debug)]
struct OpenBlock {
    insts: Vec<Inst>,
    spans: Vec<Span>,
    term: Option<(Term, Span)>,
}

/// A function under construction.
#[derive(Debug)]
pub struct FuncBuilder {
    func: Func,
    blocks: Vec<OpenBlock>,
    current: BlockId,
    /// The number of instructions so far.
    emitted: usize,
    /// Variables that are declared without a value: the register, the name, the declaration.
    undefined: Vec<(Reg, Symbol, Span)>,
    /// Asynchronous operations with the microthread of a queue: the block, the queue, the place.
    threads: Vec<(BlockId, QueueDir, QueueId, Span)>,
}

impl FuncBuilder {
    pub fn new(name: String, span: Span, ret: Option<Scalar>, linksection: Option<String>) -> FuncBuilder {
        let func = Func {
            name,
            span,
            params: 0,
            ret,
            regs: Vec::new(),
            slots: Vec::new(),
            iters: 0,
            blocks: Vec::new(),
            counters: Vec::new(),
            inlined: Vec::new(),
            linksection,
        };
        let (blocks, current, undefined) = (Vec::new(), BlockId::new(0), Vec::new());
        let mut builder = FuncBuilder { func, blocks, current, emitted: 0, undefined, threads: Vec::new() };
        builder.new_block();
        builder
    }

    pub fn new_reg(&mut self, ty: Scalar) -> Reg {
        self.func.regs.push(ty);
        Reg::at(self.func.regs.len() - 1)
    }

    /// A register for the next parameter. All parameters come before any other register.
    pub fn new_param(&mut self, ty: Scalar) -> Reg {
        self.func.params += 1;
        self.new_reg(ty)
    }

    /// The value of a register, which exists only in a body.
    pub fn read(&self, reg: Reg) -> Opnd {
        Opnd::Reg(reg)
    }

    pub fn new_slot(&mut self, size: u32, align: u32, name: String) -> SlotId {
        self.func.slots.push(StackSlot { size, align, name });
        SlotId::at(self.func.slots.len() - 1)
    }

    /// Lets a slot begin at a multiple of `align`, or of what its type asks for if that is more.
    pub fn align_slot(&mut self, slot: SlotId, align: u32) {
        let slot = &mut self.func.slots[slot];
        slot.align = slot.align.max(align);
    }

    pub fn new_iter(&mut self) -> IterId {
        self.func.iters += 1;
        IterId::new(self.func.iters - 1)
    }

    /// Notes a variable that is declared without a value.
    pub fn note_undefined(&mut self, reg: Reg, name: Symbol, span: Span) {
        self.undefined.push((reg, name, span));
    }

    /// Notes an asynchronous operation that has the microthread of a queue by default.
    pub fn note_thread(&mut self, dir: QueueDir, queue: QueueId, span: Span) {
        self.threads.push((self.current, dir, queue, span));
    }

    /// Operations of an input and an output queue of one number, of which one may follow the other: the number, and both
    /// places.
    pub fn shared_threads(&self) -> Vec<(QueueId, Span, Span)> {
        let mut found: Vec<(QueueId, Span, Span)> = Vec::new();
        for (at, &(block, dir, queue, span)) in self.threads.iter().enumerate() {
            let mut others = self.threads[at + 1..].iter().filter(|other| other.2 == queue && other.1 != dir);
            let other = others.find(|other| self.leads_to(block, other.0) || self.leads_to(other.0, block));
            if let Some(other) = other.filter(|_| found.iter().all(|known| known.0 != queue)) {
                found.push((queue, span, other.3));
            }
        }
        found
    }

    fn leads_to(&self, from: BlockId, to: BlockId) -> bool {
        let (mut seen, mut open) = (vec![false; self.blocks.len()], vec![from]);
        while let Some(id) = open.pop() {
            if id == to {
                return true;
            }
            if !std::mem::replace(&mut seen[id.index()], true) {
                open.extend(self.blocks[id].term.iter().flat_map(|(term, _)| term.successors()));
            }
        }
        false
    }

    /// The variables without a value that some way through the code reads before it writes them, each with the place of
    /// the read.
    pub fn read_before_written(&self) -> Vec<(Symbol, Span, Span)> {
        let found = self.undefined.iter().filter_map(|&(reg, name, span)| Some((name, span, self.first_read(reg)?)));
        found.collect()
    }

    fn first_read(&self, reg: Reg) -> Option<Span> {
        let (mut seen, mut open) = (vec![false; self.blocks.len()], vec![BlockId::new(0)]);
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let block = &self.blocks[id];
            let mut is_read = false;
            let mut is_written = false;
            for (inst, &span) in block.insts.iter().zip(&block.spans) {
                inst.for_each_use(&mut |used| is_read |= used == reg);
                if is_read {
                    return Some(span);
                }
                is_written |= inst.defs().any(|def| def == reg);
                if is_written {
                    break;
                }
            }
            let Some((term, span)) = block.term.as_ref().filter(|_| !is_written) else { continue };
            if term.operand() == Some(&Opnd::Reg(reg)) {
                return Some(*span);
            }
            open.extend(term.successors());
        }
        None
    }

    /// Marks the register as a loop's counter that never passes the end of its type.
    pub fn note_counter(&mut self, counter: Reg) {
        self.func.counters.push(counter);
    }

    pub fn new_block(&mut self) -> BlockId {
        self.blocks.push(OpenBlock { insts: Vec::new(), spans: Vec::new(), term: None });
        BlockId::at(self.blocks.len() - 1)
    }

    pub fn new_blocks<const N: usize>(&mut self) -> [BlockId; N] {
        [(); N].map(|()| self.new_block())
    }

    /// A block that control never reaches.
    pub fn unreachable_block(&mut self, span: Span) -> BlockId {
        let block = self.new_block();
        self.blocks[block].term = Some((Term::Unreachable, span));
        block
    }

    /// Jumps to a block, and continues there.
    pub fn enter(&mut self, block: BlockId, span: Span) {
        self.terminate(Term::Jump(block), span);
        self.switch_to(block);
    }

    /// Whether the function is far larger than any memory that could hold it.
    pub fn is_huge(&self) -> bool {
        const MOST: usize = 1 << 19;
        self.emitted + self.blocks.len() > MOST
    }

    pub fn current(&self) -> BlockId {
        self.current
    }

    pub fn switch_to(&mut self, block: BlockId) {
        self.current = block;
    }

    /// Appends an instruction to the current block; drops it when the block has ended, because control does not reach
    /// it.
    pub fn emit(&mut self, inst: Inst, span: Span) {
        let block = &mut self.blocks[self.current];
        if block.term.is_none() {
            self.emitted += 1;
            block.insts.push(inst);
            block.spans.push(span);
        }
    }

    /// Ends the current block unless it has ended.
    pub fn terminate(&mut self, term: Term, span: Span) {
        let block = &mut self.blocks[self.current];
        if block.term.is_none() {
            block.term = Some((term, span));
        }
    }

    pub fn is_terminated(&self) -> bool {
        self.blocks[self.current].term.is_some()
    }

    /// Whether some finished block jumps to `block`.
    pub fn is_reached(&self, block: BlockId) -> bool {
        self.blocks.iter().filter_map(|b| b.term.as_ref()).any(|(term, _)| match term {
            Term::Jump(to) => *to == block,
            Term::Branch { then, otherwise, .. } => *then == block || *otherwise == block,
            Term::Switch { cases, default, .. } => *default == block || cases.iter().any(|c| c.1 == block),
            Term::Return(_) | Term::Unreachable => false,
        })
    }

    pub fn finish(mut self) -> Func {
        let end = self.func.span;
        self.func.blocks = self
            .blocks
            .into_iter()
            .map(|block| {
                let (term, term_span) = block.term.unwrap_or((Term::Unreachable, end));
                let sites = block.spans.into_iter().map(Site::from).collect();
                Block { insts: block.insts, sites, term, term_site: term_span.into() }
            })
            .collect();
        self.func
    }
}

impl Sema<'_> {
    /// The body under construction. A comptime frame has none: an expression that needs one there is not
    /// comptime-known.
    pub fn code(&mut self, span: Span) -> Res<&mut FuncBuilder> {
        match self.frame.mode {
            Mode::Runtime(ref mut code) => Ok(code),
            Mode::Comptime { .. } => Err(self.not_comptime(span)),
        }
    }

    /// The body under construction, for constructs that exist in run-time code only; elsewhere they are refused with
    /// `message`.
    pub fn code_or(&mut self, span: Span, message: &str) -> Res<&mut FuncBuilder> {
        match self.frame.mode {
            Mode::Runtime(ref mut code) => Ok(code),
            Mode::Comptime { .. } => Err(self.error(Code::RuntimeOnly, span, message)),
        }
    }

    /// The body under construction; `None` where code runs at once.
    pub fn runtime(&mut self) -> Option<&mut FuncBuilder> {
        match &mut self.frame.mode {
            Mode::Runtime(code) => Some(code),
            Mode::Comptime { .. } => None,
        }
    }

    pub fn emit(&mut self, inst: Inst, span: Span) -> Res<()> {
        self.code(span)?.emit(inst, span);
        Ok(())
    }

    /// Stack memory for a value of a type that has a size.
    pub fn new_slot(&mut self, ty: Ty, name: &str, span: Span) -> Res<SlotId> {
        let size = csl_ir::size_of(&self.types, ty).unwrap_or(0);
        let align = csl_ir::align_of(&self.types, ty);
        Ok(self.code(span)?.new_slot(size, align, name.to_string()))
    }

    /// The kind of register for a value of the type at run time; `None` for aggregates and comptime-only types.
    pub fn scalar(&self, ty: Ty) -> Option<Scalar> {
        match self.types.kind(ty) {
            TypeKind::Bool => Some(Scalar::BOOL),
            TypeKind::Int { signed, bits } if (1..=64).contains(bits) => {
                Some(Scalar::Int { signed: *signed, bits: *bits as u8 })
            }
            TypeKind::Float(csl_num::FloatKind::F32) => Some(Scalar::F32),
            TypeKind::Float(kind) if *kind == self.options.fp16 => Some(Scalar::Half),
            TypeKind::Id(_) | TypeKind::Ptr { .. } => Some(Scalar::U16),
            TypeKind::Enum { base, .. } => self.scalar(*base),
            TypeKind::Dsd(DsdKind::Mem4d | DsdKind::Fifo) => None,
            TypeKind::Dsd(_) => Some(Scalar::Dsd),
            _ => None,
        }
    }

    /// Loads a scalar into a new register.
    pub fn emit_load(&mut self, scalar: Scalar, addr: Addr, span: Span) -> Res<Opnd> {
        let dst = self.code(span)?.new_reg(scalar);
        self.emit(Inst::Load { ty: scalar, dst, addr, keeps: false }, span)?;
        Ok(Opnd::Reg(dst))
    }

    /// The address as a number in a register.
    pub fn emit_lea(&mut self, addr: Addr, span: Span) -> Res<Opnd> {
        Ok(match addr {
            Addr { base: AddrBase::Global(id), offset } => Opnd::Global(id, offset),
            Addr { base: AddrBase::Reg(reg), offset: 0 } => Opnd::Reg(reg),
            Addr { base: AddrBase::Absolute, offset } => Opnd::Imm(u64::from(offset as u16)),
            addr => {
                let dst = self.code(span)?.new_reg(Scalar::PTR);
                self.emit(Inst::Lea { dst, addr }, span)?;
                Opnd::Reg(dst)
            }
        })
    }

    /// The address that a pointer operand holds.
    pub fn addr_from(&mut self, pointer: Opnd, span: Span) -> Res<Addr> {
        Ok(match pointer {
            Opnd::Reg(reg) => Addr { base: AddrBase::Reg(reg), offset: 0 },
            Opnd::Global(id, offset) => Addr { base: AddrBase::Global(id), offset },
            Opnd::Imm(address) => Addr { base: AddrBase::Absolute, offset: address as i32 },
            other => {
                let dst = self.code(span)?.new_reg(Scalar::PTR);
                self.emit(Inst::Copy { dst, src: other }, span)?;
                Addr { base: AddrBase::Reg(dst), offset: 0 }
            }
        })
    }

    /// A copy of a register operand that later assignments to its variable do not change.
    pub fn pin(&mut self, operand: Operand, span: Span) -> Res<Operand> {
        Ok(match operand {
            Operand::Reg(ty, Opnd::Reg(reg)) => match self.scalar(ty) {
                Some(scalar) => {
                    let code = self.code(span)?;
                    let dst = code.new_reg(scalar);
                    code.emit(Inst::Copy { dst, src: Opnd::Reg(reg) }, span);
                    Operand::Reg(ty, Opnd::Reg(dst))
                }
                None => Operand::Reg(ty, Opnd::Reg(reg)),
            },
            Operand::Agg(ty, parts) => {
                Operand::Agg(ty, parts.into_iter().map(|part| self.pin(part, span)).collect::<Res<_>>()?)
            }
            other => other,
        })
    }

    /// [`Sema::pin`] for values that outlive their expression: parts in memory are copied too.
    pub fn pin_deep(&mut self, operand: Operand, span: Span) -> Res<Operand> {
        match operand {
            Operand::Agg(ty, parts) => {
                let parts = parts.into_iter().map(|p| self.pin_deep(p, span)).collect::<Res<_>>()?;
                Ok(Operand::Agg(ty, parts))
            }
            Operand::Mem(ty, _) => {
                let place = self.temporary(ty, "", span)?;
                self.store(&place, operand, span)?;
                self.load(place, span)
            }
            other => self.pin(other, span),
        }
    }
}
