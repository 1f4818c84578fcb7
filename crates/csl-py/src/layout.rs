//! `csl_host::layout` for `waferlab.layout`: handles cross the border as numbers.

use std::path::PathBuf;

use csl_host::Rendering;
use csl_host::layout::{self, Cell, ColorId, Layout, LayoutError, LayoutOptions, PortId, RegionId, Value};
use pyo3::prelude::*;

use crate::errors::raise;
use crate::values::{Arch, Area, Compiled, Edge, Flow, Fp16, Position};

#[pyclass]
pub struct Design {
    layout: Layout,
}

#[pymethods]
impl Design {
    #[new]
    fn new(arch: Arch) -> Design {
        Design { layout: Layout::new(arch.into()) }
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
        raised(py, self.layout.set_symbol(RegionId(region), symbol, items, item_bytes, shape))
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
        Compiled {
            succeeded: done.succeeded(),
            folder: asked.folder.join(&asked.output),
            messages: done.render(&Rendering::default()),
            text: done.text().to_owned(),
        }
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
