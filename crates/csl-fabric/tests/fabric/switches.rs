//! Switch positions, pop modes, teardown. Command words: SWITCH_ADV that the CE ignores is `!015f0000`, with NOPs that it
//! ignores behind it `!095f9249`.

use csl_chip::Arch;
use csl_fabric::{Obstacle, Position};

use crate::scene::{Scene, check};

/// What reaches CEs.
fn taken(scene: &str, cycles: u64) -> Vec<String> {
    let landings = Scene::parse(Arch::Wse2, scene).run(cycles).expect("no fault");
    landings.lines().filter(|line| line.contains('^')).map(str::to_owned).collect()
}

/// A control wavelet leaves by the old position; the next wavelet by the new one.
#[test]
fn an_advance_counts_for_the_next_wavelet() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > R pos1 tx S
        1,1 3: N > R
        send 0,0 3 @0: 1 !005f0000 2
    ";
    let landings = "
        0 0,0 R 3 1
        1 0,0 R 3 !5f0000
        1 1,0 W 3 1
        1 1,0 ^ 3 1
        2 0,0 R 3 2
        2 1,0 W 3 !5f0000
        2 1,0 ^ 3 !5f0000
        3 1,0 W 3 2
        4 1,1 N 3 2
        4 1,1 ^ 3 2
    ";
    check(scene, 7, landings);
}

/// A position keeps the side that it does not name.
#[test]
fn positions_are_cumulative() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > R pos1 tx E pos2 rx R
        2,0 3: W > R
        send 0,0 3 @0: 1 !015f0000 2 !015f0000
        send 1,0 3 @9: 3
    ";
    assert_eq!(taken(scene, 15), ["1 1,0 ^ 3 1", "4 2,0 ^ 3 2", "10 2,0 ^ 3 3"]);
}

#[test]
fn the_current_position_folds_those_before_it() {
    let scene = "
        1,0 3: W > R pos1 tx E pos2 rx R at 2
        2,0 3: W > R
        send 1,0 3 @0: 3
    ";
    assert_eq!(taken(scene, 9), ["1 2,0 ^ 3 3"]);
}

/// Without a ring the last valid position stays; with one the switch goes back to its start.
#[test]
fn a_ring_goes_round() {
    let scene = |ring: &str| {
        format!(
            "0,0 3: R > E
             1,0 3: W > R pos1 tx E {ring}
             2,0 3: W > R
             send 0,0 3 @0: !015f0000 1 !015f0000 2"
        )
    };
    assert_eq!(taken(&scene("ring"), 9), ["3 2,0 ^ 3 1", "4 1,0 ^ 3 2"]);
    assert_eq!(taken(&scene(""), 9), ["3 2,0 ^ 3 1", "5 2,0 ^ 3 2"]);
}

#[test]
fn a_reset_restores_both_sides() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > R pos1 rx E pos2 tx S at 2
        1,1 3: N > R
        2,0 3: R > W
        send 2,0 3 @0: 1 !019f0000
        send 0,0 3 @9: 2
    ";
    assert_eq!(taken(scene, 15), ["2 1,1 ^ 3 1", "10 1,0 ^ 3 2"]);
}

/// The router of the sender works on command 0 too.
#[test]
fn the_senders_own_router_advances() {
    let scene = "
        0,0 3: R > E pos1 tx S
        1,0 3: W > R
        0,1 3: N > R
        send 0,0 3 @0: 1 !015f0000 2
    ";
    assert_eq!(taken(scene, 9), ["1 1,0 ^ 3 1", "3 0,1 ^ 3 2"]);
}

/// Each mode sends one ADV and seven NOPs past a router with a switch and one without.
#[test]
fn pop_modes_take_command_0_off() {
    let scene = |pop: &str| {
        format!(
            "0,0 3: R > E pos1 tx S {pop}
             1,0 3: W > E {pop}
             2,0 3: W > R
             send 0,0 3 @0: !095f9249"
        )
    };
    let last_landing = |pop: &str| {
        let landings = Scene::parse(Arch::Wse2, &scene(pop)).run(9).expect("no fault");
        landings.lines().last().map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned())
    };
    let popped_once = csl_fabric::wavelet::pop(0x095f_9249);
    let popped_twice = csl_fabric::wavelet::pop(popped_once);
    assert_eq!(last_landing(""), Some("!95f9249".into()));
    assert_eq!(last_landing("pop always"), Some(format!("!{popped_twice:x}")));
    assert_eq!(last_landing("pop advance"), Some(format!("!{popped_once:x}")));
    assert_eq!(last_landing("pop nop"), Some(format!("!{popped_twice:x}")));
}

