//! Random trees of routes: every leaf gets every word of the root, in order, each hop takes its time, and no order of
//! landing depends on how often or how slowly others take theirs.

use std::collections::BTreeMap;

use csl_chip::Arch;
use csl_fabric::{ColorConfig, Wavelet};
use proptest::prelude::*;

use crate::scene::{Routes, Scene};

const WIDTH: u32 = 6;
const HEIGHT: u32 = 5;
const COLOR: u8 = 7;

/// Grows a tree from a root: each step gives a member and a direction; steps onto members are left out.
fn tree(root: (u32, u32), steps: &[(usize, usize)]) -> (Routes, BTreeMap<(u32, u32), u64>) {
    let mut configs = BTreeMap::from([(root, ColorConfig::route(0x10, 0))]);
    let mut hops = BTreeMap::from([(root, 0)]);
    let mut members = vec![root];
    for (member, side) in steps {
        let from = members[member % members.len()];
        let Some(to) = neighbour(from, *side).filter(|to| !configs.contains_key(to)) else { continue };
        configs.get_mut(&from).expect("a member").tx |= 1 << side;
        configs.insert(to, ColorConfig::route(1 << [1, 0, 3, 2][*side], 0));
        hops.insert(to, hops[&from] + 1);
        members.push(to);
    }
    let routes = configs.into_iter().map(|(at, mut config)| {
        config.tx |= 0x10;
        (at, vec![(COLOR, config)])
    });
    (routes.collect(), hops)
}

fn neighbour((x, y): (u32, u32), side: usize) -> Option<(u32, u32)> {
    let at = match side {
        0 => (x.checked_sub(1)?, y),
        1 => (x + 1, y),
        2 => (x, y + 1),
        _ => (x, y.checked_sub(1)?),
    };
    (at.0 < WIDTH && at.1 < HEIGHT).then_some(at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_member_of_a_tree_gets_every_word_in_order(
        root in (0..WIDTH, 0..HEIGHT),
        steps in prop::collection::vec((0..30usize, 0..4usize), 0..60),
        words in prop::collection::vec(any::<u32>(), 1..20),
        wse3 in any::<bool>(),
    ) {
        let arch = if wse3 { Arch::Wse3 } else { Arch::Wse2 };
        let (routes, hops) = tree(root, &steps);
        let mut scene = Scene::new(arch, WIDTH, HEIGHT, &routes);
        scene.send(root, COLOR, 0, words.iter().map(|word| Wavelet::word(*word)));
        let landings = scene.run(words.len() as u64 + 80).expect("no fault");
        for ((x, y), distance) in hops {
            let hop = u64::from(arch.chip().timing.hop);
            let expected = words.iter().enumerate().map(|(i, word)| {
                format!("{} {x},{y} ^ {COLOR} {word:x}", i as u64 + distance * hop)
            });
            let mark = format!(" {x},{y} ^ ");
            let found = landings.lines().filter(|line| line.contains(&mark));
            prop_assert!(found.eq(expected), "at {x},{y}:\n{landings}");
        }
    }
}
