//! Routes that send to a neighbour which does not take the color from that side: wavelets stop there for ever.

use std::collections::HashMap;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::Route;
use csl_machine::{Color, Coord, Direction};

use crate::facts::{Facts, writes_registers};

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let wafer = facts.wafer;
    // Programs that change routes as they run have routes that are not seen here.
    if wafer.programs.iter().any(writes_registers) {
        return Vec::new();
    }
    let swaps = |color: Color| {
        wafer.routes.iter().any(|route| {
            route.color == color && (route.config.swap_x || route.config.swap_y || route.config.messages.is_some())
        })
    };
    let is_sent = |color: Color| {
        wafer.programs.iter().any(|program| program.ends.sent.contains(&color) || program.ends.may_have_others)
    };
    let routed: HashMap<(u32, u32, Color), &Route> =
        wafer.routes.iter().map(|route| ((route.x, route.y, route.color), route)).collect();
    let mut found: Vec<(Span, &Route, Direction, u32)> = Vec::new();
    for (route, &place) in wafer.routes.iter().zip(&facts.analysis.routes) {
        if !facts.is_own(place) || !is_sent(route.color) {
            continue;
        }
        let at = Coord { x: route.x, y: route.y };
        for way in route.config.current().1.iter().filter(|way| *way != Direction::Ramp) {
            let Some(to) = way.neighbour(at).filter(|to| wafer.size.contains(*to)) else { continue };
            let takes = routed
                .get(&(to.x, to.y, route.color))
                .is_some_and(|next| next.config.all_inputs().contains(way.opposite()));
            if takes {
                continue;
            }
            match found.iter_mut().find(|known| (known.0, known.1.color, known.2) == (place, route.color, way)) {
                Some(known) => known.3 += 1,
                None => found.push((place, route, way, 1)),
            }
        }
    }
    found.retain(|(_, route, ..)| !swaps(route.color));
    found.into_iter().map(|(place, route, way, count)| warning(place, route, way, count)).collect()
}

fn warning(place: Span, route: &Route, way: Direction, count: u32) -> Diagnostic {
    let Route { x, y, color, .. } = route;
    let more = if count > 1 { format!(" and {} more PEs", count - 1) } else { String::new() };
    let message = format!(
        "color {color} of PE ({x}, {y}){more} is routed {}, where the neighbour does not take it from {}",
        way.name(),
        way.opposite().name()
    );
    let note = "wavelets that go this way stop at the neighbour for ever";
    Diagnostic::new(Code::RouteToNowhere, place, message).note(note)
}
