//! Types, interned: equal types have equal [`Ty`].

use std::fmt::Write;

use csl_diag::Span;
use csl_machine::DsrFile;
use csl_num::FloatKind;
use indexmap::IndexSet;
use num_bigint::BigInt;
use rustc_hash::FxBuildHasher;

/// A type of a [`Types`] pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(u32);

/// A name that lives as long as the process (an interned symbol's text).
pub type Name = &'static str;

/// The kinds of descriptors (DSDs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DsdKind {
    Mem1d,
    Mem4d,
    Circbuf,
    Fabin,
    Fabout,
    Fifo,
}

/// The types of DSRs; the ends of a FIFO have types of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DsrType {
    Plain(DsrFile),
    FifoDest,
    FifoSrc1,
}

impl DsrType {
    pub const ALL: [DsrType; 5] = [
        DsrType::Plain(DsrFile::Dest),
        DsrType::Plain(DsrFile::Src0),
        DsrType::Plain(DsrFile::Src1),
        DsrType::FifoDest,
        DsrType::FifoSrc1,
    ];

    /// The file of the register.
    pub const fn file(self) -> DsrFile {
        match self {
            DsrType::Plain(file) => file,
            DsrType::FifoDest => DsrFile::Dest,
            DsrType::FifoSrc1 => DsrFile::Src1,
        }
    }

    /// The name of the type in CSL.
    pub const fn name(self) -> &'static str {
        match self {
            DsrType::Plain(file) => file.name(),
            DsrType::FifoDest => "dsr_fifo_dest",
            DsrType::FifoSrc1 => "dsr_fifo_src1",
        }
    }
}

/// Types with a small number as their value that name a resource of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    Color,
    LocalTask,
    DataTask,
    ControlTask,
    InputQueue,
    OutputQueue,
    Ut,
    Direction,
    Xdsr,
    Sr,
}

/// The layout rule of a struct or union: `struct`, `extern struct`, `packed struct`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    Default,
    Extern,
    Packed,
}

/// A field of a struct or union.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldTy {
    pub name: Name,
    pub ty: Ty,
}

/// The type of a function or task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FnTy {
    /// Whether it is a `task` rather than a `fn`.
    pub is_task: bool,
    pub params: Vec<Ty>,
    pub ret: Ty,
    /// Whether some parameter is `anytype` or `comptime`, or the return type depends on one. `params` and
    /// `ret` are then `void` in these positions, and each call makes an instance.
    pub is_generic: bool,
}

/// The kinds of types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    Void,
    /// The type of `return`, `break` and the like.
    NoReturn,
    Bool,
    Int {
        signed: bool,
        bits: u32,
    },
    ComptimeInt,
    Float(FloatKind),
    ComptimeFloat,
    Type,
    ComptimeString,
    /// The legacy type that any anonymous struct value has.
    ComptimeStruct,
    AnyOpaque,
    Module,
    Id(IdKind),
    Dsd(DsdKind),
    Dsr(DsrType),
    /// A range with numbers of the type.
    Range(Ty),
    Array {
        dims: Vec<u64>,
        elem: Ty,
    },
    Ptr {
        many: bool,
        is_const: bool,
        elem: Ty,
    },
    Fn(FnTy),
    /// An anonymous struct: the fields of `.{ .a = 1 }` have names, those of `.{1, 2}` (a tuple) have `None`.
    Anon {
        names: Option<Vec<Name>>,
        types: Vec<Ty>,
    },
    /// A struct. Two are equal when they are declared at the same place and have the same fields.
    Struct {
        site: Span,
        packing: Packing,
        fields: Vec<FieldTy>,
    },
    Union {
        site: Span,
        packing: Packing,
        fields: Vec<FieldTy>,
    },
    Enum {
        site: Span,
        base: Ty,
        members: Vec<(Name, BigInt)>,
    },
}

/// The pool that [`Ty`]s index.
#[derive(Clone, Debug)]
pub struct Types {
    kinds: IndexSet<TypeKind, FxBuildHasher>,
    /// See [`Types::parts`], by type.
    parts: Vec<u64>,
    /// The name of a struct, union or enum that a `const` named.
    names: indexmap::IndexMap<Ty, Name>,
}

macro_rules! primitives {
    ($($konst:ident = $index:literal, $text:literal, $kind:expr;)*) => {
        impl Ty { $(pub const $konst: Ty = Ty($index);)* }

        const PRIMITIVES: &[(Ty, &str)] = &[$((Ty::$konst, $text),)*];

        impl Default for Types {
            fn default() -> Types {
                let mut types = Types { kinds: IndexSet::default(), parts: Vec::new(), names: indexmap::IndexMap::new() };
                $(assert_eq!(types.intern($kind), Ty::$konst, "primitive types are numbered in table order");)*
                types
            }
        }
    };
}

