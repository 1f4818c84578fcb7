//! The forms of operands: the text of each, the code before and after, and the place of its elements for the loop.

use csl_machine::{Arch, Elem, Forms, VecOp};

use super::type_of;

/// A destination and where its elements are afterwards.
pub struct Dest {
    pub setup: String,
    pub text: String,
    pub after: String,
    /// Element `i` as the program finds it.
    pub at: &'static str,
    /// The number of that element in the loop.
    pub from: &'static str,
    pub is_async: bool,
    /// Whether the scalar source is the first value of a reduction into a pointer.
    pub accumulates: bool,
}

impl Dest {
    fn new(setup: &str, text: &str, at: &'static str) -> Dest {
        let (setup, text) = (setup.to_owned(), text.to_owned());
        Dest { setup, text, after: String::new(), at, from: "i", is_async: false, accumulates: false }
    }

    /// Six elements of an array.
    pub fn plain() -> Dest {
        Dest::new("", "got_dsd", "got[i]")
    }

    /// A pointer to a scalar, which holds the last element in the end.
    fn pointer() -> Dest {
        Dest { from: "5", ..Dest::new("", "&one", "one") }
    }
}

fn mov(elem: Elem) -> &'static str {
    if elem.words() == 1 { "mov16" } else { "mov32" }
}

fn fifo(elem: Elem) -> &'static str {
    if elem.words() == 1 { "fifo_16" } else { "fifo_32" }
}

/// Every form of a destination that all operations on DSDs have.
pub fn destinations(op: VecOp) -> Vec<Dest> {
    let mov = mov(op.dest());
    let fifo = fifo(op.dest());
    let fabric = Dest {
        after: format!("@{mov}(got_dsd, from_fabric);\n  "),
        is_async: true,
        ..Dest::new("", "to_fabric", "got[i]")
    };
    vec![
        Dest::plain(),
        Dest::new("", "got_w_dsd", "got[2 * i]"),
        Dest::new("", "got_m_dsd", "got_m[i % 2, i / 2]"),
        fabric,
        Dest { after: format!("@{mov}(got_dsd, {fifo});\n  "), ..Dest::new("", fifo, "got[i]") },
        Dest::new("@load_to_dsr(dest_dsr, got_dsd);\n  ", "dest_dsr", "got[i]"),
        Dest::new("@load_to_dsr(dest_src0, got_w_dsd);\n  ", "dest_src0", "got[2 * i]"),
        Dest {
            // Six elements around in four: the first two places are written twice.
            from: "if (i < 2) i + 4 else if (i < 4) i else 0",
            ..Dest::new(
                "@load_to_dsr_xdsr(dest_dsr, dest_xdsr, got_ring);\n  ",
                "dest_dsr",
                "(if (i < 4) got[i] else want[0])",
            )
        },
    ]
}

/// A source: how it is written and element `i` of it in the loop.
#[derive(Clone)]
pub struct Source {
    pub setup: String,
    pub text: String,
    pub at: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Memory,
    Scalar,
    /// An input of elements of so many words.
    Fabric(u16),
    Fifo,
}

impl Source {
    fn new(kind: Kind, setup: String, text: String, at: String) -> Source {
        Source { setup, text, at, kind }
    }
}

/// The scalars that go with an element type: integers of either sign.
fn scalars(k: usize, elem: Elem) -> Vec<Source> {
    let types: &[&str] = match elem {
        Elem::I16 => &["i16", "u16"],
        Elem::I32 => &["i32", "u32"],
        Elem::Half => &["half"],
        Elem::F32 => &["f32"],
    };
    let at = |ty: &str| match ty {
        "i16" => format!("@bitcast(u16, v{k}_i16)"),
        "i32" => format!("@bitcast(u32, v{k}_i32)"),
        _ => format!("v{k}_{ty}"),
    };
    types.iter().map(|ty| Source::new(Kind::Scalar, String::new(), format!("v{k}_{ty}"), at(ty))).collect()
}

/// Every form of source `k`: memory first.
fn forms(k: usize, elem: Elem) -> Vec<Source> {
    let ty = type_of(elem);
    let (mov, fifo) = (mov(elem), fifo(elem));
    let (to, from) = if k == 1 { ("to_fabric", "from_fabric") } else { ("to_more", "from_more") };
    let elements = format!("x{k}_{ty}[i]");
    let memory =
        |name: &str, at: &str| Source::new(Kind::Memory, String::new(), format!("{name}{k}_{ty}_dsd"), at.to_owned());
    let dsr = |load: String, at: &str| Source::new(Kind::Memory, load, format!("dsr{k}"), at.to_owned());
    let mut all = vec![
        memory("x", &elements),
        memory("w", &elements),
        memory("m", &elements),
        dsr(format!("@load_to_dsr(dsr{k}, w{k}_{ty}_dsd);\n  "), &elements),
        dsr(format!("@load_to_dsr_xdsr_sr(dsr{k}, xdsr{k}, .{{ sr{k} }}, m{k}_{ty}_dsd);\n  "), &elements),
        dsr(format!("@load_to_dsr_xdsr(dsr{k}, xdsr{k}, r{k}_{ty}_dsd);\n  "), &format!("x{k}_{ty}[i % 4]")),
        Source::new(
            Kind::Fabric(elem.words()),
            format!("@{mov}({to}, x{k}_{ty}_dsd, .{{ .async = true }});\n  "),
            from.to_owned(),
            elements.clone(),
        ),
        Source::new(Kind::Fifo, format!("@{mov}({fifo}, x{k}_{ty}_dsd);\n  "), fifo.to_owned(), elements),
    ];
    all.extend(scalars(k, elem));
    all
}

