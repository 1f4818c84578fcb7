//! Prints the layout.

use std::fmt::Write;

use csl_machine::{ColorConfig, DirSet, Filter, PopMode, SwitchPos};

use crate::layout::Wafer;

/// Tiles, routes and exports.
pub fn dump_layout(wafer: &Wafer) -> String {
    let mut lines = vec![format!("rectangle {} x {}", wafer.size.width, wafer.size.height)];
    lines.extend(wafer.params.iter().map(|(name, value)| format!("param {name} = {value}")));
    for run in &wafer.tiles {
        let name = wafer.programs.get(run.program.index()).map_or("?", |program| &program.name);
        lines.push(format!("tiles {}: program {} {name}", place(run.x, run.y, run.len), run.program));
    }
    lines.extend(routes(wafer));
    for export in &wafer.exports {
        let mutable = match export.mutable {
            Some(true) => " mutable",
            Some(false) => " read-only",
            None => "",
        };
        lines.push(format!("export {} id {}: {}{mutable}", export.name, export.id, wafer.types.show(export.ty)));
    }
    lines.join("\n") + "\n"
}

fn place(x: u32, y: u32, len: u32) -> String {
    if len == 1 { format!("({x}, {y})") } else { format!("({x}..={}, {y})", x + len - 1) }
}

/// The routes by color, row and column; neighbours with equal configurations share a line.
fn routes(wafer: &Wafer) -> Vec<String> {
    let mut routes: Vec<_> = wafer.routes.iter().collect();
    routes.sort_by_key(|route| (route.color, route.y, route.x));
    let runs = routes.chunk_by(|a, b| (a.color, a.y, a.x + 1, &a.config) == (b.color, b.y, b.x, &b.config));
    runs.map(|run| {
        let first = run[0];
        format!("color {} at {}: {}", first.color, place(first.x, first.y, run.len() as u32), config(&first.config))
    })
    .collect()
}

pub fn config(config: &ColorConfig) -> String {
    let mut text = format!("rx {} tx {}", dirs(config.rx), dirs(config.tx));
    for (swap, name) in [(config.swap_x, " swap x"), (config.swap_y, " swap y")] {
        text.push_str(if swap { name } else { "" });
    }
    for (at, position) in config.positions.iter().enumerate() {
        text.push_str(&switch_pos(at + 1, *position));
    }
    let options = [
        (config.current_pos != 0).then(|| format!(" at position {}", config.current_pos)),
        config.ring_mode.then(|| " ring".to_string()),
        (config.pop_mode != PopMode::NoPop).then(|| format!(" pop {:?}", config.pop_mode)),
        config.filter.as_ref().map(filter),
        config.teardown.then(|| " teardown".to_string()),
        config.messages.map(|first| format!(" messages from {first}")),
    ];
    options.into_iter().flatten().for_each(|option| text.push_str(&option));
    text
}

fn switch_pos(at: usize, position: SwitchPos) -> String {
    match position {
        SwitchPos::Invalid => String::new(),
        SwitchPos::Rx(rx) => format!(" pos{at} rx {}", dirs(rx)),
        SwitchPos::Tx(tx) => format!(" pos{at} tx {}", dirs(tx)),
        SwitchPos::Both(rx, tx) => format!(" pos{at} rx {} tx {}", dirs(rx), dirs(tx)),
    }
}

fn dirs(dirs: DirSet) -> String {
    if dirs.is_empty() { "-".into() } else { dirs.names() }
}

fn filter(filter: &Filter) -> String {
    let mut text = format!(" filter {:?}", filter.kind);
    let flags = [
        (filter.count_data, "count data"),
        (filter.count_control, "count control"),
        (filter.filter_control, "filter control"),
        (filter.fast_mode, "fast"),
    ];
    for (_, name) in flags.into_iter().filter(|flag| flag.0) {
        write!(text, " {name}").expect("writing to a String does not fail");
    }
    let limit2 = filter.limit2.map_or(String::new(), |limit| format!("/{limit}"));
    text.push_str(&format!(" from {} limit {}{limit2}", filter.init_counter, filter.limit1));
    text.push_str(&format!(" max {} index {}..={}", filter.max_counter, filter.min_idx, filter.max_idx));
    text
}
