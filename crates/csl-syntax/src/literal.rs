//! The values of literals.

use num_bigint::BigInt;

/// An error in a literal; its range is in bytes within the literal's text.
#[derive(Debug, PartialEq)]
pub struct BadLiteral {
    pub lo: usize,
    pub hi: usize,
    pub kind: BadKind,
}

/// The reason why a literal is malformed.
#[derive(Debug, PartialEq)]
pub enum BadKind {
    /// A digit that the base does not have, or no digit at all.
    Digit,
    Escape,
    Unterminated,
    /// A character literal that does not hold exactly one character.
    CharLength,
    /// A number with more digits than [`MOST_DIGITS`].
    TooLong,
}

/// The greatest number of digits of a number.
pub const MOST_DIGITS: usize = 65_536;

impl BadLiteral {
    fn whole(text: &str, kind: BadKind) -> BadLiteral {
        BadLiteral { lo: 0, hi: text.len(), kind }
    }
}

/// Base and digits of an integer literal.
fn split_base(text: &str) -> (u32, &str) {
    match text.get(..2) {
        Some("0x") => (16, &text[2..]),
        Some("0b") => (2, &text[2..]),
        Some("0o") => (8, &text[2..]),
        _ => (10, text),
    }
}

/// The value of `10`, `0x1F`, `0b1010`, `0o17`, with `_` between digits.
pub fn int(text: &str) -> Result<BigInt, BadLiteral> {
    let (base, digits) = split_base(text);
    if digits.len() > MOST_DIGITS {
        return Err(BadLiteral::whole(text, BadKind::TooLong));
    }
    let digits = digits.replace('_', "");
    BigInt::parse_bytes(digits.as_bytes(), base).ok_or(BadLiteral::whole(text, BadKind::Digit))
}

/// The value of `1.5`, `1e-6`, `0x1.8p3`.
pub fn float(text: &str) -> Result<f64, BadLiteral> {
    let clean = text.replace('_', "");
    let value = match clean.strip_prefix("0x") {
        Some(hex) => hex_float(hex),
        None => clean.parse().ok(),
    };
    value.ok_or(BadLiteral::whole(text, BadKind::Digit))
}

/// The value of a hexadecimal float. A mantissa of more than 53 bits is rounded once, by the conversion of its digits.
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let exponent = exponent.parse::<f64>().ok()? - 4.0 * fraction.len() as f64;
    // The power is applied in two steps: a power of two alone may leave the range that holds the product.
    let half = (exponent / 2.0).trunc();
    Some(digits as f64 * half.exp2() * (exponent - half).exp2())
}

/// The code point of `'a'`, `'\n'`, `'\x0a'`.
pub fn character(text: &str) -> Result<u32, BadLiteral> {
    let bytes = string(text)?;
    let decoded = std::str::from_utf8(&bytes).ok().map(|s| s.chars().collect::<Vec<_>>());
    match (decoded.as_deref(), bytes.as_slice()) {
        (Some([c]), _) => Ok(u32::from(*c)),
        // An escape above `\x7f` is a byte, not a character.
        (_, [byte]) => Ok(u32::from(*byte)),
        _ => Err(BadLiteral::whole(text, BadKind::CharLength)),
    }
}

/// The bytes of a quoted literal, escapes resolved.
pub fn string(text: &str) -> Result<Vec<u8>, BadLiteral> {
    let quote = &text[..1];
    let mut out = Vec::with_capacity(text.len());
    let mut at = 1;
    while at < text.len() {
        let rest = &text[at..];
        if rest == quote {
            return Ok(out);
        }
        let taken = match rest.strip_prefix('\\') {
            Some(escape) => {
                let taken = 1 + resolve_escape(escape, &mut out);
                if taken == 1 {
                    let hi = at + 1 + escape.chars().next().map_or(0, char::len_utf8);
                    return Err(BadLiteral { lo: at, hi, kind: BadKind::Escape });
                }
                taken
            }
            None => {
                let c = rest.chars().next().map_or(1, char::len_utf8);
                out.extend_from_slice(&rest.as_bytes()[..c]);
                c
            }
        };
        at += taken;
    }
    Err(BadLiteral::whole(text, BadKind::Unterminated))
}

/// Appends the bytes that an escape stands for. Returns the number of bytes read of `text`, which follows the
/// backslash; 0 for no escape.
fn resolve_escape(text: &str, out: &mut Vec<u8>) -> usize {
    let simple = match text.as_bytes().first() {
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(c @ (b'\\' | b'\'' | b'"')) => *c,
        Some(b'x') => return hex_escape(text, out),
        Some(b'u') => return unicode_escape(text, out),
        _ => return 0,
    };
    out.push(simple);
    1
}

fn hex_escape(text: &str, out: &mut Vec<u8>) -> usize {
    let digits = text.get(1..3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
        Some(byte) => {
            out.push(byte);
            3
        }
        None => 0,
    }
}

fn unicode_escape(text: &str, out: &mut Vec<u8>) -> usize {
    let digits = text.strip_prefix("u{").and_then(|rest| rest.split_once('}')).map(|(digits, _)| digits);
    let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).and_then(char::from_u32);
    match (digits, code) {
        (Some(digits), Some(c)) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            digits.len() + 3
        }
        _ => 0,
    }
}
