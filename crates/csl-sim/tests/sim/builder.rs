//! Builds images of a few instructions.

use std::sync::Arc;

use csl_image::*;
use csl_isa::vec::VecArg;
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{Arch, Color, ColorConfig, Coord, Dialect, DirSet, ProgramId, Sdk, Size, SysOp, TileRun, VecOp};
use csl_sim::{Sim, SimOptions, Traces, Windows};
pub use csl_testkit::{fabin, fabout, func, main_task, queue as bind, task};

pub const W: u8 = 1;
pub const E: u8 = 2;
pub const S: u8 = 4;
pub const N: u8 = 8;
pub const RAMP: u8 = 16;

/// The target of the exported pointer of [`program`], as a byte address; its id follows.
pub const DATA: u16 = 0x200;
pub const DATA_ID: u16 = 0;
/// Id of the exported function, where there is one.
pub const FUNC_ID: u16 = 1;

/// The release of the programs.
const SDK: Sdk = Sdk { major: 1, minor: 4 };

/// A program without code that exports the pointer `data` to the `words` given.
pub fn program(words: &[u32]) -> PeImage {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    PeImage {
        dialect: Dialect::of(SDK),
        sections: vec![Section { addr: 0x100, bytes: DATA.to_le_bytes().to_vec() }, Section { addr: DATA, bytes }],
        data_end: DATA + 4 * words.len() as u16,
        exports: vec![ExportedSymbol { name: "data".into(), id: DATA_ID, what: Exported::Symbol(0) }],
        symbols: vec![Symbol {
            name: "ptr".into(),
            addr: 0x100,
            size: 2,
            ty: "[*]u32".into(),
            is_hidden: false,
            is_undefined: false,
        }],
        ..csl_testkit::program()
    }
}

/// Exports a function that the host can launch.
pub fn export(image: &mut PeImage, params: u16, code: &[Insn]) {
    let func = func(image, params, code);
    image.exports.push(ExportedSymbol { name: "f".into(), id: FUNC_ID, what: Exported::Func(func) });
}

pub fn vec(image: &mut PeImage, op: VecOp, dest: VecArg, src: VecArg) -> Insn {
    csl_testkit::vec(image, op, dest, &[src])
}

/// An asynchronous operation that activates a local task.
pub fn vec_async(image: &mut PeImage, op: VecOp, dest: VecArg, src: VecArg, then: u8) -> Insn {
    csl_testkit::vec_async(image, op, dest, &[src], then)
}

pub fn unblock_cmd_stream() -> Insn {
    Insn::new(Op::Sys, SysOp::UnblockCmdStream as u16, 0, NO_REG)
}

/// `dest = a + b` over f32.
pub fn add(image: &mut PeImage, dest: VecArg, a: VecArg, b: VecArg) -> Insn {
    csl_testkit::vec(image, VecOp::Fadds, dest, &[a, b])
}

pub fn mem(addr: u16, extent: u16) -> VecArg {
    csl_testkit::mem(addr, extent, 1)
}

/// A `fabout` that names no queue, as programs up to SDK 1.4 may.
pub fn unqueued(color: u8, extent: u16) -> VecArg {
    fabout(color, 0xff, extent)
}

/// A layout of one row or more: program numbers by tile, and routes `(x, y, color, rx, tx)`.
pub fn layout(arch: Arch, programs: Vec<PeImage>, tiles: &[&[u32]], routes: &[(u32, u32, u8, u8, u8)]) -> Image {
    let rect = Size { width: tiles[0].len() as u32, height: tiles.len() as u32 };
    let run = |y: usize, x: usize, program: u32| TileRun {
        x: x as u32,
        y: y as u32,
        len: 1,
        program: ProgramId::new(program),
    };
    let tiles = tiles.iter().enumerate();
    let tiles =
        tiles.flat_map(|(y, row)| row.iter().enumerate().map(move |(x, program)| run(y, x, *program))).collect();
    let config = |(_, _, _, rx, tx): &(u32, u32, u8, u8, u8)| ColorConfig::route(DirSet(*rx), DirSet(*tx));
    let color_configs = routes.iter().map(config).collect();
    let mut numbered: Vec<_> = routes.iter().enumerate().collect();
    numbered.sort_by_key(|(_, route)| (route.1, route.0, route.2));
    let route = |(config, (x, y, color, ..)): (usize, &(u32, u32, u8, u8, u8))| RouteRun {
        x: *x,
        y: *y,
        len: 1,
        color: Color::at(*color),
        config: config as u32,
    };
    let data = ExportKind::Data { mutable: true, elem_bytes: 4, is_float: false, is_signed: false };
    let param = ParamType { name: "u32".into(), bytes: 4, is_float: false, is_signed: false };
    Image {
        origin: Origin::default(),
        arch,
        sdk: SDK,
        fabric: Size { width: rect.width + 7, height: rect.height + 2 },
        offset: Coord { x: 4, y: 1 },
        rect,
        memcpy: Some(Memcpy { channels: 1, west_buffer: 0, east_buffer: 0 }),
        programs: programs.into_iter().map(Arc::new).collect(),
        tiles,
        routes: numbered.into_iter().map(route).collect(),
        color_configs,
        patches: Vec::new(),
        exports: vec![
            Export { name: "data".into(), id: DATA_ID, ty: "[*]u32".into(), kind: data },
            Export {
                name: "f".into(),
                id: FUNC_ID,
                ty: "fn(u32)void".into(),
                kind: ExportKind::Function { params: vec![param] },
            },
        ],
        params: Vec::new(),
        files: Vec::new(),
    }
}

pub fn sim(image: Image) -> Sim {
    Sim::new(Arc::new(image), SimOptions::default()).expect("the image is right")
}

pub fn traced(image: Image) -> Sim {
    let traces = Traces { fabric: true, ..Traces::default() };
    Sim::new(Arc::new(image), SimOptions { traces, ..SimOptions::default() }).expect("the image is right")
}

pub fn threaded(image: Image, threads: usize, windows: Windows) -> Sim {
    Sim::new(Arc::new(image), SimOptions { threads, windows, ..SimOptions::default() }).expect("the image is right")
}
