//! Color configurations: routes, switches, filters.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{IdKind, TypedValue};
use csl_machine::{Color, ColorConfig, DirSet, Direction, Filter, FilterKind, PopMode, SwitchPos};

use super::args::{Fields, const_int, id_kind, small};
use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;

/// Width in bits of the directions of one side in the bit vector form.
const SIDE_BITS: u32 = 5;

const FILTER_KINDS: &[(&str, FilterKind)] =
    &[("counter", FilterKind::Counter), ("sparse_counter", FilterKind::SparseCounter), ("range", FilterKind::Range)];

/// The configuration of `color` that a struct at `span` gives.
pub(super) fn color_config(s: &mut Sema<'_>, given: &Operand, span: Span, color: Color) -> Res<ColorConfig> {
    let mut fields = Fields::of(s, given, "a color configuration", span)?;
    let mut config = ColorConfig::default();
    if !fields.has("routes") && (fields.has("rx") || fields.has("tx")) {
        // SDK 0.4 has nothing else in it.
        read_routes(s, &mut config, given.clone(), &fields)?;
        let help = "write `.{ .routes = .{ .rx = .., .tx = .. } }`";
        s.report(Diagnostic::new(Code::OlderForm, span, "routes stand in `.routes` since SDK 0.5").help(help));
        return Ok(config);
    }
    let routes = fields.need(s, "routes")?;
    read_routes(s, &mut config, routes, &fields)?;
    if let Some(switches) = fields.take("switches") {
        let mut switches = Fields::of(s, &switches, "`.switches`", fields.span)?;
        check_switchable(s, color, &switches)?;
        read_switches(s, &mut config, &mut switches)?;
        switches.finish(s)?;
    }
    if let Some(filter) = fields.take("filter") {
        let filter = Fields::of(s, &filter, "`.filter`", fields.span)?;
        config.filter = Some(read_filter(s, filter)?);
    }
    config.teardown = fields.take_bool(s, "teardown")?.unwrap_or(false);
    refuse_injection(s, &mut fields)?;
    fields.finish(s)?;
    Ok(config)
}

/// Refuses CE injection (WSE-2) under names that it might have: the guide describes it and gives no syntax.
fn refuse_injection(s: &mut Sema<'_>, fields: &mut Fields) -> Res<()> {
    let asked =
        ["ce_inject", "ce_injection", "inject", "injection"].into_iter().any(|name| fields.take(name).is_some());
    if asked {
        return Err(s.error(Code::NotImplemented, fields.span, "CE injection is not implemented"));
    }
    Ok(())
}

fn bad(s: &mut Sema<'_>, fields: &Fields, message: impl Into<String>) -> Stop {
    s.error(Code::BadRoute, fields.span, message)
}

fn read_routes(s: &mut Sema<'_>, config: &mut ColorConfig, routes: Operand, outer: &Fields) -> Res<()> {
    if let Some(value) = routes.as_const()
        && value.value.int().is_some()
    {
        (config.rx, config.tx) = bit_vector(s, value, outer)?;
        return Ok(());
    }
    let mut fields = Fields::of(s, &routes, "`.routes`", outer.span)?;
    config.rx = read_directions(s, &mut fields, "rx")?;
    config.tx = read_directions(s, &mut fields, "tx")?;
    config.swap_x = fields.take_bool(s, "color_swap_x")?.unwrap_or(false);
    config.swap_y = fields.take_bool(s, "color_swap_y")?.unwrap_or(false);
    // Up to SDK 1.0 the pop mode stood here, and some programs have whole switches here.
    read_switches(s, config, &mut fields)?;
    fields.finish(s)
}

/// The routes in a bit vector: rx in bits 0 to 4, tx in bits 5 to 9.
fn bit_vector(s: &mut Sema<'_>, value: &TypedValue, fields: &Fields) -> Res<(DirSet, DirSet)> {
    let bits = const_int(s, value, fields.span)?;
    if !(0..1 << (2 * SIDE_BITS)).contains(&bits) {
        return Err(bad(s, fields, format!("{bits:#x} is not a bit vector of directions: it has ten bits")));
    }
    Ok((DirSet::from_bits(bits), DirSet::from_bits(bits >> SIDE_BITS)))
}

