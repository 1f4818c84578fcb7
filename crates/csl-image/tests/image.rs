//! A written image is read back; any other file is refused, never trusted and never a panic.

use std::sync::Arc;

use csl_image::*;
use csl_isa::vec::{VecArg, VecDesc};
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{
    Arch, Color, ColorConfig, Coord, DirSet, ProgramId, QueueDir, QueueId, Sdk, Size, Startup, TaskId, TaskKind,
    TaskTarget, TileRun, VecConfig,
};
use proptest::prelude::*;

fn pe() -> PeImage {
    let function = |name: &str, entry, end| Function {
        name: name.into(),
        entry,
        end,
        frame: 3,
        params: 1,
        has_result: true,
        stack: 8,
        iters: 1,
    };
    PeImage {
        name: "pe.csl".into(),
        code: vec![
            Insn::new(Op::BrLtSImm, 0, 5, 0),
            Insn::new(Op::Ext, 3, 6, 3),
            Insn::new(Op::Vec, 0, NO_REG, 0),
            Insn::new(Op::Ret, 0, 6, 0),
            Insn::new(Op::Call, 0, 1, 6),
            Insn::new(Op::Pool, 2, 0, 0),
            Insn::new(Op::RetVoid, 0, 6, 0),
        ],
        funcs: vec![function("f", 0, 4), function("g", 4, 7)],
        sections: vec![Section { addr: 16, bytes: vec![1, 2, 3] }],
        data_end: 32,
        stack: Region { start: 32, end: 0xc000 },
        vecs: vec![VecDesc {
            op: 0,
            dest: VecArg::DsdConst(7),
            srcs: vec![VecArg::Dsd(1), VecArg::Scalar { reg: 2, bits: 16 }],
            config: VecConfig::default(),
        }],
        pool: vec![u64::MAX],
        descriptors: vec![[0; 10]],
        tasks: vec![Task {
            kind: TaskKind::Data,
            id: TaskId::at(3),
            func: 0,
            params: vec![TaskParam { bits: 16, signed: true }],
        }],
        startup: vec![Startup::Activate(TaskTarget::LocalTask(TaskId::at(9)))],
        queues: vec![Queue {
            dir: QueueDir::In,
            id: QueueId::at(2),
            color: Color::new(3),
            priority: None,
            control_base: 0,
            dense_mode: false,
        }],
        ends: Some(ColorEnds { received: vec![Color::at(3)], sent: Vec::new() }),
        configs: vec![(0x7f20, 1)],
        exports: vec![ExportedSymbol { name: "x".into(), id: 0, what: Exported::Symbol(0) }],
        rpc: Some(Rpc { task_id: TaskId::at(1), functions: Vec::new() }),
        teardown_handlers: vec![(Color::at(4), 1)],
        strings: vec!["message".into()],
        symbols: vec![Symbol {
            name: "x".into(),
            addr: 16,
            size: 16,
            ty: "[4]f32".into(),
            is_hidden: false,
            is_undefined: false,
        }],
        lines: vec![line(0, 3, 1, None), line(2, 4, 5, Some(1))],
        inlined: vec![
            Inlined { func: "g".into(), at: line(0, 6, 1, None) },
            Inlined { func: "h".into(), at: line(0, 9, 1, Some(0)) },
        ],
        ..csl_testkit::program()
    }
}

fn line(pc: u32, line: u32, column: u32, call: Option<u32>) -> Line {
    Line { pc, file: 0, line, column, call }
}

fn image() -> Image {
    let config = ColorConfig { rx: DirSet(1), tx: DirSet(16), ..ColorConfig::default() };
    let stream = Stream { name: "in".into(), flow: Flow::In, x: 2, y: 3, color: Color::at(4) };
    Image {
        origin: Origin { folder: "/home/me".into(), beside: vec!["out.json".into()], streams: vec![stream] },
        arch: Arch::Wse3,
        sdk: Sdk { major: 2, minor: 10 },
        fabric: Size { width: 11, height: 4 },
        offset: Coord { x: 4, y: 1 },
        rect: Size { width: 4, height: 2 },
        memcpy: Some(Memcpy { channels: 1, west_buffer: 0, east_buffer: 0 }),
        programs: vec![Arc::new(pe())],
        tiles: (0..2).map(|y| TileRun { x: 0, y, len: 4, program: ProgramId::new(0) }).collect(),
        routes: vec![RouteRun { x: 1, y: 0, len: 3, color: Color::at(3), config: 0 }],
        color_configs: vec![config],
        patches: vec![Patch {
            x: 0,
            y: 1,
            len: 2,
            target: PatchTarget::Memory { addr: 16, bytes: 2 },
            values: PatchValues::Table(vec![5, 6]),
        }],
        exports: vec![Export {
            name: "x".into(),
            id: 0,
            ty: "[*]f32".into(),
            kind: ExportKind::Data { mutable: true, elem_bytes: 4, is_float: true, is_signed: true },
        }],
        params: vec![("N".into(), "4".into())],
        files: vec![SourceFile { name: "pe.csl".to_owned(), hash: csl_image::hash(b"") }],
    }
}

/// The reader's verdict on a program that was changed after it was compiled.
fn verdict(change: impl FnOnce(&mut PeImage)) -> String {
    let mut image = image();
    change(Arc::make_mut(&mut image.programs[0]));
    Image::read(&image.write()).expect_err("the image is bad").to_string()
}

