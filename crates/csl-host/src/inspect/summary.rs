//! Shows all of a compiled program on one screen.

use csl_image::Image;
use serde_json::{Value, json};

use super::{symbols, tiles, variants};

pub(super) fn text(image: &Image) -> String {
    let (size, offset, fabric) = (image.rect, image.offset, image.fabric);
    let mut out = format!("arch     {}\n", image.arch);
    out += &format!("sdk      {}.{}\n", image.sdk.major, image.sdk.minor);
    out += &format!("fabric   {} x {} PEs\n", fabric.width, fabric.height);
    out += &format!("program  {} x {} PEs at ({}, {})\n", size.width, size.height, offset.x, offset.y);
    if let Some(memcpy) = image.memcpy {
        out += &format!("memcpy   {}\n", crate::counted(memcpy.channels.into(), "channel"));
    }
    let colors = super::routes::colors(image);
    let colors: Vec<String> = colors.iter().map(|(color, _)| color.to_string()).collect();
    if !colors.is_empty() {
        out += &super::wrapped("colors  ", &colors, 9);
    }
    out += "\n";
    let all: Vec<usize> = (0..image.programs.len()).collect();
    for variants in variants(image, &all) {
        let pes = variants.iter().map(|&number| tiles::count(image, number)).sum();
        let data = variants.iter().map(|&number| image.programs[number].data_end).max().unwrap_or(0);
        let (name, count) = (&image.programs[variants[0]].name, crate::counted(variants.len() as u64, "program"));
        out += &format!("{name}: {count} on {}, up to {data} bytes of data\n", crate::counted(pes, "PE"));
    }
    if !image.exports.is_empty() {
        out += "\n";
        out += &symbols::text(image);
    }
    out
}

pub(super) fn json(image: &Image) -> Value {
    let programs = image.programs.iter().enumerate().map(|(number, program)| {
        json!({
            "number": number, "name": program.name, "pes": tiles::count(image, number),
            "functions": program.funcs.len(), "data_bytes": program.data_end,
        })
    });
    json!({
        "arch": image.arch.name(),
        "sdk": format!("{}.{}", image.sdk.major, image.sdk.minor),
        "fabric": { "width": image.fabric.width, "height": image.fabric.height },
        "offset": { "x": image.offset.x, "y": image.offset.y },
        "program": { "width": image.rect.width, "height": image.rect.height },
        "channels": image.memcpy.map(|memcpy| memcpy.channels),
        "colors": super::routes::colors(image).iter().map(|(color, _)| *color).collect::<Vec<csl_machine::Color>>(),
        "programs": programs.collect::<Vec<Value>>(),
        "symbols": symbols::json(image),
        "params": image.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>(),
    })
}
