//! Compiles a layout: from the description to the output folder.

use csl_machine::{Color, Size};
use std::path::PathBuf;

use csl_image::{Image, Patch, PatchTarget, PatchValues, Stream, Symbol};
use csl_ir::Route;
use csl_num::FloatKind;
use csl_sema::{Assembly, Kind, ParamValue};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::compile::{self, Compilation, Extras};
use crate::layout::Layout;
use crate::layout::grid::{Area, Cell};
use crate::layout::region::{Region, SymbolData, Value, config};
use crate::layout::streams::to_json;
use crate::layout::wiring::{Relay, Wiring};
use crate::options::Options;
use crate::outdir::{COLORS_FILE, PORT_MAP_FILE};

/// The program of a stream's PE.
const RELAY: &str = "<sdklayout/stream>";

/// Options of the compilation of a layout.
#[derive(Clone, Debug)]
pub struct LayoutOptions {
    /// The folder that relative paths are relative to.
    pub folder: PathBuf,
    /// The output folder.
    pub output: PathBuf,
    /// Folders searched for `<...>` before the embedded library.
    pub import_paths: Vec<PathBuf>,
    /// The program's 16-bit float format.
    pub fp16: FloatKind,
    /// Whether to write the list of streams beside the program too.
    pub save_port_map: bool,
}

type KindKey = (String, Vec<(String, ParamValue)>);

/// The layout after colors have numbers.
struct Plan<'a> {
    layout: &'a Layout,
    wiring: Wiring,
    /// The numbers of colors: by class, and by color.
    numbers: Vec<Color>,
}

impl Layout {
    /// Compiles everything and writes the output folder.
    pub fn compile(&self, options: &LayoutOptions) -> Compilation {
        let mut done = Compilation::default();
        if let Err(error) = self.compile_into(options, &mut done) {
            done.fail(error);
        }
        done
    }

    fn compile_into(&self, options: &LayoutOptions, done: &mut Compilation) -> Result<(), String> {
        if self.regions.is_empty() {
            return Err("the layout has no code region".to_owned());
        }
        let wiring = Wiring::new(self).map_err(|error| error.to_string())?;
        let colors = self.arch.chip().fabric.colors;
        let numbers = wiring.classes.number(&wiring.uses, colors).map_err(|error| error.to_string())?;
        let plan = Plan { layout: self, wiring, numbers };
        let settings = settings(self, options);
        let Some(mut image) = compile::assemble(&settings, &plan.assembly(), done) else { return Ok(()) };
        image.patches.extend(plan.patches(&image)?);
        compile::store(&settings, image, done, plan.extras(options.save_port_map))
    }
}

fn settings(layout: &Layout, options: &LayoutOptions) -> Options {
    Options {
        folder: options.folder.clone(),
        output: options.output.clone(),
        import_paths: options.import_paths.clone(),
        fp16: options.fp16,
        arch: layout.arch,
        ..Options::new("")
    }
}

impl Plan<'_> {
    // ---- tiles and routes ----

    fn assembly(&self) -> Assembly {
        let size @ Size { width, height } = self.extent();
        let mut kinds: IndexMap<KindKey, String> = IndexMap::new();
        let mut tiles = vec![0; width as usize * height as usize];
        let mut set = |(x, y): Cell, key: KindKey, description: &dyn Fn() -> String| {
            let entry = kinds.entry(key);
            tiles[y as usize * width as usize + x as usize] = entry.index() as u32 + 1;
            entry.or_insert_with(description);
        };
        for (region, area) in self.layout.regions.iter().zip(&self.wiring.areas) {
            for cell in area.cells() {
                let params = self.params(region, (cell.0 - area.x, cell.1 - area.y));
                let description = || format!("code region {} of {}", region.name, region.source);
                set(cell, (region.source.clone(), params), &description);
            }
        }
        for relay in &self.wiring.relays {
            set(relay.cell, self.relay(relay), &|| format!("stream {}", relay.name));
        }
        let kinds = kinds.into_iter().map(|((file, params), description)| Kind { file, params, description });
        Assembly { size, kinds: kinds.collect(), tiles, routes: self.routes() }
    }

    /// Columns and rows of the smallest rectangle from the north-west corner that holds all regions, paths and streams.
    fn extent(&self) -> Size {
        let areas = self.wiring.areas.iter().map(|area| (area.end_x, area.end_y));
        let cells = self.wiring.uses.keys().map(|cell| (cell.0 + 1, cell.1 + 1));
        let (width, height) = areas.chain(cells).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        Size { width: width as u32, height: height as u32 }
    }

    fn params(&self, region: &Region, cell: Cell) -> Vec<(String, ParamValue)> {
        let mut params: IndexMap<&str, &Value> = IndexMap::new();
        for (_, name, value) in region.params.iter().filter(|(area, _, _)| area.contains(cell)) {
            params.insert(name, value);
        }
        let bind = |value: &Value| match value {
            Value::Int(number) => ParamValue::Int(*number),
            Value::Color(color) => ParamValue::Color(self.numbers[color.0]),
        };
        params.into_iter().map(|(name, value)| (name.to_owned(), bind(value))).collect()
    }

    fn relay(&self, relay: &Relay) -> KindKey {
        let number = |class: usize| ParamValue::Int(self.numbers[class].number().into());
        let params = [
            ("in_color", number(relay.from)),
            ("out_color", number(relay.to)),
            ("buffer_size", ParamValue::Int(i64::from(relay.buffer))),
        ];
        (RELAY.to_owned(), params.map(|(name, value)| (name.to_owned(), value)).to_vec())
    }

    fn routes(&self) -> Vec<Route> {
        let route = |((cell, class), positions): (&(Cell, usize), &Vec<_>)| Route {
            x: cell.0 as u32,
            y: cell.1 as u32,
            color: self.numbers[*class],
            config: config(positions).into(),
        };
        self.wiring.routes.iter().map(route).collect()
    }

    // ---- data ----

    fn patches(&self, image: &Image) -> Result<Vec<Patch>, String> {
        let mut patches = Vec::new();
        for (region, area) in self.layout.regions.iter().zip(&self.wiring.areas) {
            for data in &region.symbols {
                for y in area.y..area.end_y {
                    row_patches(image, region, area, data, y, &mut patches)?;
                }
            }
        }
        Ok(patches)
    }

    // ---- files ----

    fn extras(&self, save_port_map: bool) -> Extras {
        let streams = self.streams();
        let port_map = save_port_map.then(|| (PORT_MAP_FILE, to_json(&streams)));
        let files = [(COLORS_FILE, self.colors())].into_iter().chain(port_map).collect();
        Extras { streams, files }
    }

    fn streams(&self) -> Vec<Stream> {
        let info = |outlet: &crate::layout::wiring::Outlet| Stream {
            name: outlet.name.clone(),
            flow: outlet.flow,
            x: outlet.cell.0 as u32,
            y: outlet.cell.1 as u32,
            color: self.numbers[outlet.class],
        };
        self.wiring.outlets.iter().map(info).collect()
    }

    fn colors(&self) -> Json {
        let named = self.layout.colors.keys().zip(&self.numbers);
        Json::Object(named.map(|(name, number)| (name.clone(), json!(number))).collect())
    }
}