/// The directions in a field: one direction, or a tuple of different ones.
fn read_directions(s: &mut Sema<'_>, fields: &mut Fields, name: &'static str) -> Res<DirSet> {
    let Some(operand) = fields.take(name) else { return Ok(DirSet::default()) };
    if let Some(direction) = direction(s, &operand) {
        return Ok(DirSet::of(direction));
    }
    let mut set = DirSet::default();
    for part in s.tuple_of(&operand, fields.span)? {
        let Some(direction) = direction(s, &part) else {
            return Err(fields.mismatch(s, name, "directions", part.ty()));
        };
        if set.contains(direction) {
            return Err(bad(s, fields, format!("`.{name}` names {} twice", direction.name())));
        }
        set.insert(direction);
    }
    Ok(set)
}

fn direction(s: &Sema<'_>, operand: &Operand) -> Option<Direction> {
    let value = operand.as_const()?;
    if id_kind(s, value.ty) != Some(IdKind::Direction) {
        return None;
    }
    Direction::from_bit(small(value)?)
}

fn check_switchable(s: &mut Sema<'_>, color: Color, fields: &Fields) -> Res<()> {
    if s.chip.is_switchable_color(u32::from(color)) {
        return Ok(());
    }
    let message = format!("color {color} has no switches on {}", s.options.arch);
    let colors: Vec<String> = (0..u32::from(s.chip.fabric.colors))
        .filter(|&c| s.chip.is_switchable_color(c))
        .map(|c| c.to_string())
        .collect();
    let note = format!("these have: {}", colors.join(", "));
    Err(s.fail(Diagnostic::new(Code::BadRoute, fields.span, message).note(note)))
}

fn read_switches(s: &mut Sema<'_>, config: &mut ColorConfig, fields: &mut Fields) -> Res<()> {
    for (index, name) in ["pos1", "pos2", "pos3"].into_iter().enumerate() {
        if let Some(operand) = fields.take(name) {
            config.positions[index] = read_position(s, operand, fields)?;
        }
    }
    if let Some(position) = fields.take_int(s, "current_switch_pos")? {
        if !(0..i64::from(s.chip.fabric.switch_positions)).contains(&position) {
            return Err(bad(s, fields, format!("there is no switch position {position}: they go from 0 to 3")));
        }
        config.current_pos = position as u8;
    }
    if let Some(ring) = fields.take_bool(s, "ring_mode")? {
        config.ring_mode = ring;
    }
    if let Some(mode) = fields.take_choice(s, "pop_mode", &PopMode::ALL.map(|mode| (mode.name(), mode)))? {
        config.pop_mode = mode;
    }
    Ok(())
}

/// A switch position: `.{ .rx = D }`, `.{ .tx = D }`, both where the chip takes them, `.{ .invalid = true }` or a bit
/// vector of both sides.
fn read_position(s: &mut Sema<'_>, operand: Operand, outer: &Fields) -> Res<SwitchPos> {
    if let Some(value) = operand.as_const()
        && value.value.int().is_some()
    {
        let (rx, tx) = bit_vector(s, value, outer)?;
        return position_of_bits(s, rx, tx, outer);
    }
    let mut fields = Fields::of(s, &operand, "a switch position", outer.span)?;
    let named = [fields.has("rx"), fields.has("tx"), fields.has("invalid")];
    let (rx, tx) = (read_directions(s, &mut fields, "rx")?, read_directions(s, &mut fields, "tx")?);
    let invalid = fields.take_bool(s, "invalid")?;
    fields.finish(s)?;
    let position = match named {
        [true, false, false] => SwitchPos::Rx(rx),
        [false, true, false] => SwitchPos::Tx(tx),
        [true, true, false] => both_sides(s, rx, tx, outer)?,
        [false, false, true] if invalid == Some(true) => SwitchPos::Invalid,
        [false, false, true] => return Err(bad(s, outer, "`.invalid` must be `true`")),
        _ => return Err(bad(s, outer, "a switch position names `.rx`, `.tx` or both, or else `.invalid`")),
    };
    check_position(s, position, outer)?;
    Ok(position)
}

fn position_of_bits(s: &mut Sema<'_>, rx: DirSet, tx: DirSet, fields: &Fields) -> Res<SwitchPos> {
    let position = match (rx.is_empty(), tx.is_empty()) {
        (true, true) => SwitchPos::Invalid,
        (false, true) => SwitchPos::Rx(rx),
        (true, false) => SwitchPos::Tx(tx),
        (false, false) => both_sides(s, rx, tx, fields)?,
    };
    check_position(s, position, fields)?;
    Ok(position)
}

