//! Compiles the request's program and runs its steps.

use std::path::PathBuf;
use std::sync::Arc;

use csl_host::batch::{self, Array, FileCopy, ItemType};
use csl_host::inspect::{Choice, Inspection, Part};
use csl_host::options::parse_bindings;
use csl_host::{
    Arch, Argument, Compilation, ErrorFormat, FloatKind, Image, Options, Rendering, Runtime, Settings, TextSources,
    build_from,
};
use csl_num::{from_f64, to_f64};
use serde_json::{Value, json};

use crate::answer::{Answer, Fetched, Tiles};
use crate::request::{Request, Step, Values};

/// The cycle in which a run ends that the request gives no end: a page has no Ctrl-C.
const MOST_CYCLES: u64 = 100_000_000;

/// The answer to the request, both as JSON.
pub fn answer(request: &str) -> String {
    let mut answer = Answer::default();
    let outcome = serde_json::from_str(request).map_err(|error| format!("the request: {error}"));
    match outcome.and_then(|request: Request| fulfil(&request, &mut answer)) {
        Ok(done) => answer.done = done,
        Err(error) => answer.error = Some(error),
    }
    json!(answer).to_string()
}

/// Whether the program compiled and its run came to its end; an error is a report for people.
fn fulfil(request: &Request, answer: &mut Answer) -> Result<bool, String> {
    let options = options(request)?;
    let texts = request.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let mut done = Compilation::default();
    let image = build_from(&mut TextSources::new(texts), &options, &mut done);
    answer.diagnostics = done.render(&Rendering::default());
    let as_json = Rendering { format: ErrorFormat::Json, limit: None, ..Rendering::default() };
    answer.findings = done.render(&as_json).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let Some(image) = image else { return Ok(false) };
    let image = describe(image, answer)?;
    if request.steps.is_empty() {
        return Ok(true);
    }
    let mut runtime = Runtime::new(Arc::new(image), PathBuf::new(), Settings::new(1));
    runtime.limit_cycles(request.max_cycles.unwrap_or(MOST_CYCLES));
    let ran = run(&mut runtime, &request.steps, answer);
    answer.prints += &runtime.take_log();
    answer.log.extend(runtime.take_warnings().iter().map(|warning| format!("warning: {warning}")));
    answer.cycles = runtime.cycle();
    ran
}

fn options(request: &Request) -> Result<Options, String> {
    let arch = Arch::from_name(&request.arch).ok_or_else(|| format!("`{}` is not one of wse2, wse3", request.arch))?;
    let most = arch.chip().memcpy.max_channels;
    if !(1..=most).contains(&request.channels) {
        return Err(format!("channels: memcpy takes 1 to {most}, not {}", request.channels));
    }
    Ok(Options {
        arch,
        params: parse_bindings(&request.params).map_err(|error| format!("params: {error}"))?,
        memcpy: request.memcpy,
        channels: request.channels,
        fabric_dims: request.fabric_dims.map(|(width, height)| csl_host::Size { width, height }),
        fabric_offsets: request.fabric_offsets.map(|(x, y)| csl_host::Coord { x, y }),
        ..Options::new(&request.layout)
    })
}

/// Says in the answer what the program's layout is.
fn describe(image: Image, answer: &mut Answer) -> Result<Image, String> {
    answer.size = Some((image.rect.width, image.rect.height));
    let tiles = image.tiles.iter().map(|run| {
        let program = image.programs[run.program].name.clone();
        Tiles { x: run.x, y: run.y, width: run.len, program }
    });
    answer.tiles = tiles.collect();
    let mut colors: Vec<u8> = image.routes.iter().map(|run| run.color.number()).collect();
    colors.sort_unstable();
    colors.dedup();
    let inspection = Inspection::of(image, PathBuf::new());
    for color in colors {
        let choice = Choice { part: Part::Routes, color: Some(color), ..Choice::default() };
        answer.routes.insert(color, inspection.json(&choice).map_err(|error| error.to_string())?);
    }
    Ok(inspection.into_image())
}

fn run(runtime: &mut Runtime, steps: &[Step], answer: &mut Answer) -> Result<bool, String> {
    runtime.load().map_err(|error| error.to_string())?;
    runtime.run().map_err(|error| error.to_string())?;
    for step in steps {
        let line = carry_out(runtime, step, answer)?;
        answer.prints += &runtime.take_log();
        answer.log.extend(runtime.take_warnings().iter().map(|warning| format!("warning: {warning}")));
        answer.log.push(line);
        answer.step_cycles.push(runtime.cycle());
    }
    let ending = runtime.stop().map_err(|error| error.to_string())?;
    Ok(ending.is_complete())
}

