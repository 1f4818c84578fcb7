//! Random trees of routes: every member gets every word of the root, in order, after its number of hops. With switches,
//! several colors and late CEs, every member gets the words that a model without time gives.

use std::collections::BTreeMap;

use csl_machine::{Arch, Color, ColorConfig, Coord, DirSet, Direction, PopMode, Size, SwitchPos, Wavelet};
use proptest::prelude::*;

use crate::drawing::{stalled, table, wavelet};
use crate::fabric::{Action, Deed, Fabric, Happening, Routes, What};

const WIDTH: u32 = 6;
const HEIGHT: u32 = 5;
const COLOR: Color = Color::at(7);

/// Grows a tree from a root: each step gives a member and a direction; steps onto members are left out.
fn tree(root: Coord, steps: &[(usize, usize)]) -> (Routes, BTreeMap<Coord, u64>) {
    let mut configs = BTreeMap::from([(root, ColorConfig::route(DirSet::RAMP, DirSet::NONE))]);
    let mut hops = BTreeMap::from([(root, 0)]);
    let mut members = vec![root];
    for (member, side) in steps {
        let from = members[member % members.len()];
        let side = Direction::LINKS[*side];
        let Some(to) = neighbour(from, side).filter(|to| !configs.contains_key(to)) else { continue };
        configs.get_mut(&from).expect("a member").tx.insert(side);
        configs.insert(to, ColorConfig::route(DirSet::of(side.opposite()), DirSet::NONE));
        hops.insert(to, hops[&from] + 1);
        members.push(to);
    }
    let routes = configs.into_iter().map(|(at, mut config)| {
        config.tx.insert(Direction::Ramp);
        (at, vec![(COLOR, config)])
    });
    (routes.collect(), hops)
}

fn taken(happening: &Happening) -> Option<(u64, u32)> {
    let What::Taken { wavelet, .. } = happening.what else { return None };
    Some((happening.cycle, wavelet.data))
}

fn neighbour(at: Coord, side: Direction) -> Option<Coord> {
    side.neighbour(at).filter(|to| Size { width: WIDTH, height: HEIGHT }.contains(*to))
}