fn both_sides(s: &mut Sema<'_>, rx: DirSet, tx: DirSet, fields: &Fields) -> Res<SwitchPos> {
    if s.chip.fabric.wide_switch_positions {
        return Ok(SwitchPos::Both(rx, tx));
    }
    let message = format!("a switch position sets one side on {}: `.rx` or `.tx`", s.options.arch);
    Err(bad(s, fields, message))
}

/// Checks that a position has one direction in, and one out unless the chip takes none or several: without an output it
/// drops what comes in.
fn check_position(s: &mut Sema<'_>, position: SwitchPos, fields: &Fields) -> Res<()> {
    let one = DirSet::RAMP;
    let (rx, tx) = match position {
        SwitchPos::Invalid => return Ok(()),
        SwitchPos::Rx(rx) => (rx, one),
        SwitchPos::Tx(tx) => (one, tx),
        SwitchPos::Both(rx, tx) => (rx, tx),
    };
    let wide = s.chip.fabric.wide_switch_positions;
    if rx.len() > 1 || (rx.is_empty() && !wide) {
        let number = if wide { "at most one direction" } else { "exactly one direction" };
        return Err(bad(s, fields, format!("`.rx` of a switch position names {number} on {}", s.options.arch)));
    }
    if tx.len() != 1 && !wide {
        let message = format!("`.tx` of a switch position names exactly one direction on {}", s.options.arch);
        return Err(bad(s, fields, message));
    }
    Ok(())
}

fn read_filter(s: &mut Sema<'_>, mut fields: Fields) -> Res<Filter> {
    let Some(kind) = fields.take_choice(s, "kind", FILTER_KINDS)? else {
        return Err(bad(s, &fields, "a filter needs a field `.kind`"));
    };
    let mut filter = Filter::new(kind);
    // The guide has no such field, but published programs set it.
    filter.fast_mode = fields.take_bool(s, "fast_mode")?.unwrap_or(false);
    let mut warning = None;
    match kind {
        FilterKind::Range => {
            filter.min_idx = fields.take_u16(s, "min_idx")?.unwrap_or(0);
            filter.max_idx = fields.take_u16(s, "max_idx")?.unwrap_or(0);
        }
        FilterKind::Counter => {
            warning = read_counter(s, &mut filter, &mut fields)?;
            filter.filter_control = fields.take_bool(s, "filter_control")?.unwrap_or(false);
        }
        FilterKind::SparseCounter => {
            warning = read_counter(s, &mut filter, &mut fields)?;
            filter.limit2 = fields.take_u16(s, "limit2")?;
        }
    }
    fields.finish(s)?;
    warning.into_iter().for_each(|warning| s.report(warning));
    Ok(filter)
}

/// Reads what a counter counts and how far; a warning where it is left without what it needs to count. (Limits that let all
/// or nothing pass are right for some PEs, and programs may set them when they run.)
fn read_counter(s: &mut Sema<'_>, filter: &mut Filter, fields: &mut Fields) -> Res<Option<Diagnostic>> {
    let data = fields.take_bool(s, "count_data")?;
    let control = fields.take_bool(s, "count_control")?;
    let limit = fields.take_u16(s, "limit1")?;
    filter.count_data = data.unwrap_or(false);
    filter.count_control = control.unwrap_or(false);
    filter.init_counter = fields.take_u16(s, "init_counter")?.unwrap_or(0);
    filter.limit1 = limit.unwrap_or(0);
    filter.max_counter = fields.take_u16(s, "max_counter")?.unwrap_or(0);
    let (message, note, help) = if data.is_none() && control.is_none() {
        (
            "this filter counts no wavelets",
            "its counter stays as it is, so that either every wavelet passes or none does",
            "set `.count_data = true`, or `.count_control = true` to count control wavelets",
        )
    } else if limit.is_none() {
        (
            "this filter has no `.limit1`, the count behind which its counter begins again at 0",
            "without it the counter begins again at every wavelet, and stays 0",
            "set `.limit1` to the number of wavelets after which the pattern repeats, less one",
        )
    } else {
        return Ok(None);
    };
    Ok(Some(Diagnostic::new(Code::IdleCounter, fields.span, message).note(note).help(help)))
}
