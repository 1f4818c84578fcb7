//! Layouts that a host program describes instead of a `layout` block: the vendor's `SdkLayout`.
//!
//! [`Layout`] is the description: code regions, params, colors, ports, connections, streams. [`Layout::compile`] places
//! the regions ([`placing`]), finds a path for every connection ([`router`], [`wiring`]), gives every color its number
//! ([`colors`]) and hands tiles and routes to the compiler ([`compiling`]). Coordinates are those of the whole fabric.

mod colors;
mod compiling;
mod error;
mod grid;
mod placing;
mod region;
mod router;
mod streams;
mod wiring;

use csl_machine::{Arch, MOST_FABRIC_SIDE, Size};
use indexmap::IndexMap;

pub use compiling::LayoutOptions;
pub use csl_image::{Flow, Stream as StreamInfo};
pub use csl_machine::Direction;
pub use error::LayoutError;
pub use grid::{Area, Cell, Edge};
pub use region::{Position, Value};

use region::{Region, SymbolData};

/// A color of a [`Layout`], valid for the layout that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColorId(pub usize);
/// A code region of a [`Layout`], valid for the layout that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegionId(pub usize);
/// A port of a [`Layout`], valid for the layout that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortId(pub usize);

#[derive(Clone, Debug)]
struct Port {
    name: String,
    flow: Flow,
    region: RegionId,
    edge: Edge,
    color: ColorId,
    /// The number of wavelets that pass in a run; equal at both ends of a connection.
    size: u64,
    is_used: bool,
}

/// The end of a stream of the host.
#[derive(Clone, Debug)]
enum StreamEnd {
    /// A PE of its own, connected to a port; `None` leaves its place to the compiler. The buffer is in words.
    Port { port: PortId, place: Option<Cell>, buffer: u16 },
    /// A PE of a region.
    Tile { tile: Cell, color: ColorId },
}

#[derive(Clone, Debug)]
struct Stream {
    name: String,
    /// From the host's side: `In` goes to the device.
    flow: Flow,
    end: StreamEnd,
}

/// A description in the making.
#[derive(Clone, Debug)]
pub struct Layout {
    arch: Arch,
    regions: Vec<Region>,
    /// The colors by global name, with their numbers where they are fixed.
    colors: IndexMap<String, Option<u8>>,
    ports: Vec<Port>,
    connections: Vec<(PortId, PortId)>,
    streams: Vec<Stream>,
}

impl Layout {
    /// A layout without regions, for a generation of the wafer.
    pub fn new(arch: Arch) -> Layout {
        Layout {
            arch,
            regions: Vec::new(),
            colors: IndexMap::new(),
            ports: Vec::new(),
            connections: Vec::new(),
            streams: Vec::new(),
        }
    }

    /// The color of this name, made on first mention, with the number `value` if it is given. A second, different
    /// number is refused.
    ///
    /// # Errors
    /// [`LayoutError::ColorNumber`] or [`LayoutError::TwoValues`].
    pub fn color(&mut self, name: &str, value: Option<u8>) -> Result<ColorId, LayoutError> {
        let colors = self.arch.chip().fabric.colors;
        if let Some(number) = value.filter(|number| *number >= colors) {
            return Err(LayoutError::ColorNumber { name: name.to_owned(), number, colors });
        }
        let entry = self.colors.entry(name.to_owned());
        let id = ColorId(entry.index());
        let known = entry.or_insert(value);
        match (*known, value) {
            (Some(a), Some(b)) if a != b => Err(LayoutError::TwoValues { name: name.to_owned(), a, b }),
            (None, Some(_)) => {
                *known = value;
                Ok(id)
            }
            _ => Ok(id),
        }
    }

    /// A rectangle of `width` columns and `height` rows of PEs that run the file `source`.
    ///
    /// # Errors
    /// [`LayoutError::EmptyRegion`], [`LayoutError::LargeRegion`] or [`LayoutError::TwoRegions`].
    pub fn region(&mut self, source: &str, name: &str, width: u32, height: u32) -> Result<RegionId, LayoutError> {
        if width == 0 || height == 0 {
            return Err(LayoutError::EmptyRegion { name: name.to_owned(), width, height });
        }
        if width > MOST_FABRIC_SIDE || height > MOST_FABRIC_SIDE {
            return Err(LayoutError::LargeRegion { name: name.to_owned(), width, height, most: MOST_FABRIC_SIDE });
        }
        if self.regions.iter().any(|region| region.name == name) {
            return Err(LayoutError::TwoRegions { name: name.to_owned() });
        }
        self.regions.push(Region::new(source, name, width, height));
        Ok(RegionId(self.regions.len() - 1))
    }

    /// Columns and rows of a region, in PEs.
    pub fn size(&self, region: RegionId) -> Size {
        let region = &self.regions[region.0];
        Size { width: region.width, height: region.height }
    }

