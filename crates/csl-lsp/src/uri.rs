//! URIs of files, as paths and back.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::Uri;

/// The path of a `file:` URI; none for another, such as that of a text that was never saved.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.bytes();
    while let Some(byte) = left.next() {
        bytes.push(if byte == b'%' { hex(left.next()?)? << 4 | hex(left.next()?)? } else { byte });
    }
    let text = String::from_utf8(bytes).ok()?;
    // `/c:/folder` on Windows.
    let text = match text.as_bytes() {
        [b'/', letter, b':', ..] if letter.is_ascii_alphabetic() && cfg!(windows) => &text[1..],
        _ => &text,
    };
    Some(csl_host::tidy(Path::new(text))).filter(|path| path.is_absolute())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The URI of a file.
pub fn of(path: &Path) -> Option<Uri> {
    let mut text = String::from("file://");
    let shown = path.to_str()?.replace('\\', if cfg!(windows) { "/" } else { "\\" });
    if !shown.starts_with('/') {
        text.push('/');
    }
    for byte in shown.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    Uri::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back() {
        for name in ["/a/b.csl", "/with space/ü/c#.csl", "/per%cent"] {
            let uri = of(Path::new(name)).expect("it has a URI");
            assert_eq!(path(&uri).as_deref(), Some(Path::new(name)));
        }
        let other = Uri::from_str("untitled:Untitled-1").expect("it is a URI");
        assert_eq!(path(&other), None);
    }
}
