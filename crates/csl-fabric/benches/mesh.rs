//! Benchmark of a mesh in which every CE streams to its neighbours: millions of link hops a second, and nanoseconds a
//! tile and cycle. `cargo bench -p waferlab-fabric -- [WIDTH HEIGHT CYCLES]`

use std::sync::Arc;
use std::time::Instant;

use csl_fabric::{Ramp, RouteTable, Row, VcId};
use csl_machine::{Arch, Color, ColorConfig, DirSet, Direction, Wavelet};

/// CEs that take every wavelet and send whenever the router has room.
struct TestElements;

impl Ramp for TestElements {
    fn room(&mut self, _x: u32, _color: Color) -> bool {
        true
    }

    fn deliver(&mut self, _x: u32, _color: Color, wavelet: Wavelet, _is_own: bool) {
        std::hint::black_box(wavelet);
    }

    fn accepted(&mut self, _x: u32, _color: Color) {}
    fn torn_down(&mut self, _x: u32, _color: Color) {}
}

/// Each color goes one tile in its direction: a sender's, then a receiver's half, in checkerboard columns or rows.
fn table(width: u32, height: u32, directions: usize) -> RouteTable {
    let mut configs = Vec::new();
    let mut sets = Vec::new();
    let mut rows = vec![Vec::new(); height as usize];
    for y in 0..height {
        for x in 0..width {
            let mut set = Vec::new();
            for side in 0..directions {
                for phase in 0..2u32 {
                    let line = if side < 2 { x } else { y };
                    let last = if side < 2 { width - 1 } else { height - 1 };
                    let edge = [0, last, last, 0][side] == line;
                    let other = [last, 0, 0, last][side] == line;
                    let way = Direction::LINKS[side];
                    let (into, back) = (DirSet::of(way), DirSet::of(way.opposite()));
                    let config = match (line + phase) % 2 {
                        0 if !edge => ColorConfig::route(DirSet::RAMP, into),
                        1 if !other => ColorConfig::route(back, DirSet::RAMP),
                        _ => continue,
                    };
                    set.push((Color::at((side * 2) as u8 + phase as u8), configs.len() as u32));
                    configs.push(config);
                }
            }
            rows[y as usize].push((x, 1, sets.len() as u32));
            sets.push(set);
        }
    }
    RouteTable::new(width, rows, sets, configs)
}

fn run(width: u32, height: u32, cycles: u64, directions: usize) {
    let table = Arc::new(table(width, height, directions));
    let chip = Arch::Wse2.chip();
    let mut rows: Vec<Row> = (0..height).map(|y| Row::new(Arc::clone(&table), y, chip, false)).collect();
    let mut senders: Vec<Vec<(VcId, u64)>> = Vec::new();
    for y in 0..height {
        let vcs = table.vcs(y).enumerate();
        senders.push(
            vcs.filter(|(_, r)| r.2.config.rx == DirSet::RAMP).map(|(n, r)| (VcId::at(n), u64::from(r.1))).collect(),
        );
    }
    let start = Instant::now();
    let mut injected = 0u64;
    for now in 0..cycles {
        for y in 0..rows.len() {
            rows[y].arrive(now).expect("no fault");
            for (vc, color) in &senders[y] {
                // The onramp takes one wavelet a cycle, so the colors of a tile take turns.
                if directions == 1 || (now + color) % directions as u64 == 0 {
                    injected += u64::from(rows[y].inject(*vc, Wavelet::word(now as u32), now).expect("no fault"));
                }
            }
            rows[y].route(now, &mut TestElements);
            if y > 0 {
                let (above, below) = rows.split_at_mut(y);
                Row::exchange(&mut above[y - 1], &mut below[0], now);
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let landings: u64 = rows.iter().map(Row::moved).sum();
    let hops = landings - injected;
    let tiles = f64::from(width * height);
    println!(
        "mesh {width}x{height} {directions} directions: {:.1} M link hops/s, {:.1} ns a tile and cycle",
        hops as f64 / seconds / 1e6,
        seconds * 1e9 / tiles / cycles as f64,
    );
}

fn main() {
    let numbers: Vec<u32> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (width, height, cycles) = match numbers[..] {
        [width, height, cycles] => (width, height, u64::from(cycles)),
        _ if std::env::args().any(|arg| arg == "--quick") => (32, 32, 2_000),
        _ => (32, 32, 20_000),
    };
    for directions in [1, 4] {
        run(width, height, cycles, directions);
    }
}
