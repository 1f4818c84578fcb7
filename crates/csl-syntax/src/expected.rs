//! Words for the tokens that the parser expected.

/// Closing and separating tokens: they are named even where an operand could follow.
const SEPARATORS: &[&str] = &[";", ",", ")", "]", "}", "=>", "else"];
/// Further punctuation, named only where no operand could follow.
const PUNCTUATION: &[&str] = &[":", "=", "{", "(", "[", "|", "->", "."];

/// The greatest number of alternatives in a message.
const MOST: usize = 4;

/// The tokens that the grammar accepts in some state.
pub struct Expected(Vec<String>);

impl Expected {
    /// Takes the names of terminals as the generated parser gives them, in quotes.
    pub fn new(terminals: &[String]) -> Expected {
        Expected(terminals.iter().map(|t| t.trim_matches('"').to_string()).collect())
    }

    pub fn has(&self, terminal: &str) -> bool {
        self.0.iter().any(|t| t == terminal)
    }

    /// The tokens in words, for example "`,` or `)`" or "an expression".
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self.category().into_iter().map(String::from).collect();
        let ends_operand = self.has(".*") || self.has("+");
        let named = SEPARATORS.iter().chain(PUNCTUATION.iter().filter(|p| !ends_operand || self.begins_part(p)));
        // Where an expression or statement could follow, only `)` and `}` are worth naming.
        let worth = |p: &str| words.is_empty() || matches!(p, ")" | "]" | "}" | ";" | "=>");
        let punctuation: Vec<String> = named.filter(|p| self.has(p) && worth(p)).map(|p| format!("`{p}`")).collect();
        if words.first().is_none_or(|w| w != "a declaration" && w != "a statement") {
            words.extend(punctuation);
        } else if self.has("}") {
            words.push("`}`".to_string());
        }
        words.truncate(MOST);
        join(&words)
    }

    /// Whether nothing but an expression or a type could stand here.
    pub fn is_operand(&self) -> bool {
        matches!(self.words().as_str(), "an expression" | "a type")
    }

    /// Whether this punctuation can follow a complete operand and is no operator: `=` of a declaration, `{` of a body.
    fn begins_part(&self, punctuation: &str) -> bool {
        match punctuation {
            "=" => !self.has("+="),
            "{" => !self.has("+"),
            _ => false,
        }
    }

    fn category(&self) -> Option<&'static str> {
        if self.has("layout") {
            Some("a declaration")
        } else if self.has("var") && self.has("return") {
            Some("a statement")
        } else if self.has("!") {
            Some("an expression")
        } else if self.has("anytype") && self.has("comptime") {
            Some("a parameter")
        } else if self.has("struct") && !self.has("var") {
            Some("a type")
        } else if self.has("fn") {
            Some("a declaration")
        } else if self.has("identifier") {
            Some("a name")
        } else if self.has("string") {
            Some("a string")
        } else {
            None
        }
    }
}

fn join(words: &[String]) -> String {
    match words {
        [] => "nothing more".to_string(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
