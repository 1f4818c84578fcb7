//! The state that the functions of one program share while code is generated: addresses, and the tables that
//! instructions name.

use csl_ir::{
    DsdKind, DsdValue, GlobalId, Opnd, Pointer, Program, PtrRoot, TileConst, Ty, TypeKind, Types, ZeroSource,
};
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags, mem4d};
use csl_isa::vec::{IterDsd, RegOrImm, VecArg, VecDesc};
use csl_machine::{DsrLoad, SimdMode};
use csl_num::LowBits;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// One program under translation.
#[derive(Debug)]
pub struct Context<'a> {
    pub program: &'a Program,
    /// Byte address of each global.
    pub addrs: Vec<u16>,
    /// The alignment in bytes of each function's part of the stack.
    pub stack_align: u32,
    pub vecs: Vec<VecDesc>,
    pub dsr_loads: Vec<DsrLoad<VecArg, RegOrImm>>,
    pub iters: Vec<IterDsd>,
    pub pool: IndexSet<u64, FxBuildHasher>,
    pub descriptors: IndexSet<[u16; 10], FxBuildHasher>,
}

impl<'a> Context<'a> {
    pub fn new(program: &'a Program, addrs: Vec<u16>) -> Context<'a> {
        let (vecs, dsr_loads, iters) = (Vec::new(), Vec::new(), Vec::new());
        Context {
            program,
            addrs,
            stack_align: program.stack_align(),
            vecs,
            dsr_loads,
            iters,
            pool: IndexSet::default(),
            descriptors: IndexSet::default(),
        }
    }

    pub fn global(&self, id: GlobalId, offset: i32) -> u16 {
        self.addrs[id].wrapping_add(offset.low16())
    }

    pub fn pool_index(&mut self, value: u64) -> u16 {
        self.pool.insert_full(value).0.low16()
    }

    /// The index of a tile's constant among those of the program.
    pub fn tile_const(&self, number: TileConst) -> u16 {
        let index = self.program.tile_consts.get_index_of(&number);
        index.expect("the validator looks for a program's constants").low16()
    }

    /// The value of an operand, if it is no register.
    pub fn constant(&self, operand: &Opnd) -> Option<u64> {
        Some(match operand {
            Opnd::Reg(_) | Opnd::Tile(_) => return None,
            Opnd::Imm(value) => *value,
            Opnd::Global(id, offset) => u64::from(self.global(*id, *offset)),
            Opnd::Func(id) => u64::from(csl_isa::fn_address(id.number())),
            Opnd::Dsd(desc) => self.pack(desc),
        })
    }

    /// The row of a mem4d descriptor that takes no memory.
    pub fn descriptor_index(&mut self, desc: &DsdValue) -> u16 {
        let words = self.mem4d_words(desc);
        self.descriptors.insert_full(words).0.low16()
    }

    /// The byte address of a constant pointer.
    pub fn pointer(&self, pointer: &Pointer) -> u16 {
        let offset = path_offset(&self.program.types, pointer.root_ty, &pointer.path).low16();
        match pointer.root {
            PtrRoot::Global(global) => self.addrs[global].wrapping_add(offset),
            PtrRoot::Absolute(addr) => addr.wrapping_add(offset),
            PtrRoot::Fn(function) => csl_isa::fn_address(function.number()),
            PtrRoot::Cell(_) => unreachable!("the validator refuses pointers to comptime memory"),
        }
    }

    /// The byte address at which a memory DSD starts.
    pub fn dsd_addr(&self, desc: &DsdValue) -> u16 {
        let base = desc.base.as_ref().map_or(0, |pointer| self.pointer(pointer));
        base.wrapping_add((desc.offset * i32::from(desc.elem_words) * 2).low16())
    }

    /// The bytes of a DSD in memory: 8, or the 20 of a mem4d descriptor.
    pub fn descriptor(&self, desc: &DsdValue) -> Vec<u8> {
        if desc.kind != DsdKind::Mem4d {
            return self.pack(desc).to_le_bytes().to_vec();
        }
        self.mem4d_words(desc).into_iter().flat_map(u16::to_le_bytes).collect()
    }

    fn mem4d_words(&self, desc: &DsdValue) -> [u16; 10] {
        let flag = if desc.wavelet_index_offset { mem4d::INDEX_OFFSET } else { 0 };
        let extent = |at: usize| desc.extents.get(at).copied().unwrap_or(0);
        let stride = |at: usize| desc.strides.get(at).copied().unwrap_or(0).low16();
        std::array::from_fn(|at| match at {
            0 => self.dsd_addr(desc),
            1 => desc.extents.len().low16() | flag,
            2..6 => extent(at - 2),
            _ => stride(at - 6),
        })
    }

    /// The packed word of a DSD that fits into one.
    pub fn pack(&self, desc: &DsdValue) -> u64 {
        let extent = desc.extents.first().copied().unwrap_or(1);
        match desc.kind {
            DsdKind::Mem1d | DsdKind::Mem4d => {
                let stride = desc.strides.first().copied().unwrap_or(1);
                Dsd::mem1d(self.dsd_addr(desc), extent, stride, desc.wavelet_index_offset).0
            }
            DsdKind::Circbuf => Dsd::circbuf(self.dsd_addr(desc), extent, desc.wraparound).0,
            DsdKind::Fabin => pack_fabric(desc, DsdClass::Fabin, extent),
            DsdKind::Fabout | DsdKind::Fifo => pack_fabric(desc, DsdClass::Fabout, extent),
        }
    }
}

fn pack_fabric(desc: &DsdValue, class: DsdClass, extent: u16) -> u64 {
    let fabric = desc.fabric.clone().unwrap_or_default();
    let flag = |on: bool, bit: u16| if on { bit } else { 0 };
    let flags = flag(fabric.control, fabric_flags::CONTROL)
        | flag(fabric.advance_switch, fabric_flags::ADVANCE_SWITCH)
        | flag(fabric.control_transform, fabric_flags::CONTROL_TRANSFORM)
        | flag(fabric.zero == Some(ZeroSource::First), fabric_flags::ZERO_FIRST)
        | flag(fabric.zero == Some(ZeroSource::Second), fabric_flags::ZERO_SECOND)
        | flag(fabric.message, fabric_flags::MESSAGE)
        | fabric.simd.map_or(0, simd_code) << fabric_flags::SIMD_SHIFT
        | fabric.priority.map_or(0, |priority| priority.code() + 1) << fabric_flags::PRIORITY_SHIFT
        | fabric.ut.map_or(0, |ut| u16::from(ut) + 1) << fabric_flags::UT_SHIFT;
    Dsd::fabric(class, fabric.color, fabric.queue, extent, flags, desc.wavelet_index_offset).0
}

fn simd_code(mode: SimdMode) -> u16 {
    match mode {
        SimdMode::Off => 1,
        SimdMode::Simd32 => 2,
        SimdMode::Simd64 => 3,
        SimdMode::Simd32Or64 => 4,
        SimdMode::SimdMax => 5,
    }
}

/// The offset in bytes, in a `ty`, of the part that `path` names. An index into a value that is no array and has fewer
/// fields steps over whole values: arithmetic on a `[*]T`.
fn path_offset(types: &Types, ty: Ty, path: &[i64]) -> i64 {
    let Some((&index, rest)) = path.split_first() else { return 0 };
    if let TypeKind::Array { elem, .. } = types.kind(ty) {
        return stride(types, *elem) * index + path_offset(types, *elem, rest);
    }
    let part = usize::try_from(index).ok().and_then(|at| field(types, ty, at));
    match part {
        Some((part, offset)) => offset + path_offset(types, part, rest),
        None => stride(types, ty) * index + path_offset(types, ty, rest),
    }
}

fn stride(types: &Types, elem: Ty) -> i64 {
    let size = csl_ir::size_of(types, elem).unwrap_or(0);
    i64::from(size.next_multiple_of(csl_ir::align_of(types, elem)))
}

fn field(types: &Types, ty: Ty, at: usize) -> Option<(Ty, i64)> {
    let part = match types.kind(ty) {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => fields.get(at)?.ty,
        TypeKind::Anon { types, .. } => *types.get(at)?,
        _ => return None,
    };
    Some((part, csl_ir::field_place(types, ty, at).map_or(0, |place| i64::from(place.offset))))
}