/// Whether the guide allows the two sources together. Beside a 32-bit input a 16-bit one is read unpacked too, which
/// the sender in this test cannot know.
fn fit(a: &Source, b: &Source, arch: Arch) -> bool {
    match (a.kind, b.kind) {
        (Kind::Fabric(a), Kind::Fabric(b)) => arch == Arch::Wse2 && a == b,
        (Kind::Scalar, Kind::Scalar) | (Kind::Fifo, _) => false,
        _ => true,
    }
}

fn pairs(first: &[Source], second: &[Source], arch: Arch) -> Vec<Vec<Source>> {
    let with = |a: &Source| {
        let fitting = second.iter().filter(|b| fit(a, b, arch));
        fitting.map(|b| vec![a.clone(), b.clone()]).collect::<Vec<_>>()
    };
    first.iter().flat_map(with).collect()
}

/// All combinations of sources for a destination that is a DSD; the first has all in memory.
pub fn sources(op: VecOp, arch: Arch) -> Vec<Vec<Source>> {
    let elems = op.sources();
    let is_vector = |source: &Source| source.kind != Kind::Scalar;
    match op.forms() {
        Forms::Fma => {
            let vectors = |k: usize| forms(k, elems[k - 1]).into_iter().filter(is_vector).collect::<Vec<_>>();
            let scalar = scalars(3, elems[2]).remove(0);
            let add = |mut pair: Vec<Source>| {
                pair.push(scalar.clone());
                pair
            };
            pairs(&vectors(1), &vectors(2), arch).into_iter().map(add).collect()
        }
        Forms::Unary | Forms::UnaryPtr => forms(1, elems[0]).into_iter().map(|source| vec![source]).collect(),
        _ if op == VecOp::Faddhs => mixed(arch),
        _ => pairs(&forms(1, elems[0]), &forms(2, elems[1]), arch),
    }
}

/// `@faddhs`: of two DSDs the first has 16 bits; a scalar beside a DSD is the 16-bit one.
fn mixed(arch: Arch) -> Vec<Vec<Source>> {
    let (first, second) = (forms(1, Elem::Half), forms(2, Elem::F32));
    let is_vector = |source: &&Source| source.kind != Kind::Scalar;
    let vectors: Vec<Source> = second.iter().filter(is_vector).cloned().collect();
    let mut all = pairs(&first, &vectors, arch);
    let scalar = scalars(2, Elem::Half);
    let singles: Vec<Source> = forms(1, Elem::F32).iter().filter(is_vector).cloned().collect();
    all.extend(pairs(&singles, &scalar, arch));
    all
}

/// The forms whose destination is a pointer to a scalar.
pub fn pointer_sources(op: VecOp) -> Vec<(Dest, Vec<Source>)> {
    let elems = op.sources();
    match op.forms() {
        Forms::ScalarUnary => scalars(1, elems[0]).into_iter().map(|v| (Dest::pointer(), vec![v])).collect(),
        Forms::ScalarBinary => scaled(elems[0]),
        // Conversions to integers take a scalar here, moves a DSD.
        Forms::UnaryPtr if matches!(op, VecOp::Fh2xp16 | VecOp::Fs2xp16) => {
            scalars(1, elems[0]).into_iter().map(|v| (Dest::pointer(), vec![v])).collect()
        }
        Forms::UnaryPtr => forms(1, elems[0])
            .into_iter()
            .filter(|source| source.kind != Kind::Scalar)
            .map(|source| (Dest::pointer(), vec![with_length(source, elems[0])]))
            .collect(),
        Forms::BinaryPtr => reductions(op),
        Forms::Unary | Forms::Binary | Forms::Fma => Vec::new(),
    }
}

fn scaled(elem: Elem) -> Vec<(Dest, Vec<Source>)> {
    let by = Source::new(Kind::Scalar, String::new(), "v2_i16".to_owned(), "v2_i16".to_owned());
    let back = Source::new(Kind::Scalar, String::new(), "-3".to_owned(), "@as(i16, -3)".to_owned());
    let value = |by: Source| scalars(1, elem).into_iter().map(move |v| (Dest::pointer(), vec![v, by.clone()]));
    value(by).chain(value(back)).collect()
}

/// A pointer has no length and a FIFO none until it is set.
fn with_length(source: Source, elem: Elem) -> Source {
    if source.kind != Kind::Fifo {
        return source;
    }
    let length = format!("@set_fifo_read_length({}, 6);\n  ", fifo(elem));
    Source { setup: source.setup + &length, ..source }
}

/// `(pointer, scalar, dsd)`: the scalar, then each element in turn, end in the pointer.
fn reductions(op: VecOp) -> Vec<(Dest, Vec<Source>)> {
    let first = scalars(1, op.dest()).remove(0);
    let elem = if op == VecOp::Faddhs { Elem::Half } else { op.sources()[1] };
    let with = |b: Source| (Dest { accumulates: true, ..Dest::pointer() }, vec![first.clone(), with_length(b, elem)]);
    forms(2, elem).into_iter().filter(|b| b.kind != Kind::Scalar).map(with).collect()
}
