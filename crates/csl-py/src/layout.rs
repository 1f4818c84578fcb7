//! `csl_host::layout` for `waferlab.layout`: handles cross the border as numbers.

use std::path::{Path, PathBuf};

use csl_host::layout::{self, Cell, ColorId, Layout, LayoutError, LayoutOptions, PortId, RegionId, Value};
use csl_host::{Image, PatchTarget, Rendering, Size, read_image};
use pyo3::prelude::*;

use crate::errors::raise;
use crate::values::{Arch, Area, Compiled, Edge, Flow, Fp16, Position};

#[pyclass]
pub struct Design {
    layout: Layout,
    blocks: Vec<Block>,
}

/// The data that `set_symbol_all` gives each PE of a region.
struct Block {
    symbol: String,
    item_bytes: u8,
    /// The bytes of all items of a PE.
    bytes: u64,
}

#[pymethods]
impl Design {
    #[new]
    fn new(arch: Arch) -> Design {
        Design { layout: Layout::new(arch.into()), blocks: Vec::new() }
    }

    fn color(&mut self, py: Python<'_>, name: &str, value: Option<u8>) -> PyResult<usize> {
        raised(py, self.layout.color(name, value)).map(|color| color.0)
    }

    fn region(&mut self, py: Python<'_>, source: &str, name: &str, width: u32, height: u32) -> PyResult<usize> {
        raised(py, self.layout.region(source, name, width, height)).map(|region| region.0)
    }

    fn set_number(
        &mut self,
        py: Python<'_>,
        region: usize,
        area: Option<Area>,
        name: &str,
        value: i64,
    ) -> PyResult<()> {
        raised(py, self.layout.set_param(RegionId(region), area.map(|area| area.0), name, Value::Int(value)))
    }

    fn set_color(
        &mut self,
        py: Python<'_>,
        region: usize,
        area: Option<Area>,
        name: &str,
        color: usize,
    ) -> PyResult<()> {
        let value = Value::Color(ColorId(color));
        raised(py, self.layout.set_param(RegionId(region), area.map(|area| area.0), name, value))
    }

    fn paint(
        &mut self,
        py: Python<'_>,
        region: usize,
        area: Option<Area>,
        color: usize,
        routes: Vec<Position>,
    ) -> PyResult<()> {
        raised(py, self.layout.paint(RegionId(region), area.map(|area| area.0), ColorId(color), &positions(&routes)))
    }

    fn paint_edge(
        &mut self,
        py: Python<'_>,
        region: usize,
        edge: Edge,
        color: usize,
        routes: Vec<Position>,
    ) -> PyResult<()> {
        raised(py, self.layout.paint_edge(RegionId(region), edge.into(), ColorId(color), &positions(&routes)))
    }

    #[expect(clippy::too_many_arguments, reason = "the host API's own list")]
    fn port(
        &mut self,
        py: Python<'_>,
        region: usize,
        flow: Flow,
        color: usize,
        edge: Edge,
        routes: Vec<Position>,
        size: u64,
        prefix: &str,
    ) -> PyResult<usize> {
        let (flow, color, routes) = (flow.into(), ColorId(color), positions(&routes));
        raised(py, self.layout.port(RegionId(region), flow, color, edge.into(), &routes, size, prefix))
            .map(|port| port.0)
    }

    fn place(&mut self, py: Python<'_>, region: usize, x: i32, y: i32) -> PyResult<()> {
        raised(py, self.layout.place(RegionId(region), (x, y)))
    }

    fn hstack(&mut self, py: Python<'_>, children: Vec<usize>, origin: Option<Cell>) -> PyResult<u32> {
        raised(py, self.layout.hstack(&regions(&children), origin))
    }

    fn vstack(&mut self, py: Python<'_>, children: Vec<usize>, origin: Option<Cell>) -> PyResult<u32> {
        raised(py, self.layout.vstack(&regions(&children), origin))
    }

    fn connect(&mut self, py: Python<'_>, tx: usize, rx: usize) -> PyResult<()> {
        raised(py, self.layout.connect(PortId(tx), PortId(rx)))
    }

    fn stream(
        &mut self,
        py: Python<'_>,
        flow: Flow,
        port: usize,
        place: Option<Cell>,
        buffer: u16,
    ) -> PyResult<String> {
        raised(py, self.layout.stream(flow.into(), PortId(port), place, buffer))
    }

