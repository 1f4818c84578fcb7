//! The message network: five colors on which worms of wavelets find their own way.

use std::collections::BTreeMap;

use csl_machine::{Arch, Color, Coord, Wavelet};
use proptest::prelude::*;

use crate::config::config;
use crate::fabric::{Fabric, Routes, What};

const SIDE: u32 = 4;

/// Colors 0 to 4 of a square as message colors.
fn network() -> Routes {
    let colors = ["WESNR > R", "ER > W", "WR > E", "WENR > S", "WESR > N"];
    let configs = (0..).map(Color::at).zip(colors.map(|route| config(&format!("{route} messages 0"))));
    let configs: Vec<_> = configs.collect();
    places().map(|at| (at, configs.clone())).collect()
}

/// Every PE of the square.
fn places() -> impl Iterator<Item = Coord> {
    (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| Coord { x, y }))
}

fn place() -> impl Strategy<Value = Coord> {
    (0..SIDE, 0..SIDE).prop_map(Coord::from)
}

fn header(length: u32, Coord { x, y }: Coord) -> u32 {
    length << 20 | y << 10 | x
}

/// Header and elements of a message. An element holds the message's number and its own index; the last one has the
/// control bit.
fn message(number: u32, to: Coord, length: u32) -> impl Iterator<Item = Wavelet> {
    let element = move |at| {
        let data = number << 8 | at;
        if at + 1 == length { Wavelet::control(data) } else { Wavelet::word(data) }
    };
    std::iter::once(Wavelet::word(header(length, to))).chain((0..length).map(element))
}

proptest! {
    /// Messages between any PEs arrive whole, without another inside, and all of them.
    #[test]
    fn messages_arrive_whole(sends in prop::collection::vec((place(), place(), 1u32..9), 1..40)) {
        let mut fabric = Fabric::new(Arch::Wse3, SIDE, SIDE, &network());
        let mut words: BTreeMap<Coord, Vec<Wavelet>> = BTreeMap::new();
        for (number, &(from, to, length)) in (1u32..).zip(&sends) {
            words.entry(from).or_default().extend(message(number, to, length));
        }
        words.into_iter().for_each(|(from, words)| fabric.send(from, Color::at(0), 0, words, false));
        fabric.run(2000).expect("no fault");
        for place in places() {
            let here = fabric.log.iter().filter(|happening| (happening.x, happening.y) == (place.x, place.y));
            let taken = here.filter_map(|happening| match happening.what {
                What::Taken { wavelet, .. } => Some(wavelet),
                _ => None,
            });
            let mut arrived = read_messages(place, &taken.collect::<Vec<_>>()).expect("whole messages");
            let meant = (1u32..).zip(&sends).filter(|(_, send)| send.1 == place).map(|(number, _)| number);
            arrived.sort_unstable();
            prop_assert!(meant.eq(arrived));
        }
    }
}

/// The numbers of the messages that a CE received, in order; `None` where one is not whole.
fn read_messages(place: Coord, words: &[Wavelet]) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    let mut rest = words;
    while let [head, first, ..] = rest {
        let length = head.data >> 20;
        let number = first.data >> 8;
        let whole = message(number, place, length);
        let (own, after) = rest.split_at_checked(length as usize + 1)?;
        if !whole.eq(own.iter().copied()) {
            return None;
        }
        numbers.push(number);
        rest = after;
    }
    rest.is_empty().then_some(numbers)
}
