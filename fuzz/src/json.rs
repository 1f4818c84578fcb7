//! Mutations of values by their structure, as JSON: what they make is still read, but for numbers out of range.

use serde_json::{Number, Value};

use crate::Random;

/// Changes a value somewhere inside.
pub fn mutate(value: &mut Value, random: &mut Random) {
    match value {
        Value::Array(items) if !items.is_empty() && random.below(8) > 0 => {
            let at = random.below(items.len());
            mutate(&mut items[at], random);
        }
        Value::Array(items) => change_list(items, random),
        Value::Object(fields) if !fields.is_empty() => {
            let at = random.below(fields.len());
            fields.values_mut().nth(at).into_iter().for_each(|field| mutate(field, random));
        }
        Value::Number(number) => *number = changed(number, random),
        Value::Bool(flag) => *flag = !*flag,
        Value::String(text) => match random.below(3) {
            0 => text.clear(),
            1 => text.push('é'),
            _ => text.push_str(&"x".repeat(random.below(300))),
        },
        Value::Null | Value::Object(_) => *value = Value::from(random.below(4)),
    }
}

fn change_list(items: &mut Vec<Value>, random: &mut Random) {
    if items.is_empty() {
        return;
    }
    let (at, to) = (random.below(items.len()), random.below(items.len()));
    match random.below(4) {
        0 => drop(items.remove(at)),
        1 => items.insert(to, items[at].clone()),
        2 => items.swap(at, to),
        _ => items.truncate(at),
    }
}

fn changed(number: &Number, random: &mut Random) -> Number {
    let Some(old) = number.as_i64() else { return 0.into() };
    let edges =
        [0, 1, 2, 3, 7, 8, 15, 16, 23, 24, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xbfff, 0xc000, 0xfffe];
    match random.below(6) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => old ^ 1 << random.below(16),
        3 => random.below(256) as i64,
        4 => [0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_ffff][random.below(4)],
        _ => *random.pick(&edges),
    }
    .into()
}
