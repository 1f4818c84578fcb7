//! The highlights of the tree-sitter grammar.

use crate::words::{self, Class};

fn capture(class: Class) -> &'static str {
    match class {
        Class::Control => "keyword.control",
        Class::Declares => "keyword",
        Class::Modifies => "keyword.modifier",
        Class::Operator => "keyword.operator",
        Class::Constant => "constant.builtin",
        Class::Type => "type.builtin",
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

/// Later patterns count where several match, so the general ones come first.
const GENERAL: &str = r#"; Highlights of CSL. Made of the compiler's tables by `cargo xtask editors`. Of several matches the last counts.

(identifier) @variable
(field_identifier) @variable.member

(comment) @comment
((comment) @comment.documentation
  (#match? @comment.documentation "^//(/([^/]|$)|!)"))

(integer) @number
(float) @number.float
(character) @character
(string) @string
(escape_sequence) @string.escape
(true) @boolean
(false) @boolean

(parameter name: (identifier) @variable.parameter)
(loop_variables (identifier) @variable.parameter)
(enum_member name: (identifier) @constant)
(label name: (identifier) @label)
(break_expression label: (identifier) @label)
(continue_expression label: (identifier) @label)

(function_declaration name: (identifier) @function)
(call_expression function: (identifier) @function.call)
(call_expression function: (field_expression field: (field_identifier) @function.call))

["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":" "."] @punctuation.delimiter
"#;

pub fn highlights() -> String {
    let mut text = GENERAL.to_owned();
    let mut operators = words::operators();
    operators.extend(["->", "=>", ".*"]);
    operators.sort_unstable();
    operators.dedup();
    text.push_str(&format!("\n[{}] @operator\n", quoted(&operators)));
    for class in Class::ALL {
        // `true` and `false` are nodes of their own.
        if class != Class::Constant {
            text.push_str(&format!("[{}] @{}\n", quoted(&words::keywords(class)), capture(class)));
        }
    }
    text.push_str("(color_declaration \"color\" @keyword)\n");
    let any_of = |node: &str, capture: &str, words: &[&str]| {
        format!("\n(({node}) @{capture}\n  (#match? @{capture} \"^({})$\"))\n", words.join("|"))
    };
    let mut types = words::types();
    types.push("[iu](0|[1-9][0-9]*)");
    text.push_str(&any_of("identifier", "type.builtin", &types));
    text.push_str(&any_of("identifier", "constant.builtin", &words::constants()));
    let builtins: Vec<String> = words::builtins().iter().map(|name| format!("@{name}")).collect();
    text.push_str(&any_of(
        "builtin_identifier",
        "function.builtin",
        &builtins.iter().map(String::as_str).collect::<Vec<_>>(),
    ));
    text
}
