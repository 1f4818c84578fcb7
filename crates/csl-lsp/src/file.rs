//! A file: its text and tree, the names that it declares and uses, and the files that it names.
//!
//! All of it comes from the text of the one file. [`crate::names`] follows names from file to file.

mod entries;
mod walk;

use std::sync::{Arc, OnceLock};

use csl_diag::Span;
use csl_host::library_name;
use csl_sema::SourceFile;
use csl_syntax::{Symbol, Token};

use crate::scan::lexemes;
use crate::text::Text;

pub use entries::{BuiltinCall, Call, Def, DefId, DefKind, Link, Named, Use, UseId, UseKind};

use walk::Walk;

/// A file and its names.
#[derive(Debug)]
pub struct File {
    pub text: Text,
    /// Its tree. The number of the file in spans means nothing here.
    pub source: Arc<SourceFile>,
    pub defs: Vec<Def>,
    /// In the order of their places.
    pub uses: Vec<Use>,
    pub links: Vec<Link>,
    pub calls: Vec<Call>,
    pub strings: Vec<Named>,
    pub builtins: Vec<BuiltinCall>,
    /// [`File::named`], once it was asked for.
    named: OnceLock<Vec<String>>,
}

impl File {
    /// The names of a text with this tree.
    pub fn new(text: Text, source: Arc<SourceFile>) -> File {
        let mut walk = Walk::new(text.text().len());
        walk.file(&source.ast);
        let Walk { defs, uses, links, calls, strings, builtins, .. } = walk;
        File { text, source, defs, uses, links, calls, strings, builtins, named: OnceLock::new() }
    }

    /// The names of files that stand here: what it links, and every text that could be such a name, since the statement around
    /// it may not parse.
    pub fn named(&self) -> &[String] {
        self.named.get_or_init(|| {
            let strings = lexemes(self.text.text()).into_iter().filter_map(|lexeme| match lexeme.token {
                Token::Str(string) => Some(string.trim_matches('"').to_owned()),
                _ => None,
            });
            let named = strings.filter(|name| name.ends_with(".csl") || library_name(name).is_some());
            let mut names: Vec<String> = named.chain(self.links.iter().map(|link| link.name.clone())).collect();
            names.sort();
            names.dedup();
            names
        })
    }

    /// The declaration at the top level with this name.
    pub fn top(&self, name: Symbol) -> Option<DefId> {
        self.defs.iter().position(|def| def.is_top && def.name == name)
    }

    /// The declarations whose names stand for them at a byte, the innermost first.
    pub fn visible(&self, offset: usize) -> impl Iterator<Item = &Def> {
        let is_here = move |def: &&Def| def.is_top || def.visible.contains(&offset) || def.visible.end == offset;
        self.defs.iter().rev().filter(|def| def.site.is_none()).filter(is_here)
    }

    /// The use at a byte or just before it.
    pub fn use_at(&self, offset: usize) -> Option<UseId> {
        self.uses.iter().position(|used| touches(used.span, offset))
    }

    /// The declaration whose name is at a byte or just before it.
    pub fn def_at(&self, offset: usize) -> Option<DefId> {
        self.defs.iter().position(|def| touches(def.span, offset))
    }

    pub fn link_at(&self, offset: usize) -> Option<&Link> {
        self.links.iter().find(|link| touches(link.span, offset))
    }

    /// The function whose body or head is around a byte.
    pub fn function_at(&self, offset: usize) -> Option<DefId> {
        let is_around = |def: &Def| is_function(def) && touches(def.whole, offset);
        self.defs.iter().position(is_around)
    }

    /// The text of a span.
    pub fn snippet(&self, span: Span) -> &str {
        self.text.text().get(span.range()).unwrap_or_default()
    }
}

pub fn is_function(def: &Def) -> bool {
    matches!(def.kind, DefKind::Fn | DefKind::Task)
}

fn touches(span: Span, offset: usize) -> bool {
    span.range().contains(&offset) || span.hi as usize == offset
}