primitives! {
    VOID = 0, "void", TypeKind::Void;
    NORETURN = 1, "noreturn", TypeKind::NoReturn;
    BOOL = 2, "bool", TypeKind::Bool;
    COMPTIME_INT = 3, "comptime_int", TypeKind::ComptimeInt;
    COMPTIME_FLOAT = 4, "comptime_float", TypeKind::ComptimeFloat;
    I8 = 5, "i8", TypeKind::Int { signed: true, bits: 8 };
    U8 = 6, "u8", TypeKind::Int { signed: false, bits: 8 };
    I16 = 7, "i16", TypeKind::Int { signed: true, bits: 16 };
    U16 = 8, "u16", TypeKind::Int { signed: false, bits: 16 };
    I32 = 9, "i32", TypeKind::Int { signed: true, bits: 32 };
    U32 = 10, "u32", TypeKind::Int { signed: false, bits: 32 };
    I64 = 11, "i64", TypeKind::Int { signed: true, bits: 64 };
    U64 = 12, "u64", TypeKind::Int { signed: false, bits: 64 };
    F16 = 13, "f16", TypeKind::Float(FloatKind::F16);
    BF16 = 14, "bf16", TypeKind::Float(FloatKind::Bf16);
    CB16 = 15, "cb16", TypeKind::Float(FloatKind::Cb16);
    F32 = 16, "f32", TypeKind::Float(FloatKind::F32);
    TYPE = 17, "type", TypeKind::Type;
    COMPTIME_STRING = 18, "comptime_string", TypeKind::ComptimeString;
    COMPTIME_STRUCT = 19, "comptime_struct", TypeKind::ComptimeStruct;
    ANYOPAQUE = 20, "anyopaque", TypeKind::AnyOpaque;
    MODULE = 21, "imported_module", TypeKind::Module;
    COLOR = 22, "color", TypeKind::Id(IdKind::Color);
    LOCAL_TASK_ID = 23, "local_task_id", TypeKind::Id(IdKind::LocalTask);
    DATA_TASK_ID = 24, "data_task_id", TypeKind::Id(IdKind::DataTask);
    CONTROL_TASK_ID = 25, "control_task_id", TypeKind::Id(IdKind::ControlTask);
    INPUT_QUEUE = 26, "input_queue", TypeKind::Id(IdKind::InputQueue);
    OUTPUT_QUEUE = 27, "output_queue", TypeKind::Id(IdKind::OutputQueue);
    UT_ID = 28, "ut_id", TypeKind::Id(IdKind::Ut);
    DIRECTION = 29, "direction", TypeKind::Id(IdKind::Direction);
    XDSR = 30, "xdsr", TypeKind::Id(IdKind::Xdsr);
    SR = 31, "sr", TypeKind::Id(IdKind::Sr);
    MEM1D_DSD = 32, "mem1d_dsd", TypeKind::Dsd(DsdKind::Mem1d);
    MEM4D_DSD = 33, "mem4d_dsd", TypeKind::Dsd(DsdKind::Mem4d);
    CIRCBUF_DSD = 34, "circbuf_dsd", TypeKind::Dsd(DsdKind::Circbuf);
    FABIN_DSD = 35, "fabin_dsd", TypeKind::Dsd(DsdKind::Fabin);
    FABOUT_DSD = 36, "fabout_dsd", TypeKind::Dsd(DsdKind::Fabout);
    FIFO_DSD = 37, "fifo_dsd", TypeKind::Dsd(DsdKind::Fifo);
    DSR_DEST = 38, "dsr_dest", TypeKind::Dsr(DsrType::Plain(DsrFile::Dest));
    DSR_SRC0 = 39, "dsr_src0", TypeKind::Dsr(DsrType::Plain(DsrFile::Src0));
    DSR_SRC1 = 40, "dsr_src1", TypeKind::Dsr(DsrType::Plain(DsrFile::Src1));
    DSR_FIFO_DEST = 41, "dsr_fifo_dest", TypeKind::Dsr(DsrType::FifoDest);
    DSR_FIFO_SRC1 = 42, "dsr_fifo_src1", TypeKind::Dsr(DsrType::FifoSrc1);
}

impl Types {
    pub fn new() -> Types {
        Types::default()
    }

    /// The numbers of types and of their names: as long as they are the same, nothing has been added.
    pub fn extent(&self) -> (usize, usize) {
        (self.kinds.len(), self.names.len())
    }

    pub fn intern(&mut self, kind: TypeKind) -> Ty {
        let (at, is_new) = self.kinds.insert_full(kind);
        if is_new {
            self.parts.push(self.count_parts(at));
        }
        Ty(at as u32)
    }

