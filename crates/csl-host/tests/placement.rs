//! The margins that memcpy's own PEs need (4 west, 3 east, 1 north and south, and the buffers).

use csl_host::{Options, Placement, place};

fn with_memcpy(dims: (u32, u32), offsets: (u32, u32)) -> Options {
    Options {
        memcpy: true,
        fabric_dims: Some(dims.into()),
        fabric_offsets: Some(offsets.into()),
        ..Options::new("a.csl")
    }
}

fn complaints(options: &Options, size: (u32, u32)) -> Vec<String> {
    let found = place(options, size.into()).expect_err("the program does not fit");
    found
        .into_iter()
        .map(|diagnostic| format!("{}; {}", diagnostic.message, diagnostic.help.unwrap_or_default()))
        .collect()
}

#[test]
fn the_least_fabric_is_enough() {
    assert!(place(&with_memcpy((8, 3), (4, 1)), (1, 1).into()).is_ok());
    assert!(place(&with_memcpy((22, 17), (4, 1)), (15, 15).into()).is_ok());
}

#[test]
fn one_less_on_any_side_is_not() {
    assert_eq!(
        complaints(&with_memcpy((8, 3), (3, 1)), (1, 1)),
        ["the program at --fabric-offsets=3,1 leaves no room for memcpy's own PEs; use --fabric-offsets=4,1"]
    );
    assert_eq!(
        complaints(&with_memcpy((7, 3), (4, 1)), (1, 1)),
        ["the program does not fit in a fabric of 7x3 PEs; use --fabric-dims=8,3 or more"]
    );
    assert_eq!(
        complaints(&with_memcpy((8, 2), (4, 1)), (1, 1)),
        ["the program does not fit in a fabric of 8x2 PEs; use --fabric-dims=8,3 or more"]
    );
}

#[test]
fn buffers_take_columns_of_their_own() {
    let buffered = |dims, offsets| Options { west_buffer: 2, east_buffer: 3, ..with_memcpy(dims, offsets) };
    assert!(place(&buffered((13, 3), (6, 1)), (1, 1).into()).is_ok());
    assert_eq!(complaints(&buffered((13, 3), (5, 1)), (1, 1)).len(), 1);
    assert_eq!(complaints(&buffered((12, 3), (6, 1)), (1, 1)).len(), 1);
}

#[test]
fn without_memcpy_offsets_are_free() {
    let options =
        Options { fabric_dims: Some((3, 2).into()), fabric_offsets: Some((0, 0).into()), ..Options::new("a.csl") };
    assert_eq!(place(&options, (3, 2).into()), Ok(Placement { fabric: (3, 2).into(), offset: (0, 0).into() }));
    assert_eq!(complaints(&options, (4, 2)).len(), 1);
}

#[test]
fn what_is_not_given_is_the_least_that_works() {
    let options = Options { memcpy: true, ..Options::new("a.csl") };
    assert_eq!(place(&options, (2, 5).into()), Ok(Placement { fabric: (9, 7).into(), offset: (4, 1).into() }));
}

#[test]
fn a_fabric_has_an_end() {
    let long = |offset| Options { fabric_offsets: Some((offset, 0).into()), ..Options::new("a.csl") };
    assert!(place(&long(9_998), (2, 1).into()).is_ok());
    assert_eq!(complaints(&long(9_999), (2, 1)), ["a fabric with 10001 PEs on a side is not possible; "]);
    let buffered = Options { memcpy: true, west_buffer: 65_535, ..Options::new("a.csl") };
    assert_eq!(complaints(&buffered, (1, 1)), ["a fabric with 65543 PEs on a side is not possible; "]);
}
