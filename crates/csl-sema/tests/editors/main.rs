//! The files for editors that are made of the tables of tokens, types and builtins: they are as the tables say.
//! `cargo xtask editors` writes them anew.

mod emacs;
mod highlight;
mod sublime;
mod textmate;
mod tree_sitter;
mod vim;
mod words;

use std::path::Path;

/// A file below `editors/`, and its text.
type Made = (&'static str, fn() -> String);

const FILES: &[Made] = &[
    ("textmate/csl.tmLanguage.json", textmate::grammar),
    ("sublime/CSL.sublime-syntax", sublime::syntax),
    ("emacs/csl-mode.el", emacs::mode),
    ("vim/syntax/csl.vim", vim::syntax),
    ("vim/ftdetect/csl.vim", vim::detection),
    ("tree-sitter-csl/queries/highlights.scm", tree_sitter::highlights),
    ("../docs/book/highlight-csl.js", highlight::script),
];

#[test]
fn the_files_for_editors_are_as_the_tables_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../editors");
    let mut stale = Vec::new();
    for (name, text) in FILES {
        let (path, text) = (folder.join(name), text());
        if std::env::var_os("WAFERLAB_EDITORS_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("editors/ is writable");
            std::fs::write(&path, &text).expect("editors/ is writable");
        }
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            stale.push(*name);
        }
    }
    assert!(stale.is_empty(), "`cargo xtask editors` writes anew: {stale:?}");
}

/// The tree-sitter grammar names each keyword and token of punctuation.
#[test]
fn the_tree_sitter_grammar_has_every_token() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../editors/tree-sitter-csl/grammar.js");
    let grammar = std::fs::read_to_string(path).expect("the grammar is there");
    for token in csl_syntax::Token::KEYWORDS.iter().chain(&csl_syntax::Token::PUNCTUATION) {
        assert!(grammar.contains(&format!("'{token}'")), "the tree-sitter grammar has no {token}");
    }
}