    fn count_parts(&self, at: usize) -> u64 {
        let sum = |types: &mut dyn Iterator<Item = Ty>| types.map(|ty| self.parts(ty)).fold(1, u64::saturating_add);
        match &self.kinds[at] {
            TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
                sum(&mut fields.iter().map(|field| field.ty))
            }
            TypeKind::Anon { types, .. } => sum(&mut types.iter().copied()),
            TypeKind::Array { elem, .. } => self.parts(*elem),
            _ => 1,
        }
    }

    /// The number of fields in a type and in the types of its fields; an array counts as one element.
    pub fn parts(&self, ty: Ty) -> u64 {
        self.parts[ty.0 as usize]
    }

    pub fn kind(&self, ty: Ty) -> &TypeKind {
        &self.kinds[ty.0 as usize]
    }

    pub fn int(&mut self, signed: bool, bits: u32) -> Ty {
        self.intern(TypeKind::Int { signed, bits })
    }

    pub fn array(&mut self, dims: Vec<u64>, elem: Ty) -> Ty {
        self.intern(TypeKind::Array { dims, elem })
    }

    pub fn ptr(&mut self, many: bool, is_const: bool, elem: Ty) -> Ty {
        self.intern(TypeKind::Ptr { many, is_const, elem })
    }

    pub fn tuple(&mut self, types: Vec<Ty>) -> Ty {
        self.intern(TypeKind::Anon { names: None, types })
    }

    /// The names that programs may write for primitive types, but for integers of other widths (`i24`).
    pub fn primitive_names() -> impl Iterator<Item = &'static str> {
        PRIMITIVES.iter().filter(|&&(ty, _)| ty != Ty::NORETURN).map(|&(_, name)| name)
    }

    /// The primitive type with this name in CSL: `i16`, `u3`, `mem1d_dsd`, ...
    pub fn primitive(&mut self, name: &str) -> Option<Ty> {
        if let Some(&(ty, _)) = PRIMITIVES.iter().find(|&&(ty, text)| text == name && ty != Ty::NORETURN) {
            return Some(ty);
        }
        let signed = match name.as_bytes().first()? {
            b'i' => true,
            b'u' => false,
            _ => return None,
        };
        // The guide's bound: any width from 0 to 16777215.
        let digits = &name[1..];
        let bits: u32 = digits.parse().ok().filter(|&b| b <= 16_777_215)?;
        (digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0')))
            .then(|| self.int(signed, bits))
    }

    /// Gives an aggregate type a name, for messages.
    pub fn name_aggregate(&mut self, ty: Ty, name: Name) {
        if matches!(self.kind(ty), TypeKind::Struct { .. } | TypeKind::Union { .. } | TypeKind::Enum { .. }) {
            self.names.entry(ty).or_insert(name);
        }
    }

    /// The type in CSL.
    pub fn show(&self, ty: Ty) -> String {
        let mut out = String::new();
        self.write(&mut out, ty);
        out
    }

    fn write(&self, out: &mut String, ty: Ty) {
        if let Some(name) = self.names.get(&ty) {
            out.push_str(name);
            return;
        }
        match self.kind(ty) {
            TypeKind::Int { signed, bits } => push(out, format_args!("{}{bits}", if *signed { 'i' } else { 'u' })),
            TypeKind::Range(elem) => push(out, format_args!("range({})", self.show(*elem))),
            TypeKind::Array { dims, elem } => {
                let dims: Vec<String> = dims.iter().map(u64::to_string).collect();
                push(out, format_args!("[{}]{}", dims.join(", "), self.show(*elem)));
            }
            TypeKind::Ptr { many, is_const, elem } => {
                out.push_str(if *many { "[*]" } else { "*" });
                out.push_str(if *is_const { "const " } else { "" });
                self.write(out, *elem);
            }
            TypeKind::Fn(f) => {
                let params: Vec<String> = f.params.iter().map(|&p| self.show(p)).collect();
                let keyword = if f.is_task { "task" } else { "fn" };
                push(out, format_args!("{keyword}({}) {}", params.join(", "), self.show(f.ret)));
            }
            TypeKind::Anon { names: None, types } => {
                let types: Vec<String> = types.iter().map(|&t| self.show(t)).collect();
                push(out, format_args!("struct {{{}}}", types.join(", ")));
            }
            TypeKind::Anon { names: Some(names), types } => {
                let fields: Vec<String> =
                    names.iter().zip(types).map(|(n, &t)| format!("{n}: {}", self.show(t))).collect();
                push(out, format_args!("struct {{{}}}", fields.join(", ")));
            }
            TypeKind::Struct { fields, .. } => self.write_fields(out, "struct", fields),
            TypeKind::Union { fields, .. } => self.write_fields(out, "union", fields),
            TypeKind::Enum { base, members, .. } => {
                let members: Vec<&str> = members.iter().map(|m| m.0).collect();
                push(out, format_args!("enum({}) {{{}}}", self.show(*base), members.join(", ")));
            }
            _ => out.push_str(primitive_text(ty)),
        }
    }

    fn write_fields(&self, out: &mut String, keyword: &str, fields: &[FieldTy]) {
        let fields: Vec<String> = fields.iter().map(|f| format!("{}: {}", f.name, self.show(f.ty))).collect();
        push(out, format_args!("{keyword} {{{}}}", fields.join(", ")));
    }
}

fn primitive_text(ty: Ty) -> &'static str {
    PRIMITIVES.iter().find(|p| p.0 == ty).map_or("?", |p| p.1)
}

fn push(out: &mut String, args: std::fmt::Arguments<'_>) {
    out.write_fmt(args).expect("writing to a String does not fail");
}
