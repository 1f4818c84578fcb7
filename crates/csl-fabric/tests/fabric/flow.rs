//! Hops, links, backpressure, multicast, the ramp, swaps, filters.

use csl_chip::Arch;
use csl_fabric::{FaultKind, Obstacle};

use crate::scene::{Scene, check, check_on};

const LINE: &str = "
    0,0 3: R > E
    1,0 3: W > E
    2,0 3: W > R
    send 0,0 3 @5: 1 2 3
";

#[test]
fn a_hop_takes_one_cycle_on_wse2() {
    let landings = "
        5 0,0 R 3 1
        6 0,0 R 3 2
        6 1,0 W 3 1
        7 0,0 R 3 3
        7 1,0 W 3 2
        7 2,0 W 3 1
        7 2,0 ^ 3 1
        8 1,0 W 3 3
        8 2,0 W 3 2
        8 2,0 ^ 3 2
        9 2,0 W 3 3
        9 2,0 ^ 3 3
    ";
    check(LINE, 12, landings);
}

#[test]
fn a_hop_takes_two_cycles_on_wse3() {
    let landings = "
        5 0,0 R 3 1
        6 0,0 R 3 2
        7 0,0 R 3 3
        7 1,0 W 3 1
        8 1,0 W 3 2
        9 1,0 W 3 3
        9 2,0 W 3 1
        9 2,0 ^ 3 1
        10 2,0 W 3 2
        10 2,0 ^ 3 2
        11 2,0 W 3 3
        11 2,0 ^ 3 3
    ";
    check_on(Arch::Wse3, LINE, 14, landings);
}

#[test]
fn a_turn_costs_nothing_and_multicast_goes_everywhere_at_once() {
    let scene = "
        1,0 3: S > R
        0,1 3: E > R
        1,1 3: R > WESNR
        2,1 3: W > R
        1,2 3: N > R
        send 1,1 3 @0: a
    ";
    let landings = "
        0 1,1 R 3 a
        0 1,1 ^ 3 a
        1 1,0 S 3 a
        1 1,0 ^ 3 a
        1 0,1 E 3 a
        1 0,1 ^ 3 a
        1 2,1 W 3 a
        1 2,1 ^ 3 a
        1 1,2 N 3 a
        1 1,2 ^ 3 a
    ";
    check(scene, 4, landings);
}

/// The router of a CE that takes nothing holds two wavelets on WSE-2, four on WSE-3; so does each before it.
#[test]
fn a_blocked_color_holds_twice_the_hop_in_each_router() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > R
        room 1,0 0
        send 0,0 3 @0: 1 2 3 4 5 6 7 8 9
    ";
    for (arch, held) in [(Arch::Wse2, 2), (Arch::Wse3, 4)] {
        let mut scene = Scene::parse(arch, scene);
        scene.run(40).expect("no fault");
        let standing = scene.rows[0].standing(&mut scene.ces[0]);
        let found: Vec<_> = standing.iter().map(|(x, s)| (*x, s.count, s.why)).collect();
        assert_eq!(found, [(0, held, Obstacle::Link(1)), (1, held, Obstacle::Ramp)]);
    }
}

#[test]
fn a_multicast_waits_until_every_output_has_room() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > ER
        2,0 3: W > R
        room 2,0 0
        send 0,0 3 @0: 1 2 3 4 5 6 7
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    let landings = scene.run(30).expect("no fault");
    let taken: Vec<&str> = landings.lines().filter(|line| line.contains('^')).collect();
    assert_eq!(taken, ["1 1,0 ^ 3 1", "2 1,0 ^ 3 2"]);
}