#[test]
fn what_is_written_is_read_back() {
    assert_eq!(Image::read(&image().write()).expect("the image is good"), image());
}

#[test]
fn the_origin_is_read_without_the_rest() {
    let mut bytes = image().write();
    bytes.truncate(80);
    assert!(Image::read(&bytes).is_err());
    assert_eq!(Origin::read(&bytes), Some(image().origin));
    bytes[8] = 1;
    assert_eq!(Origin::read(&bytes), None);
}

#[test]
fn a_stream_ends_in_the_fabric() {
    let mut image = image();
    image.origin.streams[0].x = 11;
    let error = Image::read(&image.write()).expect_err("the fabric has 11 columns").to_string();
    assert_eq!(error, "damaged image: stream in at 11, 3 of color 4");
}

#[test]
fn another_format_is_refused() {
    assert!(matches!(Image::read(b"\x7fELF\x02\x01\x01\0...."), Err(ImageError::NotAnImage)));
    let mut bytes = image().write();
    bytes[8] = 99;
    assert_eq!(
        Image::read(&bytes).expect_err("another version").to_string(),
        "image of format version 99; this Waferlab reads version 10: compile the program again"
    );
}

/// A constant's byte may be any: only the checksum tells that it has changed.
#[test]
fn a_bit_that_has_flipped_is_told() {
    let whole = image().write();
    for bit in 8 * 12..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let told = Image::read(&bytes).expect_err("a bit has flipped").to_string();
        assert_eq!(
            told,
            "damaged image: some of its bytes have changed since it was written, or its end is missing; compile the program again"
        );
    }
    for length in 12..whole.len() {
        assert!(matches!(Image::read(&whole[..length]), Err(ImageError::Changed)), "{length} bytes");
    }
}

#[test]
fn instructions_stay_in_their_frame_and_function() {
    let message = |what: &str| format!("damaged image: program pe.csl: {what}");
    assert_eq!(verdict(|pe| pe.code[3].a = 3), message("function f: ret at 3: register 3"));
    assert_eq!(verdict(|pe| pe.code[1].c = 1), message("function f: br_lt_s_imm at 0: no instruction at 1"));
    assert_eq!(verdict(|pe| pe.code[1].c = 5), message("function f: br_lt_s_imm at 0: no instruction at 5"));
    assert_eq!(verdict(|pe| pe.code[4].a = 2), message("function g: call at 4: no row 2"));
    assert_eq!(verdict(|pe| pe.code[3].op = Op::Copy), message("function f: control runs over the end"));
    assert_eq!(verdict(|pe| pe.vecs[0].srcs[0] = VecArg::Dsd(9)), message("function f: vec at 2: register 9"));
}

#[test]
fn tables_name_what_there_is() {
    let message = |what: &str| format!("damaged image: program pe.csl: {what}");
    assert_eq!(verdict(|pe| pe.tasks[0].func = 7), message("no function 7"));
    assert_eq!(verdict(|pe| pe.exports[0].what = Exported::Symbol(4)), message("export x names nothing"));
    assert_eq!(verdict(|pe| pe.symbols[0].size = 0xc000), message("symbol x leaves memory"));
    assert_eq!(verdict(|pe| pe.sections[0].addr = 0xbfff), message("section at 0xbfff leaves memory"));
    assert_eq!(verdict(|pe| pe.lines[1].file = 1), message("no file 1"));
    assert_eq!(verdict(|pe| pe.pointers.kept.push(99)), message("a pointer at 99, behind the code"));
}

#[test]
fn runs_stay_in_the_rectangle() {
    let mut image = image();
    image.routes[0].len = u32::MAX;
    let error = Image::read(&image.write()).expect_err("the run is too long").to_string();
    assert_eq!(error, "damaged image: a run of 4294967295 at 1, 0 leaves the rectangle");
}

#[test]
fn patches_are_of_constants_that_their_tiles_have() {
    let mut image = image();
    image.tiles = (0..4).map(|x| TileRun { x, y: 1, len: 1, program: ProgramId::new(u32::from(x > 1)) }).collect();
    let mut more = pe();
    more.tile_consts = 2;
    image.programs.push(Arc::new(more));
    let mut read = |x, len| {
        let values = PatchValues::Constant(7);
        image.patches = vec![Patch { x, y: 1, len, target: PatchTarget::Const(1), values }];
        Image::read(&image.write()).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(read(2, 2), Ok(()));
    let short = |x| Err(format!("damaged image: constant 1 of tiles at {x}, 1, whose program has fewer"));
    assert_eq!(read(1, 2), short(1));
    assert_eq!(read(0, 4), short(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend(bytes);
        let _ = Image::read(&file);
        let _ = Image::read(&sealed(file));
    }

    /// A damaged image is refused, or still passes every check.
    #[test]
    fn a_damaged_image_is_read_without_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let whole = image().write();
        let mut bytes = unsealed(&whole).expect("it was just written").to_vec();
        for (place, value) in changes {
            let at = 12 + place.index(bytes.len() - 12);
            bytes[at] = value;
        }
        // As a writer that is wrong would write it.
        if let Ok(image) = Image::read(&sealed(bytes)) {
            prop_assert_eq!(image.check(), Ok(()));
        }
    }
}
