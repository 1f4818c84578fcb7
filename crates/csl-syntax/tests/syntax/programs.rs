//! Small programs, right and wrong, against snapshots.

use std::fs;
use std::path::Path;

use csl_syntax::{dump_ast, dump_tokens, print};

use crate::support::{parse, rendered, without_spans};

/// Name and text of the programs in a folder beside this file, by name.
fn programs(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let paths = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let mut all: Vec<_> = paths
        .map(|path| {
            let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("it is text"))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn trees() {
    for (name, text) in programs("good") {
        let (file, diagnostics) = parse(&text);
        assert!(diagnostics.is_empty(), "{}", rendered(&name, &text));
        insta::assert_snapshot!(format!("tree-{name}"), dump_ast(&file));
    }
}

#[test]
fn printed_text_parses_to_the_same_tree() {
    for (name, text) in programs("good") {
        let (file, _) = parse(&text);
        let printed = print(&file);
        let (again, diagnostics) = parse(&printed);
        assert!(diagnostics.is_empty(), "{}", rendered(&name, &printed));
        assert_eq!(without_spans(&again), without_spans(&file), "{printed}");
        assert_eq!(print(&again), printed);
    }
}

#[test]
fn printed_text_is_readable() {
    let text = "fn f(a:bool)i16{if(a)x=1 else{g();}return (1+2)*3;}";
    insta::assert_snapshot!(print(&parse(text).0), @r"
    fn f(a: bool) i16 {
      if (a) {
        x = 1;
      } else {
        g();
      }
      return (1 + 2) * 3;
    }
    ");
}

#[test]
fn tokens() {
    let text = "//! doc\ncolor red;\nfn f() void {\n  l: while (x.align) {} // note\n  if (a) @b() else 0x1F;\n  \"ä\" 'c' $\n}\n";
    insta::assert_snapshot!(dump_tokens(text));
}

#[test]
fn errors() {
    for (name, text) in programs("bad") {
        let shown = rendered(&format!("{name}.csl"), &text);
        assert!(!shown.is_empty(), "{name} is not bad");
        insta::assert_snapshot!(format!("error-{name}"), shown);
    }
}

#[test]
fn what_follows_an_error_is_still_in_the_tree() {
    let (file, diagnostics) = parse("const a = ;\nfn f() void {\n  b = ;\n  c();\n}\nconst d = 1;\n");
    assert_eq!(diagnostics.iter().count(), 2);
    insta::assert_snapshot!(dump_ast(&file), @r"
    error
    (fn f (params) (return void) (body error (call c)))
    (const d (= 1))
    ");
}

#[test]
fn the_span_of_a_node_covers_its_text() {
    use csl_syntax::ast::{ExprKind, Item};
    let text = "const a = (b + @c(1)).d;";
    let (file, _) = parse(text);
    let Item::Var(var) = &file.items[0] else { panic!("a variable") };
    let covered = |span: csl_diag::Span| &text[span.lo as usize..span.hi as usize];
    let init = var.init.as_ref().expect("it has one");
    assert_eq!(covered(var.span), text);
    assert_eq!(covered(init.span), "(b + @c(1)).d");
    let ExprKind::Field { base, name } = &init.kind else { panic!("a field") };
    assert_eq!((covered(base.span), covered(name.span)), ("(b + @c(1))", "d"));
}