#[test]
fn colors_share_a_link_in_turn() {
    let scene = "
        0,1 4: R > E
        1,0 3: R > S
        1,1 3: N > E
        1,1 4: W > E
        2,1 3: W > R
        2,1 4: W > R
        send 1,0 3 @0: 1 2 3
        send 0,1 4 @0: a b c
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    let landings = scene.run(12).expect("no fault");
    let taken: Vec<&str> = landings.lines().filter(|line| line.contains("2,1 ^")).collect();
    let expected = ["2 2,1 ^ 3 1", "3 2,1 ^ 4 a", "4 2,1 ^ 3 2", "5 2,1 ^ 4 b", "6 2,1 ^ 3 3", "7 2,1 ^ 4 c"];
    assert_eq!(taken, expected);
}

#[test]
fn a_wavelet_with_nowhere_to_go_is_a_fault_with_its_path() {
    let mut scene = Scene::parse(Arch::Wse2, "0,0 3: R > E\n1,0 3: W > E\n2,0 4: W > R\nsend 0,0 3 @0: 1");
    let fault = scene.run(9).expect_err("(2, 0) does not route color 3");
    assert_eq!((fault.x, fault.y, fault.color, fault.wavelet.data), (1, 0, 3, 1));
    assert_eq!(fault.kind, FaultKind::Nowhere { side: 1, path: vec![(1, 0), (0, 0)] });
}

#[test]
fn two_landings_of_a_color_in_one_cycle_are_a_fault() {
    let scene = "
        0,0 3: R > E
        1,0 3: WE > R
        2,0 3: R > W
        send 0,0 3 @0: 1
        send 2,0 3 @4: 2 3
        send 0,0 3 @5: 4
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    let fault = scene.run(9).expect_err("4 and 3 meet");
    assert_eq!((fault.x, fault.color, fault.kind), (1, 3, FaultKind::Collision { sides: [0, 1] }));
    assert_eq!(scene.now, 6);
}

#[test]
fn a_closed_input_holds_what_lands_on_it() {
    let scene = "0,0 3: R > E\n1,0 3: E > R\nsend 0,0 3 @0: 1";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    scene.run(9).expect("no fault");
    let standing = scene.rows[0].standing(&mut scene.ces[0]);
    assert_eq!(standing[0].1.why, Obstacle::InputClosed { ever: false });
}

#[test]
fn filters_gate_the_ramp_and_not_the_way_on() {
    let scene = "
        0,0 3: R > E
        1,0 3: W > ER range 3 4
        2,0 3: W > R counter 2 0
        send 0,0 3 @0: 20000 30001 40002 50003
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    let landings = scene.run(12).expect("no fault");
    let taken: Vec<&str> = landings.lines().filter(|line| line.contains('^')).collect();
    assert_eq!(taken, ["2 1,0 ^ 3 30001", "2 2,0 ^ 3 20000", "3 1,0 ^ 3 40002", "5 2,0 ^ 3 50003"]);
}

/// Both colors of the pair swapped: what comes in on 2 is received on 3, and the other way round.
#[test]
fn swapped_colors_arrive_as_each_other() {
    let scene = "
        0,0 2: R > E
        1,0 2: W > E swapx
        1,0 3: W > E swapx
        2,0 3: W > R
        send 0,0 2 @0: 1 2 3 4
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    let landings = scene.run(9).expect("no fault");
    assert!(landings.contains("\n1 1,0 W 3 1\n"), "{landings}");
    assert!(landings.ends_with("5 2,0 ^ 3 4\n"), "{landings}");
}

/// Only one color of the pair swapped: arrivals on the other are received on both.
#[test]
fn a_color_that_swaps_alone_copies_the_other() {
    let scene = "
        0,0 2: R > E
        1,0 2: W > R
        1,0 3: W > S swapx
        1,1 3: N > R
        send 0,0 2 @0: 7
    ";
    let mut scene = Scene::parse(Arch::Wse2, scene);
    let landings = scene.run(9).expect("no fault");
    let taken: Vec<&str> = landings.lines().filter(|line| line.contains('^')).collect();
    assert_eq!(taken, ["1 1,0 ^ 2 7", "2 1,1 ^ 3 7"]);
}
