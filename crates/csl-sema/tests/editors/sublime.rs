//! The syntax definition of Sublime Text, which bat and other programs with syntect read: the rules of the TextMate grammar in
//! another form.

use serde_json::Value;

use crate::textmate;

/// The first text of a file says whose it is: the Citation Style Language is XML.
const HEAD: &str = r"%YAML 1.2
---
# CSL, the kernel language of the Cerebras Wafer-Scale Engine. Made of the compiler's tables by `cargo xtask editors`.
name: CSL
file_extensions: [csl]
scope: source.csl

contexts:
  main:
    - match: '^\x{feff}?\s*(?=<)'
      set: scope:text.xml
    - match: '(?=\S)'
      set: code
";

pub fn syntax() -> String {
    let rules = textmate::rules();
    let mut text = HEAD.to_owned();
    let contexts = rules["repository"].as_object().expect("the grammar has a repository");
    for (name, context) in contexts {
        text.push_str(&format!("  {name}:\n"));
        for rule in context["patterns"].as_array().expect("every entry of the repository has patterns") {
            text.push_str(&translated(rule, "    "));
        }
    }
    text
}

/// A rule, at this indentation.
fn translated(rule: &Value, indent: &str) -> String {
    let field = |name: &str| rule[name].as_str();
    if let Some(name) = field("include") {
        return format!("{indent}- include: {}\n", name.trim_start_matches('#'));
    }
    if let (Some(begin), Some(end)) = (field("begin"), field("end")) {
        let scope = field("name").expect("a region has a name");
        let within = format!("{indent}    ");
        let inner: String =
            rule["patterns"].as_array().into_iter().flatten().map(|rule| translated(rule, &within)).collect();
        return format!(
            "{indent}- match: {}\n{indent}  push:\n{within}- meta_scope: {scope}\n{inner}{within}- match: {}\n{within}  pop: true\n",
            quoted(begin),
            quoted(end)
        );
    }
    let mut text = format!("{indent}- match: {}\n", quoted(field("match").expect("a rule matches something")));
    if let Some(scope) = field("name") {
        text.push_str(&format!("{indent}  scope: {scope}\n"));
    }
    if let Some(captures) = rule["captures"].as_object() {
        text.push_str(&format!("{indent}  captures:\n"));
        for (number, capture) in captures {
            let scope = capture["name"].as_str().expect("a capture has a name");
            text.push_str(&format!("{indent}    {number}: {scope}\n"));
        }
    }
    text
}

/// A text of YAML in which nothing but a quote is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
