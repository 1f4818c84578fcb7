//! Programs in one text, as the tests have them, compiled without a file system and with the limits on work on.

use std::collections::HashMap;
use std::sync::Arc;

use csl_diag::{ErrorFormat, Rendering, SourceMap};
use csl_image::{Image, Memcpy};
use csl_machine::{Arch, Coord, Size};
use csl_sema::{Options, Resolved, Sources};

/// A layout of one tile, for programs without a layout.
const ONE_TILE: &str = "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\", .{});\n}\n";

/// The greatest number of steps at comptime, of PEs in a rectangle that is translated, and of inlined iterations: a usual
/// machine does them within a second.
const MOST_STEPS: u64 = 20_000;
const MOST_PES: u32 = 1 << 12;
const MOST_ITERATIONS: u64 = 500;

struct MemorySources {
    files: HashMap<String, Arc<str>>,
}

impl Sources for MemorySources {
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String> {
        if let Some(library) = name.strip_prefix('<').and_then(|n| n.strip_suffix('>')) {
            let text = csl_std::lookup(library).ok_or_else(|| format!("there is no library <{library}>"))?;
            return Ok(Resolved { path: name.to_string(), text: text.into(), is_library: true });
        }
        let folder = importer.and_then(|path| path.rsplit_once('/')).map(|(folder, _)| format!("{folder}/"));
        let path = format!("{}{name}", folder.unwrap_or_default());
        let text = self.files.get(&path).ok_or_else(|| format!("there is no file {path}"))?;
        Ok(Resolved { path, text: text.clone(), is_library: false })
    }
}

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
    let analysis = csl_sema::analyze("layout.csl", &mut MemorySources { files: files(text) }, &options);
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

fn files(text: &str) -> HashMap<String, Arc<str>> {
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
    let texts = files.into_iter().map(|(name, text)| (name, text.as_str().into()));
    [("layout.csl".to_owned(), ONE_TILE.into())].into_iter().chain(texts).collect()
}
