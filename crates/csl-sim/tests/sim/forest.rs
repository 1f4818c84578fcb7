//! A mesh covered with random trees of several colors: every PE gets the words of its trees' roots, each once and in order,
//! and any number of threads gives the same landings, cycle by cycle.

use csl_image::{Image, PeImage};
use csl_machine::{Arch, QueueDir, VecOp};

use crate::builder::*;
use crate::random::Dice;

/// A width with enough busy tiles for threads to be worth it.
const WIDTH: u32 = 32;
const HEIGHT: u32 = 24;
const COLORS: u8 = 3;
const WORDS: u16 = 120;

/// The byte address where the words of a color land.
fn room(color: u8) -> u16 {
    0x2000 + 0x1000 * u16::from(color)
}

/// A tree member: the side that its words come from, and the sides by which they go on.
#[derive(Clone, Copy)]
struct Member {
    root: u32,
    from: u8,
    onward: u8,
}

fn neighbour(tile: u32, side: u8) -> Option<u32> {
    let (x, y) = (tile % WIDTH, tile / WIDTH);
    match side {
        W => (x > 0).then(|| tile - 1),
        E => (x + 1 < WIDTH).then(|| tile + 1),
        S => (y + 1 < HEIGHT).then(|| tile + WIDTH),
        _ => (y > 0).then(|| tile - WIDTH),
    }
}

/// Trees that cover the mesh: tiles in random order join a neighbour that is in one, or begin one of their own.
fn forest(dice: &mut Dice) -> Vec<Member> {
    let mut members: Vec<Option<Member>> = vec![None; (WIDTH * HEIGHT) as usize];
    let mut order: Vec<u32> = (0..WIDTH * HEIGHT).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, dice.below(i as u64 + 1) as usize);
    }
    for tile in order {
        let (side, back) = dice.pick(&[(W, E), (E, W), (S, N), (N, S)]);
        let parent = neighbour(tile, side).and_then(|parent| members[parent as usize].as_mut());
        members[tile as usize] = match parent {
            Some(parent) => {
                parent.onward |= back;
                Some(Member { root: parent.root, from: side, onward: RAMP })
            }
            None => Some(Member { root: tile, from: RAMP, onward: 0 }),
        };
    }
    members.into_iter().flatten().collect()
}

/// The words that a root sends on a color.
fn words(root: u32, color: u8) -> Vec<u32> {
    (0..WORDS.into()).map(|i| root << 16 | u32::from(color) << 12 | i).collect()
}

/// Sends where it is a root, and receives where it is not, on all colors at once.
fn exchanger(roles: &[Member], tile: u32) -> PeImage {
    let data = (0..COLORS).flat_map(|color| words(tile, color));
    let mut pe = program(&data.collect::<Vec<u32>>());
    let mut code = Vec::new();
    for (color, role) in (0..COLORS).zip(roles) {
        let (is_root, queue) = (role.root == tile, 2 + color);
        bind(&mut pe, if is_root { QueueDir::Out } else { QueueDir::In }, queue, color);
        let own = mem(DATA + 4 * WORDS * u16::from(color), WORDS);
        let (dest, src) = match is_root {
            true => (fabout(color, queue, WORDS), own),
            false => (mem(room(color), WORDS), fabin(color, queue, WORDS)),
        };
        if !is_root || role.onward != 0 {
            code.push(vec_async(&mut pe, VecOp::Mov32, dest, src, 9));
        }
    }
    main_task(&mut pe, &code);
    task(&mut pe, 9, &[]);
    pe
}

fn image(arch: Arch, forests: &[Vec<Member>]) -> Image {
    let tiles: Vec<u32> = (0..WIDTH * HEIGHT).collect();
    let roles = |tile: u32| forests.iter().map(|forest| forest[tile as usize]).collect::<Vec<Member>>();
    let programs = tiles.iter().map(|tile| exchanger(&roles(*tile), *tile)).collect();
    let route = |(tile, color): (u32, u8)| {
        let Member { from, onward, .. } = forests[usize::from(color)][tile as usize];
        (tile % WIDTH, tile / WIDTH, color, from, onward)
    };
    let routes: Vec<_> =
        tiles.iter().flat_map(|tile| (0..COLORS).map(move |color| (*tile, color))).map(route).collect();
    layout(arch, programs, &tiles.chunks(WIDTH as usize).collect::<Vec<_>>(), &routes)
}

#[test]
fn random_trees_deliver_all_words_in_order_on_any_number_of_threads() {
    for (seed, arch) in [(1, Arch::Wse2), (2, Arch::Wse3), (3, Arch::Wse2)] {
        let mut dice = Dice::new(seed);
        let forests: Vec<Vec<Member>> = (0..COLORS).map(|_| forest(&mut dice)).collect();
        let image = image(arch, &forests);
        let run = |threads: usize| {
            let mut sim = threaded(image.clone(), threads, csl_sim::Windows::Always { cycles: 3 });
            sim.stop().expect("no fault");
            sim
        };
        let mut one = run(1);
        for (color, forest) in (0..COLORS).zip(&forests) {
            for (tile, member) in (0u32..).zip(forest).filter(|(tile, member)| member.root != *tile) {
                let bytes = one.read_memory(tile % WIDTH, tile / WIDTH, room(color), 4 * u32::from(WORDS));
                let expected: Vec<u8> = words(member.root, color).into_iter().flat_map(u32::to_le_bytes).collect();
                assert_eq!(bytes, Ok(expected), "{arch:?}, seed {seed}, color {color}, tile {tile}");
            }
        }
        let hops =
            forests.iter().flatten().map(|member| u64::from(member.from != RAMP || member.onward != 0)).sum::<u64>();
        assert_eq!(one.landings().1, hops * u64::from(WORDS), "each word lands once on each tile of its tree");
        for threads in [2, 4] {
            let mut other = run(threads);
            assert_eq!((other.landings(), other.cycle()), (one.landings(), one.cycle()), "{arch:?}, {threads} threads");
        }
    }
}
