//! Lines about routers: landings, departures, switches.

use csl_fabric::{SwitchCause, SwitchState, Traced};
use csl_image::RouteRun;
use csl_machine::{Color, ColorConfig, Coord, DirSet, Direction, SwitchPos, Wavelet};
use csl_num::FloatKind;
use csl_sim::{Event, Tiles};

use super::{LogKinds, Scene};

/// The order in which the sides of a set are printed, a place each.
const PRINTED: [Direction; 5] = [Direction::East, Direction::North, Direction::West, Direction::South, Direction::Ramp];

/// The text of a router's event; `None` when the log has no such events.
pub(super) fn line(
    scene: &Scene,
    kinds: &LogKinds,
    event: &Event,
    (color, what): (Color, &Traced),
    ident: u64,
) -> Option<String> {
    let Coord { x, y } = scene.place(event);
    let tile = format!("@{} P{x}.{y} (hwtile)", event.cycle);
    match what {
        Traced::Landing { from, wavelet, local_flip } if kinds.landing.holds(x, y) => {
            let (from, flip) = (letter(*from), u8::from(*local_flip));
            let fields = fields(scene, *wavelet, ident);
            Some(format!("{tile} landing C{color} from link {from}, {fields}, lf={flip}\n"))
        }
        Traced::Departure { from, wavelet, outputs } if kinds.wavelet.holds(x, y) => {
            let (from, outputs_text) = (letter(*from), set(*outputs));
            let (fields, taken) = (
                all_fields(*wavelet, ident),
                if outputs.contains(Direction::Ramp) { " to_ce_from_router" } else { "" },
            );
            Some(format!("{tile} wavelet C{color} {fields} landing={from} departing={outputs_text}{taken}\n"))
        }
        Traced::Switch { before, after, cause } if kinds.router.holds(x, y) => {
            let cause = cause_text(scene, *cause, ident);
            Some(switch(&format!("{tile} router: C{color}:"), *before, *after, &cause))
        }
        _ => None,
    }
}

fn switch(head: &str, before: SwitchState, after: SwitchState, cause: &str) -> String {
    let half = |side: &str, from: DirSet, to: DirSet| {
        let (old, new) = (before.position, after.position);
        format!("{head} {side} {old}={} -> {new}={} {cause}\n", set(from), set(to))
    };
    half("input switch:", before.rx, after.rx) + &half("output switch", before.tx, after.tx)
}

fn cause_text(scene: &Scene, cause: SwitchCause, ident: u64) -> String {
    match cause {
        SwitchCause::Advance(wavelet) => format!("(advance) {}", fields(scene, wavelet, ident)),
        SwitchCause::Reset(wavelet) => format!("(reset) {}", fields(scene, wavelet, ident)),
        SwitchCause::Local => format!("(local flip) ident={ident:016X}"),
        SwitchCause::Register => "(register write)".to_owned(),
    }
}

/// The switch positions of a run of tiles at the start; empty for colors without switch positions.
pub(super) fn initial(scene: &Scene, asked: &Tiles, run: &RouteRun) -> String {
    let config = &scene.image.color_configs[run.config as usize];
    if config.positions.iter().all(|position| *position == SwitchPos::Invalid) {
        return String::new();
    }
    let state = state(config);
    let offset = scene.image.offset;
    let places = (run.x..run.x + run.len).map(|x| (offset.x + x, offset.y + run.y));
    let lines = places.filter(|&(x, y)| asked.holds(x, y)).map(|(x, y)| {
        let head = format!("@0 P{x}.{y} (hwtile) router: C{}:", run.color);
        switch(&head, state, state, "(init)")
    });
    lines.collect()
}

fn state(config: &ColorConfig) -> SwitchState {
    let (rx, tx) = config.current();
    SwitchState { position: config.current_pos, rx, tx }
}

/// The letter that stands for a direction.
fn letter(direction: Direction) -> char {
    match direction {
        Direction::West => 'W',
        Direction::East => 'E',
        Direction::South => 'S',
        Direction::North => 'N',
        Direction::Ramp => 'R',
    }
}

/// A set of sides: east, north, west, south and ramp, each in its place.
fn set(outputs: DirSet) -> String {
    let place = |way: Direction| if outputs.contains(way) { letter(way) } else { ' ' };
    format!("/{}/", PRINTED.map(place).iter().collect::<String>())
}

/// The fields of a wavelet; `half` exists on WSE-3 alone.
fn fields(scene: &Scene, wavelet: Wavelet, ident: u64) -> String {
    if scene.is_wse3() { all_fields(wavelet, ident) } else { format!("{}, ident={ident:016X}", payload(wavelet)) }
}

fn all_fields(wavelet: Wavelet, ident: u64) -> String {
    format!("{}, half={}, ident={ident:016X}", payload(wavelet), u8::from(wavelet.half))
}

fn payload(wavelet: Wavelet) -> String {
    let (index, data) = (wavelet.index(), wavelet.data as u16);
    format!("ctrl={}, idx={index:04X}, data={data:04X} ({})", u8::from(wavelet.control), half_float(data))
}

/// Significand and binary exponent of an f16, as in `+1.500(3)`; zero and subnormal numbers have the exponent -15.
fn half_float(bits: u16) -> String {
    let sign = if bits >> 15 == 1 { '-' } else { '+' };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff) / 1024.0);
    match (exponent, fraction) {
        (31, _) => format!("{}()", csl_num::format_float(FloatKind::F16, u64::from(bits))),
        (0, _) => format!("{sign}{fraction:.3}(-15)"),
        _ => format!("{sign}{:.3}({})", 1.0 + fraction, exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_shown_as_a_float_too() {
        let shown = [0x0000, 0x3c00, 0xc500, 0x0200].map(half_float);
        assert_eq!(shown, ["+0.000(-15)", "+1.000(0)", "-1.250(2)", "+0.500(-15)"]);
    }

    #[test]
    fn directions_have_their_places() {
        assert_eq!(
            [DirSet(1 << 4), DirSet(1 << 0), DirSet(1 << 1 | 1 << 2)].map(set),
            ["/    R/", "/  W  /", "/E  S /"]
        );
    }
}
