//! Programs in one text, as the tests have them, compiled without a file system and with the limits on work on.

use csl_diag::{ErrorFormat, Rendering, SourceMap};
use csl_host::TextSources;
use csl_image::{Image, Memcpy};
use csl_machine::{Arch, Coord, Size};
use csl_sema::Options;

/// A layout of one tile, for programs without a layout.
const ONE_TILE: &str = "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\", .{});\n}\n";

/// The greatest number of steps at comptime, of PEs in a rectangle that is translated, and of inlined iterations: a usual
/// machine does them within a second.
const MOST_STEPS: u64 = 20_000;
const MOST_PES: u32 = 1 << 12;
const MOST_ITERATIONS: u64 = 500;

/// Compiles a text in which `//- name` begins a file; a text without such lines is `pe.csl` on one tile, unless it has a
/// layout block. `//$ wse3` in the first line chooses the chip. Returns the image if there is one; findings are rendered.
///
/// # Panics
/// When the IR of a program without errors is not valid, or its image cannot be read.
pub fn compile(text: &str) -> Option<Image> {
    let first = text.lines().next().unwrap_or_default();
    let options = Options {
        arch: if first.contains("wse3") { Arch::Wse3 } else { Arch::Wse2 },
        fabric: Some(Size { width: 80, height: 80 }),
        offsets: Coord { x: 4, y: 1 },
        memcpy: !first.contains("no-memcpy"),
        max_inlined_iterations: Some(MOST_ITERATIONS),
        most_steps: MOST_STEPS,
        ..Options::default()
    };
    let analysis = csl_sema::analyze("layout.csl", &mut files(text), &options);
    for format in [ErrorFormat::Human, ErrorFormat::Json] {
        csl_diag::render(&analysis.sources, &analysis.diagnostics, &Rendering { format, ..Rendering::default() });
    }
    let mut wafer = analysis.wafer.ok().filter(|_| !analysis.diagnostics.has_errors())?;
    if wafer.size.width * wafer.size.height > MOST_PES {
        return None;
    }
    let validate = |wafer: &csl_ir::Wafer| {
        wafer.programs.iter().for_each(|program| csl_ir::validate(program).expect("the IR is valid"));
    };
    validate(&wafer);
    csl_opt::optimise(&mut wafer.programs, csl_opt::Passes::ALL, 1);
    validate(&wafer);
    let image = translate(&wafer, &analysis.sources, &options)?;
    let bytes = image.write();
    let read = Image::read(&bytes).expect("an image that was written is read");
    assert!(read == image, "an image is read as it was written");
    Some(image)
}

fn translate(wafer: &csl_ir::Wafer, sources: &SourceMap, options: &Options) -> Option<Image> {
    let options = csl_codegen::Options {
        fabric: options.fabric?,
        offset: options.offsets,
        memcpy: options.memcpy.then_some(Memcpy { channels: 1, west_buffer: 0, east_buffer: 0 }),
        sections: Vec::new(),
        threads: 1,
    };
    csl_codegen::generate(wafer, sources, &options).ok()
}

fn files(text: &str) -> TextSources {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("//- ") {
            Some(name) => files.push((name.trim().to_owned(), String::new())),
            None if files.is_empty() && line.starts_with("//$") => {}
            None => {
                if files.is_empty() {
                    let is_layout = text.contains("\nlayout {") || text.starts_with("layout {");
                    files.push((if is_layout { "layout.csl" } else { "pe.csl" }.to_owned(), String::new()));
                }
                files.last_mut().expect("a file has begun").1.push_str(line);
            }
        }
    }
    let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    TextSources::new([("layout.csl", ONE_TILE)].into_iter().chain(texts))
}
