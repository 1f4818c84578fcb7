//! Routes and switches as the router's registers show them (docs/decisions/machine.md M46).

use csl_fabric::ColorState;
use csl_machine::{Arch, Color, Coord, DirSet, SwitchPos};

use crate::config::config;
use crate::fabric::{Fabric, Routes};

fn one_router(text: &str) -> Fabric {
    Fabric::new(Arch::Wse2, 1, 1, &Routes::from([(Coord { x: 0, y: 0 }, vec![(Color::at(3), config(text))])]))
}

fn change(fabric: &mut Fabric, change: impl FnOnce(&mut ColorState)) -> &ColorState {
    fabric.rows[0].reconfigure(0, Color::at(3), 0, change);
    fabric.rows[0].color_state(0, Color::at(3)).expect("it is routed")
}

#[test]
fn a_route_can_be_read_and_written() {
    let mut fabric = one_router("R > R");
    assert_eq!(fabric.rows[0].color_state(0, Color::at(3)).expect("it is routed").route_word(), 0x210);
    let config = &change(&mut fabric, |state| state.set_route_word(0x10 << 5 | 0x02)).config;
    assert_eq!((config.rx, config.tx), (DirSet(0x10), DirSet(0x02)));
}

/// Programs disable a position by its direction bits alone, and enable it again the same way: the register keeps the
/// select bit (allreduce of the published solvers, up to 1.1).
#[test]
fn a_disabled_position_keeps_its_select_bit() {
    let mut fabric = one_router("W > E pos1 rx R");
    let mut write = |bits: fn(u16) -> u16| {
        change(&mut fabric, |state| state.set_switch_word(bits(state.switch_word()))).config.positions[0]
    };
    assert_eq!(write(|word| word & !7 | 5), SwitchPos::Invalid);
    assert_eq!(write(|word| word & !7 | 4), SwitchPos::Rx(DirSet(1 << 4)));
}