/// Does one step, and returns a line on it.
fn carry_out(runtime: &mut Runtime, step: &Step, answer: &mut Answer) -> Result<String, String> {
    match step {
        Step::ToDevice { h2d, values, item, per_pe, rect } => {
            let item = item_type(item)?;
            let copy =
                FileCopy { symbol: h2d.clone(), file: "values".into(), item: None, per_pe: *per_pe, rect: *rect };
            batch::send(runtime, &copy, &array(values, item)?)
        }
        Step::ToHost { d2h, item, per_pe, rect } => {
            let item = item.as_deref().map(item_type).transpose()?;
            let copy = FileCopy { symbol: d2h.clone(), file: "values".into(), item, per_pe: *per_pe, rect: *rect };
            batch::fetch(runtime, &copy).map(|(array, line)| {
                let values = numbers(&array);
                answer.arrays.push(Fetched { symbol: d2h.clone(), shape: array.shape, values });
                line
            })
        }
        Step::Launch { launch, arguments } => {
            let arguments: Option<Vec<Argument>> = arguments.iter().map(argument).collect();
            let arguments =
                arguments.ok_or_else(|| format!("launch {launch}: arguments are numbers, true or false"))?;
            batch::launch(runtime, launch, &arguments)
        }
    }
    .map_err(|error| error.to_string())
}

fn item_type(name: &str) -> Result<ItemType, String> {
    ItemType::from_name(name).ok_or_else(|| format!("`{name}` is no type of items such as float32 or uint16"))
}

fn argument(value: &Value) -> Option<Argument> {
    match value {
        Value::Bool(value) => Some(Argument::Bool(*value)),
        Value::Number(number) => {
            let whole = number.as_i64().map(|value| Argument::Int(value.into()));
            whole.or_else(|| number.as_f64().map(Argument::Float))
        }
        _ => None,
    }
}

/// The values as items of a type; an error names one that is none.
fn array(values: &Values, item: ItemType) -> Result<Array, String> {
    let values: Vec<f64> = match values {
        Values::Items(items) => items.clone(),
        Values::Count { from, count } => (0..*count).map(|number| from + f64::from(number)).collect(),
    };
    let mut data = Vec::with_capacity(values.len() * usize::from(item.bytes));
    for &value in &values {
        let bits =
            bits(value, item).ok_or_else(|| format!("values: {value} is no whole number in the type's range"))?;
        data.extend(bits.to_le_bytes().into_iter().take(item.bytes.into()));
    }
    Ok(Array { item, shape: vec![values.len()], is_fortran: false, data })
}

/// The bits of an item, the lowest ones of the word.
fn bits(value: f64, item: ItemType) -> Option<u64> {
    let end = (8.0 * f64::from(item.bytes)).exp2();
    match (item.kind, item.bytes) {
        ('f', 2) => return Some(from_f64(FloatKind::F16, value)),
        ('f', _) => return Some(from_f64(FloatKind::F32, value)),
        _ => {}
    }
    let range = if item.kind == 'i' { -end / 2.0..end / 2.0 } else { 0.0..end };
    (value.fract() == 0.0 && range.contains(&value)).then(|| (value as i64).cast_unsigned())
}

/// The items of an array as JSON. It has no number that is not finite: those are texts.
fn numbers(array: &Array) -> Vec<Value> {
    let number = |item: &[u8]| match (array.item.kind, item) {
        ('f', &[a, b]) => float(to_f64(FloatKind::F16, u16::from_le_bytes([a, b]).into())),
        ('i', &[a, b]) => json!(i16::from_le_bytes([a, b])),
        (_, &[a, b]) => json!(u16::from_le_bytes([a, b])),
        ('f', &[a, b, c, d]) => float(f32::from_le_bytes([a, b, c, d]).into()),
        ('i', &[a, b, c, d]) => json!(i32::from_le_bytes([a, b, c, d])),
        (_, &[a, b, c, d]) => json!(u32::from_le_bytes([a, b, c, d])),
        _ => Value::Null,
    };
    array.data.chunks_exact(array.item.bytes.into()).map(number).collect()
}

fn float(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}
