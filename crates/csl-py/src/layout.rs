//! `csl_host::layout` for `waferlab.layout`: handles cross as numbers.

use std::path::PathBuf;

use csl_host::layout::{Area, Cell, ColorId, Edge, Layout, LayoutOptions, PortId, Position, RegionId, Value, Way};
use csl_host::{Arch, ErrorFormat, HostError, Style, options};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::raise;

/// x, y of the north-west PE; x, y behind the south-east PE.
type Corners = (i32, i32, i32, i32);
/// Sets of directions, by bit: west, east, south, north, ramp.
type Routes = Vec<(u8, u8)>;

#[pyclass]
pub struct Design {
    layout: Layout,
}

#[pymethods]
impl Design {
    #[new]
    fn new(arch: &str) -> PyResult<Design> {
        let arch = Arch::from_name(arch).ok_or_else(|| PyValueError::new_err(format!("unknown target {arch}")))?;
        Ok(Design { layout: Layout::new(arch) })
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
        area: Option<Corners>,
        name: &str,
        value: i64,
    ) -> PyResult<()> {
        raised(py, self.layout.set_param(RegionId(region), area.map(corners), name, Value::Int(value)))
    }

    fn set_color(
        &mut self,
        py: Python<'_>,
        region: usize,
        area: Option<Corners>,
        name: &str,
        color: usize,
    ) -> PyResult<()> {
        let value = Value::Color(ColorId(color));
        raised(py, self.layout.set_param(RegionId(region), area.map(corners), name, value))
    }

    fn paint(
        &mut self,
        py: Python<'_>,
        region: usize,
        area: Option<Corners>,
        color: usize,
        routes: Routes,
    ) -> PyResult<()> {
        raised(py, self.layout.paint(RegionId(region), area.map(corners), ColorId(color), &positions(&routes)))
    }

    fn paint_edge(&mut self, py: Python<'_>, region: usize, edge: &str, color: usize, routes: Routes) -> PyResult<()> {
        raised(py, self.layout.paint_edge(RegionId(region), edge_of(edge)?, ColorId(color), &positions(&routes)))
    }

    #[expect(clippy::too_many_arguments, reason = "the host API's own list")]
    fn port(
        &mut self,
        py: Python<'_>,
        region: usize,
        is_input: bool,
        color: usize,
        edge: &str,
        routes: Routes,
        size: u64,
        prefix: &str,
    ) -> PyResult<usize> {
        let (routes, edge) = (positions(&routes), edge_of(edge)?);
        let port = self.layout.port(RegionId(region), way(is_input), ColorId(color), edge, &routes, size, prefix);
        raised(py, port).map(|port| port.0)
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
        is_input: bool,
        port: usize,
        place: Option<Cell>,
        buffer: u16,
    ) -> PyResult<String> {
        raised(py, self.layout.stream(way(is_input), PortId(port), place, buffer))
    }

    fn stream_at(
        &mut self,
        py: Python<'_>,
        is_input: bool,
        place: Cell,
        color: usize,
        prefix: &str,
    ) -> PyResult<String> {
        raised(py, self.layout.stream_at(way(is_input), place, ColorId(color), prefix))
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

    /// Compiles into `output`, relative to `folder`: whether it succeeded, the output folder, and the diagnostics.
    fn compile(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        output: PathBuf,
        libraries: Vec<PathBuf>,
        fp16: &str,
        save_port_map: bool,
    ) -> PyResult<(bool, PathBuf, String)> {
        let fp16 = options::parse_fp16(fp16).map_err(PyValueError::new_err)?;
        let asked = LayoutOptions { folder, output, import_paths: libraries, fp16, save_port_map };
        let done = py.detach(|| self.layout.compile(&asked));
        let text = done.render(ErrorFormat::Human, Style::Plain);
        Ok((done.succeeded(), asked.folder.join(&asked.output), text))
    }
}

fn raised<T>(py: Python<'_>, result: Result<T, HostError>) -> PyResult<T> {
    result.map_err(|error| raise(py, &error))
}

fn corners((x, y, end_x, end_y): Corners) -> Area {
    Area { x, y, end_x, end_y }
}

fn positions(routes: &Routes) -> Vec<Position> {
    routes.iter().map(|(rx, tx)| Position::new(*rx, *tx)).collect()
}

fn regions(children: &[usize]) -> Vec<RegionId> {
    children.iter().map(|child| RegionId(*child)).collect()
}

fn way(is_input: bool) -> Way {
    if is_input { Way::In } else { Way::Out }
}

fn edge_of(name: &str) -> PyResult<Edge> {
    match name {
        "TOP" => Ok(Edge::Top),
        "BOTTOM" => Ok(Edge::Bottom),
        "LEFT" => Ok(Edge::Left),
        "RIGHT" => Ok(Edge::Right),
        _ => Err(PyValueError::new_err(format!("unknown edge {name}"))),
    }
}

/// A little-endian item of up to four bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