fn place() -> impl Strategy<Value = Coord> {
    (0..WIDTH, 0..HEIGHT).prop_map(Coord::from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_member_of_a_tree_gets_every_word_in_order(
        root in place(),
        steps in prop::collection::vec((0..30usize, 0..4usize), 0..60),
        words in prop::collection::vec(any::<u32>(), 1..20),
        wse3 in any::<bool>(),
    ) {
        let arch = if wse3 { Arch::Wse3 } else { Arch::Wse2 };
        let (routes, hops) = tree(root, &steps);
        let mut fabric = Fabric::new(arch, WIDTH, HEIGHT, &routes);
        fabric.send(root, COLOR, 0, words.iter().map(|word| Wavelet::word(*word)).collect(), false);
        fabric.run(words.len() as u64 + 80).expect("no fault");
        for (Coord { x, y }, distance) in hops {
            let hop = u64::from(arch.chip().timing.hop);
            let expected = (0u64..).zip(&words).map(|(i, word)| (i + distance * hop, *word));
            let at = |h: &&Happening| (h.x, h.y) == (x, y);
            let found = fabric.log.iter().filter(at).filter_map(taken);
            prop_assert!(found.eq(expected), "at {x},{y}:\n{}", table(&fabric.log));
        }
    }
}

// ---- switches, pop modes, several colors ----

/// A wavelet as it is sent: a word, or eight commands as letters (see `scene.rs`).
#[derive(Clone, Debug, PartialEq)]
enum Sent {
    Word(u32),
    List(String),
}

impl Sent {
    fn wavelet(&self) -> Wavelet {
        match self {
            Sent::Word(word) => Wavelet::word(*word),
            Sent::List(list) => wavelet(&format!("!{list}")),
        }
    }
}

/// A router of the model: it handles one wavelet after another, without time.
struct Model {
    config: ColorConfig,
    position: usize,
}

impl Model {
    fn outputs(&self) -> DirSet {
        let named = self.config.positions[..self.position].iter().rev().find_map(|position| match position {
            SwitchPos::Tx(set) => Some(*set),
            _ => None,
        });
        named.unwrap_or(self.config.tx)
    }

    /// Carries out command 0; returns the list that goes on.
    fn obey(&mut self, list: &str) -> String {
        let before = self.position;
        let command = list.chars().next().map(|c| c.to_ascii_lowercase());
        match command {
            Some('a') if self.position < 3 && self.config.positions[self.position] != SwitchPos::Invalid => {
                self.position += 1;
            }
            Some('a') if self.config.ring_mode => self.position = 0,
            Some('r') => self.position = 0,
            _ => {}
        }
        let pops = match self.config.pop_mode {
            PopMode::NoPop => false,
            PopMode::AlwaysPop => true,
            PopMode::PopOnAdvance => self.position != before,
            PopMode::PopOnAdvanceNop => self.position != before || command == Some('n'),
        };
        if pops { format!("{}n", &list[1..]) } else { list.to_owned() }
    }
}

type Tiles = BTreeMap<Coord, Model>;

/// Takes one wavelet through the tree; notes the CEs that get it.
fn walk(tiles: &mut Tiles, at: Coord, sent: &Sent, taken: &mut BTreeMap<Coord, Vec<Wavelet>>) {
    let tile = tiles.get_mut(&at).expect("routes lead to members");
    let outputs = tile.outputs();
    let (hidden, onward) = match sent {
        Sent::Word(_) => (false, sent.clone()),
        Sent::List(list) => (list.starts_with(char::is_uppercase), Sent::List(tile.obey(list))),
    };
    if outputs.contains(Direction::Ramp) && !hidden {
        taken.entry(at).or_default().push(sent.wavelet());
    }
    for side in outputs.common(DirSet::LINKS).iter() {
        walk(tiles, neighbour(at, side).expect("routes lead to members"), &onward, taken);
    }
}

/// The tree of a color with switches: each position is a set of those outputs that the tree has there.
fn switched(routes: Routes, dice: &[(u8, [u8; 3], bool, u8)]) -> Routes {
    let with_switch = |((at, mut colors), (start, sets, ring, pop)): (_, &(u8, [u8; 3], bool, u8))| {
        let colors: &mut Vec<(Color, ColorConfig)> = &mut colors;
        let config = &mut colors[0].1;
        let all = config.tx;
        let some_of = |mask: u8| Some(all.common(DirSet(mask))).filter(|some| !some.is_empty()).unwrap_or(all);
        config.tx = some_of(*start);
        let valid = sets.iter().take_while(|set| **set != 0);
        valid.zip(&mut config.positions).for_each(|(set, position)| *position = SwitchPos::Tx(some_of(*set)));
        config.ring_mode = *ring;
        config.pop_mode = PopMode::ALL[usize::from(*pop)];
        (at, std::mem::take(colors))
    };
    routes.into_iter().zip(dice.iter().cycle()).map(with_switch).collect()
}

/// A root, the steps by which its tree grows, the switches of its routers, and what it sends.
type Plan = (Coord, Vec<(usize, usize)>, Vec<(u8, [u8; 3], bool, u8)>, Vec<Sent>);

fn plan() -> impl Strategy<Value = Plan> {
    let router = (1..32u8, prop::array::uniform3(0..32u8), any::<bool>(), 0..4u8);
    let sent = prop_oneof![any::<u32>().prop_map(Sent::Word), "[narNAR]{8}".prop_map(Sent::List)];
    (
        place(),
        prop::collection::vec((0..30usize, 0..4usize), 0..40),
        prop::collection::vec(router, 1..12),
        prop::collection::vec(sent, 1..30),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Several colors at once, with switches, pop modes and late CEs: each wavelet reaches the CEs that the switches
    /// select when it passes, once and in order.
    #[test]
    fn switches_lead_every_wavelet_as_one_after_the_other(
        plans in prop::collection::vec(plan(), 1..5),
        late in prop::collection::vec((0..WIDTH, 0..HEIGHT, 1..60u64), 0..8),
        wse3 in any::<bool>(),
    ) {
        let arch = if wse3 { Arch::Wse3 } else { Arch::Wse2 };
        let mut routes = Routes::new();
        let mut expected = BTreeMap::new();
        for (color, (root, steps, dice, sent)) in (0..).map(Color::at).zip(&plans) {
            let tree = switched(tree(*root, steps).0, dice);
            let model = |(at, colors): (&Coord, &Vec<(Color, ColorConfig)>)| {
                (*at, Model { config: colors[0].1.clone(), position: 0 })
            };
            let mut tiles: Tiles = tree.iter().map(model).collect();
            let mut taken = BTreeMap::new();
            sent.iter().for_each(|sent| walk(&mut tiles, *root, sent, &mut taken));
            expected.extend(taken.into_iter().map(|(at, wavelets)| ((at, color), wavelets)));
            tree.into_iter().for_each(|(at, colors)| routes.entry(at).or_default().push((color, colors[0].1.clone())));
        }
        let mut fabric = Fabric::new(arch, WIDTH, HEIGHT, &routes);
        for (color, (root, _, _, sent)) in (0..).map(Color::at).zip(&plans) {
            fabric.send(*root, color, 0, sent.iter().map(Sent::wavelet).collect(), false);
        }
        for (x, y, cycle) in late {
            fabric.carry_out(x, y, Deed::Room(Some(0)), 0);
            fabric.actions.push(Action { cycle, x, y, deed: Deed::Room(None) });
        }
        fabric.run(600).expect("no fault");
        let mut found: BTreeMap<(Coord, Color), Vec<Wavelet>> = BTreeMap::new();
        for Happening { x, y, what, .. } in &fabric.log {
            if let What::Taken { color, wavelet } = what {
                found.entry((Coord { x: *x, y: *y }, *color)).or_default().push(*wavelet);
            }
        }
        prop_assert_eq!(found, expected, "{}", table(&fabric.log));
        prop_assert_eq!(stalled(&mut fabric), "");
    }
}