    /// Sets a param on the PEs of `area`, or of the whole region.
    ///
    /// # Errors
    /// [`LayoutError::NotInRegion`].
    pub fn set_param(
        &mut self,
        region: RegionId,
        area: Option<Area>,
        name: &str,
        value: Value,
    ) -> Result<(), LayoutError> {
        let region = &mut self.regions[region.0];
        let area = region.area(area)?;
        region.params.push((area, name.to_owned(), value));
        Ok(())
    }

    /// Routes a color on the PEs of `area`, or of the whole region. Earlier routes there are replaced.
    ///
    /// # Errors
    /// [`LayoutError::NotInRegion`], [`LayoutError::Positions`] or [`LayoutError::FirstPosition`].
    pub fn paint(
        &mut self,
        region: RegionId,
        area: Option<Area>,
        color: ColorId,
        routes: &[Position],
    ) -> Result<(), LayoutError> {
        let region = &mut self.regions[region.0];
        let area = region.area(area)?;
        region.paint(area, color, routes)
    }

    /// Paints the PEs along one edge.
    ///
    /// # Errors
    /// [`LayoutError::Positions`] or [`LayoutError::FirstPosition`].
    pub fn paint_edge(
        &mut self,
        region: RegionId,
        edge: Edge,
        color: ColorId,
        routes: &[Position],
    ) -> Result<(), LayoutError> {
        let region = &mut self.regions[region.0];
        let area = region.edge(edge);
        region.paint(area, color, routes)
    }

    /// Makes the PEs along an edge a port that `size` wavelets pass in a run. The side of `routes` that leads outwards
    /// is empty, and filled in.
    ///
    /// # Errors
    /// [`LayoutError::TwoPorts`], [`LayoutError::OuterRoute`], and those of [`Layout::paint_edge`].
    #[expect(clippy::too_many_arguments, reason = "what a port is")]
    pub fn port(
        &mut self,
        region: RegionId,
        flow: Flow,
        color: ColorId,
        edge: Edge,
        routes: &[Position],
        size: u64,
        prefix: &str,
    ) -> Result<PortId, LayoutError> {
        let name = format!("{prefix}{}", self.port_name(region, color));
        if self.ports.iter().any(|port| port.name == name && port.region == region && port.flow == flow) {
            return Err(LayoutError::TwoPorts { name });
        }
        if routes.iter().any(|route| !route.outer(flow).is_empty()) {
            return Err(LayoutError::OuterRoute { name, flow });
        }
        let routes: Vec<Position> = routes.iter().map(|route| route.leading(edge.outwards(), flow)).collect();
        self.paint_edge(region, edge, color, &routes)?;
        self.ports.push(Port { name, flow, region, edge, color, size, is_used: false });
        Ok(PortId(self.ports.len() - 1))
    }

    /// The color's name, with the region's in front where the color is not its own.
    fn port_name(&self, region: RegionId, color: ColorId) -> String {
        let (region, color) = (&self.regions[region.0].name, &self.color_name(color));
        if color.starts_with(&format!("{region}_")) { color.to_string() } else { format!("{region}_{color}") }
    }

    /// Places the north-west PE of a region in the fabric.
    ///
    /// # Errors
    /// [`LayoutError::Place`] outside of the largest fabric.
    pub fn place(&mut self, region: RegionId, at: Cell) -> Result<(), LayoutError> {
        let region = &mut self.regions[region.0];
        region.area_at(at)?;
        region.place = Some(at);
        Ok(())
    }

    /// Places regions side by side from `origin`, or from the place of the first one. Returns their width in PEs.
    ///
    /// # Errors
    /// [`LayoutError::EmptyStack`] or [`LayoutError::Place`].
    pub fn hstack(&mut self, children: &[RegionId], origin: Option<Cell>) -> Result<u32, LayoutError> {
        self.stack(children, origin, |size| Size { height: 0, ..size }).map(|size| size.width)
    }

    /// Places regions one below the other. Returns their height in PEs.
    ///
    /// # Errors
    /// [`LayoutError::EmptyStack`] or [`LayoutError::Place`].
    pub fn vstack(&mut self, children: &[RegionId], origin: Option<Cell>) -> Result<u32, LayoutError> {
        self.stack(children, origin, |size| Size { width: 0, ..size }).map(|size| size.height)
    }

    fn stack(
        &mut self,
        children: &[RegionId],
        origin: Option<Cell>,
        step: impl Fn(Size) -> Size,
    ) -> Result<Size, LayoutError> {
        let first = children.first().ok_or(LayoutError::EmptyStack)?;
        let (x, y) = origin.or(self.regions[first.0].place).unwrap_or((0, 0));
        let mut offset = Size::default();
        for child in children {
            self.place(*child, (x + offset.width as i32, y + offset.height as i32))?;
            let Size { width, height } = step(self.size(*child));
            offset = Size { width: offset.width + width, height: offset.height + height };
        }
        Ok(offset)
    }