#[test]
fn a_ce_that_is_not_told_to_ignore_gets_the_command() {
    let scene = "0,0 3: R > E\n1,0 3: W > R\nsend 0,0 3 @0: !015f0000 !00050007";
    assert_eq!(taken(scene, 9), ["2 1,0 ^ 3 !50007"]);
}

/// The TEARDOWN goes on, then the color stops until its configuration says otherwise; nothing is lost.
#[test]
fn a_teardown_stops_the_color() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > R
        send 0,0 3 @0: !01df0000 5
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    scene.run(9).expect("no fault");
    assert_eq!(scene.ces[0].torn, [(0, 3), (1, 3)]);
    let standing = scene.rows[0].standing(&mut scene.ces[0]);
    assert_eq!((standing[0].0, standing[0].1.why), (0, Obstacle::Teardown));
    for x in [0, 1] {
        assert!(scene.rows[0].reconfigure(x, 3, scene.now, |config| config.teardown = false));
    }
    let landings = scene.run(9).expect("no fault");
    assert_eq!(landings, "10 1,0 W 3 5\n10 1,0 ^ 3 5\n");
}

/// A color that starts in teardown holds its traffic and calls no handler.
#[test]
fn a_color_may_start_in_teardown() {
    let mut scene = Scene::parse(Arch::Wse2, "0,0 3: R > E\n1,0 3: W > R teardown\nsend 0,0 3 @0: 5");
    assert_eq!(scene.run(5).expect("no fault"), "0 0,0 R 3 5\n1 1,0 W 3 5\n");
    assert!(scene.ces[0].torn.is_empty());
}

/// Routes that are written at run time: `tile_config` does so while a color is in teardown.
#[test]
fn a_route_can_be_written() {
    let mut scene = Scene::parse(Arch::Wse2, "0,0 3: R > R\n1,0 3: W > R\nsend 0,0 3 @0: 1\nsend 0,0 3 @5: 2");
    scene.run(4).expect("no fault");
    let word = scene.rows[0].color_config(0, 3).expect("a route").route_word();
    assert_eq!(word, 0x210);
    scene.rows[0].reconfigure(0, 3, 4, |config| config.set_route_word(0x10 << 5 | 0x02));
    assert!(scene.run(4).expect("no fault").ends_with("6 1,0 ^ 3 2\n"));
}

/// Programs disable a position by its direction bits alone, and enable it again the same way: the select bit must stand
/// (allreduce of the published solvers, up to 1.1).
#[test]
fn a_disabled_position_keeps_its_select_bit() {
    let mut scene = Scene::parse(Arch::Wse2, "0,0 3: W > E pos1 rx R");
    let mut write = |change: fn(u16) -> u16| {
        scene.rows[0].reconfigure(0, 3, 0, |config| config.set_switch_word(change(config.switch_word())));
        scene.rows[0].color_config(0, 3).expect("a route").positions[0]
    };
    assert_eq!(write(|word| word & !7 | 5), Position::Invalid);
    assert_eq!(write(|word| word & !7 | 4), Position::Rx(1 << 4));
}

/// `advance_switch`: the sender's own router advances behind the last wavelet, also when it has to wait there.
#[test]
fn an_operation_advances_its_own_router() {
    let scene = "
        0,0 3: R > E pos1 tx S ring
        1,0 3: W > R
        0,1 3: N > R
        room 1,0 5
        last 0,0 3 @0: 1 2 3
        last 0,0 3 @0: 4
        last 0,0 3 @0: 5 6
    ";
    let expected = ["1 1,0 ^ 3 1", "2 1,0 ^ 3 2", "3 1,0 ^ 3 3", "4 0,1 ^ 3 4", "5 1,0 ^ 3 5", "6 1,0 ^ 3 6"];
    assert_eq!(taken(scene, 9), expected);
    let narrow = scene.replace("room 1,0 5", "room 1,0 0");
    assert_eq!(taken(&narrow, 20), [""; 0], "what waits behind the last wavelet does not overtake it");
}