    fn stream_at(&mut self, py: Python<'_>, flow: Flow, place: Cell, color: usize, prefix: &str) -> PyResult<String> {
        raised(py, self.layout.stream_at(flow.into(), place, ColorId(color), prefix))
    }

    fn set_symbol(
        &mut self,
        py: Python<'_>,
        region: usize,
        symbol: &str,
        data: &[u8],
        item_bytes: u8,
        shape: (u32, u32),
    ) -> PyResult<()> {
        let items = data.chunks_exact(usize::from(item_bytes.max(1))).map(word).collect();
        raised(py, self.layout.set_symbol(RegionId(region), symbol, items, item_bytes, shape))?;
        let Size { width, height } = self.layout.size(RegionId(region));
        let bytes = data.len() as u64 / (u64::from(width) * u64::from(height)).max(1);
        self.blocks.push(Block { symbol: symbol.to_owned(), item_bytes, bytes });
        Ok(())
    }

    /// Compiles into `output`, relative to `folder`.
    #[pyo3(signature = (folder, output, libraries, fp16, *, save_port_map))]
    fn compile(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        output: PathBuf,
        libraries: Vec<PathBuf>,
        fp16: Fp16,
        save_port_map: bool,
    ) -> Compiled {
        let asked = LayoutOptions { folder, output, import_paths: libraries, fp16: fp16.into(), save_port_map };
        let done = py.detach(|| self.layout.compile(&asked));
        let folder = asked.folder.join(&asked.output);
        let wrong = if done.succeeded() { self.items_of_other_sizes(&folder) } else { None };
        Compiled {
            succeeded: done.succeeded() && wrong.is_none(),
            folder,
            messages: wrong.unwrap_or_else(|| done.render(&Rendering::default())),
            text: done.text().to_owned(),
        }
    }
}

impl Design {
    /// Says which data have items of another size than those of the symbol and fill a part of it. Data of another size that
    /// fill it are its bits.
    fn items_of_other_sizes(&self, folder: &Path) -> Option<String> {
        // Without data there is nothing to look for in what may be a large file.
        let image = if self.blocks.is_empty() { None } else { read_image(folder).ok() }?;
        let told = self.blocks.iter().find_map(|block| block.wrong_in(&image))?;
        Some(format!("{told}. The program in {} has the wrong data", folder.display()))
    }
}

impl Block {
    fn wrong_in(&self, image: &Image) -> Option<String> {
        image.patches.iter().find_map(|patch| {
            let symbol = image.program_at(patch.x, patch.y)?.symbol(&self.symbol)?;
            let target = PatchTarget::Memory { addr: symbol.addr, bytes: self.item_bytes };
            let own = bytes_of_number(element(&symbol.ty))?;
            let is_wrong = patch.target == target && own != self.item_bytes && self.bytes < u64::from(symbol.size);
            is_wrong.then(|| {
                format!(
                    "set_symbol_all: {}, a {}, has items of {own} bytes, and data has items of {}: the {} bytes for each PE fill a \
                     part of its {}. Give data items of the symbol's size, by data.astype(...)",
                    self.symbol, symbol.ty, self.item_bytes, self.bytes, symbol.size
                )
            })
        })
    }
}

/// The type of the elements of an array, or the type itself: `f32` of `[3][2]f32`.
fn element(ty: &str) -> &str {
    ty.rfind(']').map_or(ty, |end| &ty[end + 1..])
}

/// The bytes of a number for which there are items of its size, of 16 and 32 bits.
fn bytes_of_number(ty: &str) -> Option<u8> {
    match ty {
        "i16" | "u16" | "f16" | "bf16" | "cb16" => Some(2),
        "i32" | "u32" | "f32" => Some(4),
        _ => None,
    }
}

fn raised<T>(py: Python<'_>, result: Result<T, LayoutError>) -> PyResult<T> {
    result.map_err(|error| raise(py, &error.into()))
}

fn positions(routes: &[Position]) -> Vec<layout::Position> {
    routes.iter().map(|position| position.0).collect()
}

fn regions(children: &[usize]) -> Vec<RegionId> {
    children.iter().map(|child| RegionId(*child)).collect()
}

/// A little-endian item of up to four bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