    /// Asks for paths from the PEs of an output port to those of an input port.
    ///
    /// # Errors
    /// [`LayoutError::ConnectedFlows`], [`LayoutError::ConnectedSizes`], [`LayoutError::ConnectedWidths`] or
    /// [`LayoutError::ConnectedTwice`].
    pub fn connect(&mut self, tx: PortId, rx: PortId) -> Result<(), LayoutError> {
        let (from, to) = (&self.ports[tx.0], &self.ports[rx.0]);
        let names = || (from.name.clone(), to.name.clone());
        if (from.flow, to.flow) != (Flow::Out, Flow::In) {
            let (from, to) = names();
            return Err(LayoutError::ConnectedFlows { from, to });
        }
        let (a, b) = (from.size, to.size);
        if a != b {
            let (from, to) = names();
            return Err(LayoutError::ConnectedSizes { from, to, a, b });
        }
        let (a, b) = (self.port_pes(tx), self.port_pes(rx));
        if a != b {
            let (from, to) = names();
            return Err(LayoutError::ConnectedWidths { from, to, a, b });
        }
        self.use_port(tx)?;
        self.use_port(rx)?;
        self.connections.push((tx, rx));
        Ok(())
    }

    fn port_pes(&self, port: PortId) -> u32 {
        let port = &self.ports[port.0];
        self.regions[port.region.0].edge(port.edge).cells().count() as u32
    }

    fn use_port(&mut self, port: PortId) -> Result<(), LayoutError> {
        let port = &mut self.ports[port.0];
        if std::mem::replace(&mut port.is_used, true) {
            return Err(LayoutError::ConnectedTwice { name: port.name.clone() });
        }
        Ok(())
    }

    /// A stream between the host and a port of one PE, through a PE of its own that buffers `buffer` 32-bit words. Returns
    /// its name.
    ///
    /// # Errors
    /// [`LayoutError::StreamFlow`], [`LayoutError::StreamWidth`], [`LayoutError::NoBuffer`], [`LayoutError::Taken`] for a
    /// place outside of the largest fabric, [`LayoutError::ConnectedTwice`] or [`LayoutError::TwoStreams`].
    pub fn stream(
        &mut self,
        flow: Flow,
        port: PortId,
        place: Option<Cell>,
        buffer: u16,
    ) -> Result<String, LayoutError> {
        let name = self.ports[port.0].name.clone();
        if self.ports[port.0].flow != flow {
            return Err(LayoutError::StreamFlow { port: name });
        }
        let pes = self.port_pes(port);
        if pes != 1 {
            return Err(LayoutError::StreamWidth { port: name, pes });
        }
        if buffer == 0 {
            return Err(LayoutError::NoBuffer { port: name });
        }
        if let Some(place) = place.filter(|(x, y)| !Area::new(*x, *y, 1, 1).is_in_fabric()) {
            return Err(LayoutError::Taken { name, place });
        }
        self.use_port(port)?;
        self.add_stream(name, flow, StreamEnd::Port { port, place, buffer })
    }

    /// A stream between the host and a color of a region's PE. Returns its name.
    ///
    /// # Errors
    /// [`LayoutError::TwoStreams`].
    pub fn stream_at(&mut self, flow: Flow, tile: Cell, color: ColorId, prefix: &str) -> Result<String, LayoutError> {
        let name = format!("{prefix}{}", self.color_name(color));
        self.add_stream(name, flow, StreamEnd::Tile { tile, color })
    }

    fn add_stream(&mut self, name: String, flow: Flow, end: StreamEnd) -> Result<String, LayoutError> {
        if self.streams.iter().any(|stream| stream.name == name) {
            return Err(LayoutError::TwoStreams { name });
        }
        self.streams.push(Stream { name: name.clone(), flow, end });
        Ok(name)
    }

    /// Deals a matrix of `shape`, columns and rows of items, out to the PEs of the region, each getting its block, row by
    /// row. `items` are the matrix row by row; on the PE an item takes `bytes` bytes, the low ones of its word.
    ///
    /// # Errors
    /// [`LayoutError::Deal`] or [`LayoutError::Items`].
    pub fn set_symbol(
        &mut self,
        region: RegionId,
        symbol: &str,
        items: Vec<u32>,
        bytes: u8,
        shape: (u32, u32),
    ) -> Result<(), LayoutError> {
        let region = &mut self.regions[region.0];
        let (width, height) = shape;
        if width == 0 || height == 0 || width % region.width != 0 || height % region.height != 0 {
            let (symbol, name) = (symbol.to_owned(), region.name.clone());
            let (width, height) = (region.width, region.height);
            return Err(LayoutError::Deal { symbol, shape, region: name, width, height });
        }
        if items.len() as u64 != u64::from(width) * u64::from(height) {
            return Err(LayoutError::Items { symbol: symbol.to_owned(), items: items.len(), shape });
        }
        region.symbols.push(SymbolData { symbol: symbol.to_owned(), items, bytes, width, height });
        Ok(())
    }

    fn color_name(&self, color: ColorId) -> &str {
        self.colors.get_index(color.0).map_or("", |(name, _)| name)
    }
}
