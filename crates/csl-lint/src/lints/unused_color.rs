//! Colors with routes that no program of the layout sends or receives on.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{ColorEnds, Route};
use csl_machine::{Color, Direction};

use crate::facts::Facts;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let programs = &facts.wafer.programs;
    let routes: Vec<(&Route, Span)> = facts.wafer.routes.iter().zip(facts.analysis.routes.iter().copied()).collect();
    // A layout whose programs name no color at all is a sketch of its routes.
    let is_sketch = programs.iter().all(|program| program.ends.names_no_color());
    let changes_color = |route: &Route| route.config.swap_x || route.config.swap_y || route.config.messages.is_some();
    if is_sketch || programs.iter().any(|program| program.ends.may_have_others) {
        return Vec::new();
    }
    if routes.iter().any(|(route, _)| changes_color(route)) {
        return Vec::new();
    }
    let reserved = |color: Color| {
        programs.iter().any(|program| csl_machine::chip(program.arch).memcpy.colors.contains(&color.number()))
    };
    let is_used = |color: Color| {
        let uses = |ends: &ColorEnds| ends.received.contains(&color) || ends.sent.contains(&color);
        programs.iter().any(|program| uses(&program.ends))
    };
    // W0610 is told of routes that end where nothing takes the color.
    let ends_at_ramp = |color: Color| {
        routes.iter().any(|(route, _)| route.color == color && route.config.tx.iter().any(|way| way == Direction::Ramp))
    };
    let mut told: Vec<Color> = Vec::new();
    let mut found = Vec::new();
    for (route, place) in &routes {
        let color = route.color;
        if told.contains(&color) || !facts.is_own(*place) || reserved(color) {
            continue;
        }
        told.push(color);
        if !is_used(color) && !ends_at_ramp(color) {
            let message = format!("color {color} has routes, and no program sends or receives on it");
            found.push(Diagnostic::new(Code::UnusedColor, *place, message).help("remove its routes"));
        }
    }
    found
}
