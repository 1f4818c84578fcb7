//! The script with which highlight.js colours CSL in the book.

use crate::words::{self, Class};

const SCRIPT: &str = r#"// Colours CSL in the book, by the highlight.js that mdBook brings. Made of the compiler's tables by `cargo xtask editors`.
hljs.registerLanguage("csl", (hljs) => ({
  name: "CSL",
  keywords: {
    keyword: "KEYWORDS",
    type: "TYPES",
    literal: "CONSTANTS",
  },
  contains: [
    hljs.C_LINE_COMMENT_MODE,
    { className: "string", begin: '"', end: '"|$', contains: [hljs.BACKSLASH_ESCAPE] },
    { className: "string", begin: /'(?:[^'\\]|\\.[^']*)'/ },
    { className: "built_in", begin: /@[a-z]\w*/ },
    { className: "number", begin: /\b(?:0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9_]+)?)\b/ },
    // Behind a dot a keyword is a name.
    { begin: /\.[A-Za-z_]\w*/ },
  ],
}));
document.querySelectorAll("code.language-csl").forEach((block) => hljs.highlightBlock(block));
"#;

pub fn script() -> String {
    let classes = [Class::Control, Class::Declares, Class::Modifies, Class::Operator];
    let mut types = words::keywords(Class::Type);
    types.extend(words::types());
    let mut constants = words::keywords(Class::Constant);
    constants.extend(words::constants());
    let keywords: Vec<&str> = classes.into_iter().flat_map(words::keywords).collect();
    [("KEYWORDS", keywords), ("TYPES", types), ("CONSTANTS", constants)]
        .into_iter()
        .fold(SCRIPT.to_owned(), |text, (mark, words)| text.replace(mark, &words.join(" ")))
}
