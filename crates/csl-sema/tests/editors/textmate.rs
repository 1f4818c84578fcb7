//! The TextMate grammar, which VS Code, GitHub and the JetBrains IDEs read.

use serde_json::{Value, json};

use crate::words::{self, Class};

/// Any name.
const NAME: &str = "[A-Za-z_][A-Za-z0-9_]*";

fn scope(class: Class) -> &'static str {
    match class {
        Class::Control => "keyword.control.csl",
        Class::Declares => "storage.type.csl",
        Class::Modifies => "storage.modifier.csl",
        Class::Operator => "keyword.operator.word.csl",
        Class::Constant => "constant.language.csl",
        Class::Type => "support.type.csl",
    }
}

/// One of the words, whole. Behind a `.` a keyword is a name.
fn any_of(words: &[&str]) -> String {
    format!("(?<!\\.)\\b(?:{})\\b", words.join("|"))
}

fn matches(name: &str, pattern: &str) -> Value {
    json!({ "name": name, "match": pattern })
}

fn escaped(operator: &str) -> String {
    operator.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\{c}") }).collect()
}

pub fn grammar() -> String {
    format!("{:#}\n", rules())
}

/// The grammar, of which that for Sublime Text is made, too.
pub fn rules() -> Value {
    let includes =
        |names: &[&str]| names.iter().map(|name| json!({ "include": format!("#{name}") })).collect::<Vec<_>>();
    let keywords: Vec<Value> =
        Class::ALL.iter().map(|&class| matches(scope(class), &any_of(&words::keywords(class)))).collect();
    let operators: Vec<String> = words::operators().into_iter().map(escaped).collect();
    let first = format!("^\\s*(?://|(?:{})\\b)", words::first_words().join("|"));
    let code = [
        "comments",
        "strings",
        "numbers",
        "builtins",
        "declarations",
        "fields",
        "keywords",
        "types",
        "calls",
        "operators",
    ];
    json!({
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "CSL",
        "scopeName": "source.csl",
        "fileTypes": ["csl"],
        "firstLineMatch": first,
        "patterns": [
            // The Citation Style Language is XML, and its files are named *.csl, too.
            {
                "begin": "\\A(?=\\x{feff}?\\s*<)",
                "end": "(?!)",
                // A rule of which every pattern is missing is dropped; the second is for editors without XML.
                "patterns": [{ "include": "text.xml" }, { "match": "(?!)" }],
            },
            { "include": "#code" },
        ],
        "repository": {
            "code": { "patterns": includes(&code) },
            "comments": {
                "patterns": [
                    matches("comment.line.documentation.csl", "//(?:/(?!/)|!).*$"),
                    matches("comment.line.double-slash.csl", "//.*$"),
                ],
            },
            "strings": {
                "patterns": [
                    {
                        "name": "string.quoted.double.csl",
                        "begin": "\"",
                        // A string ends with its line.
                        "end": "\"|$",
                        "patterns": includes(&["escapes"]),
                    },
                    {
                        "name": "string.quoted.single.csl",
                        "match": "'(?:[^'\\\\]|(\\\\(?:x[0-9A-Fa-f]{2}|u\\{[0-9A-Fa-f]+\\}|.)))'",
                        "captures": { "1": { "name": "constant.character.escape.csl" } },
                    },
                ],
            },
            "escapes": {
                "patterns": [
                    matches("constant.character.escape.csl", "\\\\(?:[nrt\\\\'\"]|x[0-9A-Fa-f]{2}|u\\{[0-9A-Fa-f]+\\})"),
                    matches("invalid.illegal.escape.csl", "\\\\."),
                ],
            },
            "numbers": {
                "patterns": [
                    matches(
                        "constant.numeric.float.csl",
                        "\\b(?:0x[0-9A-Fa-f_]+(?:\\.[0-9A-Fa-f_]+)?[pP][+-]?[0-9_]+|0x[0-9A-Fa-f_]+\\.[0-9A-Fa-f_]+|\
                         [0-9][0-9_]*(?:\\.[0-9][0-9_]*)?[eE][+-]?[0-9_]+|[0-9][0-9_]*\\.[0-9][0-9_]*)\\b",
                    ),
                    matches("constant.numeric.integer.csl", "\\b(?:0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*)\\b"),
                ],
            },
            "builtins": {
                "patterns": [matches("support.function.builtin.csl", &format!("@(?:{})\\b", words::builtins().join("|")))],
            },
            "declarations": {
                "patterns": [
                    {
                        "match": format!("\\b(fn|task)\\s+({NAME})"),
                        "captures": {
                            "1": { "name": scope(Class::Declares) },
                            "2": { "name": "entity.name.function.csl" },
                        },
                    },
                    {
                        "match": format!("\\b(param|const|var)\\s+({NAME})"),
                        "captures": {
                            "1": { "name": scope(Class::Declares) },
                            "2": { "name": "variable.other.declaration.csl" },
                        },
                    },
                ],
            },
            "fields": {
                "patterns": [{
                    "match": format!("(?<!\\.)\\.({NAME})(?!\\s*\\()"),
                    "captures": { "1": { "name": "variable.other.member.csl" } },
                }],
            },
            "keywords": { "patterns": keywords },
            "types": {
                "patterns": [
                    matches(scope(Class::Type), &any_of(&words::types())),
                    matches(scope(Class::Type), "(?<!\\.)\\b[iu](?:0|[1-9][0-9]*)\\b"),
                    matches(scope(Class::Constant), &any_of(&words::constants())),
                ],
            },
            "calls": {
                "patterns": [{
                    "match": format!("({NAME})\\s*(?=\\()"),
                    "captures": { "1": { "name": "entity.name.function.call.csl" } },
                }],
            },
            "operators": { "patterns": [matches("keyword.operator.csl", &operators.join("|"))] },
        },
    })
}
