use csl_num::Prng;

/// One step at a time, by the polynomial.
fn advance(state: u32) -> u32 {
    (0..128).fold(state, |s, _| s << 1 | (s >> 22 ^ s >> 17) & 1)
}

#[test]
fn advances_128_steps_a_call() {
    let mut prng = Prng::default();
    assert_eq!(prng.state, 0xdead_beef);
    assert_eq!(prng.next_u16(), 0xbeef);
    assert_eq!(prng.state, advance(0xdead_beef));
    assert_eq!(Prng::new(0).next_u16(), 0);
}

#[test]
fn spreads_over_all_values() {
    let mut prng = Prng::default();
    let mean = (0..10_000).map(|_| f64::from(prng.next_u16())).sum::<f64>() / 10_000.0;
    assert!((mean - 32767.5).abs() < 700.0, "{mean}");
}