/// Initial values of one object in one row of a region, by stretches of PEs with the same program.
fn row_patches(
    image: &Image,
    region: &Region,
    area: &Area,
    data: &SymbolData,
    y: i32,
    patches: &mut Vec<Patch>,
) -> Result<(), String> {
    let (block_w, block_h) = (data.width / region.width, data.height / region.height);
    let mut x = area.x;
    while x < area.end_x {
        let symbol = symbol_at(image, region, data, (x, y))?;
        let same = |next: &i32| symbol_at(image, region, data, (*next, y)).is_ok_and(|s| s.addr == symbol.addr);
        let end = (x..area.end_x).take_while(same).last().unwrap_or(x) + 1;
        for at in 0..block_w * block_h {
            let row = (y - area.y) as u32 * block_h + at / block_w;
            let item = |column: i32| {
                let column = (column - area.x) as u32 * block_w + at % block_w;
                u64::from(data.items[row as usize * data.width as usize + column as usize])
            };
            patches.push(Patch {
                x: x as u32,
                y: y as u32,
                len: (end - x) as u32,
                target: PatchTarget::Memory {
                    addr: symbol.addr + (at * u32::from(data.bytes)) as u16,
                    bytes: data.bytes,
                },
                values: PatchValues::Table((x..end).map(item).collect()),
            });
        }
        x = end;
    }
    Ok(())
}

/// The object on a PE, which has to have room for the PE's block.
fn symbol_at<'a>(image: &'a Image, region: &Region, data: &SymbolData, cell: Cell) -> Result<&'a Symbol, String> {
    let program = image.program_at(cell.0 as u32, cell.1 as u32);
    let found = program.and_then(|program| program.symbol(&data.symbol));
    let Some(symbol) = found else {
        return Err(format!("set_symbol_all: the program of {} has no symbol {}", region.name, data.symbol));
    };
    let bytes = u64::from(data.width / region.width) * u64::from(data.height / region.height) * u64::from(data.bytes);
    if bytes > u64::from(symbol.size) {
        return Err(format!(
            "set_symbol_all: {bytes} bytes for each PE of {} do not fit into {}, which has {}",
            region.name, data.symbol, symbol.size
        ));
    }
    // Items of another size that fill the symbol are its bits.
    if bytes < u64::from(symbol.size)
        && let Some(own) = item_bytes(&symbol.ty).filter(|own| *own != data.bytes)
    {
        return Err(format!(
            "set_symbol_all: {}, a {}, has items of {own} bytes, and data has items of {}: the {bytes} bytes for each PE fill a \
             part of its {}. Give data items of the symbol's size, by data.astype(...)",
            data.symbol, symbol.ty, data.bytes, symbol.size
        ));
    }
    Ok(symbol)
}

/// The size of the items of a type in bytes, such as 4 of `[3][2]f32`; `None` where there are no items of that size.
fn item_bytes(ty: &str) -> Option<u8> {
    let element = ty.rfind(']').map_or(ty, |end| &ty[end + 1..]);
    match element {
        "i16" | "u16" | "f16" | "bf16" | "cb16" => Some(2),
        "i32" | "u32" | "f32" => Some(4),
        _ => None,
    }
}
