//! What the libraries give to programs, read from their texts.

/// A function, a constant or a param of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub kind: Kind,
    pub name: &'static str,
    /// The declaration without its body.
    pub head: String,
    /// The text of its doc comment, or of the one that speaks for several that follow line on line.
    pub about: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Function,
    Value,
    /// For programs only where a library says so.
    Variable,
    Param,
}

/// Names that only the library itself uses; all its other functions and constants are for programs.
const INTERNAL: &[(&str, &[&str])] = &[
    ("collectives_2d/params", &["x_axis", "y_axis", "old_entrypoints"]),
    ("control", &["NO_ENTRYPOINT", "entrypoint_bits", "command_bits", "place", "given_commands", "remaining_ignored"]),
    ("data_utils", &["bits"]),
    ("debug", &["Tag", "begin", "tagged_put_u16", "tagged_put_u32", "tagged_put_u64", "packed_words"]),
    (
        "math",
        &[
            "is_unsigned",
            "is_integer",
            "require_number",
            "require_float",
            "bits_of",
            "mantissa_bits",
            "min_exponent",
            "sign_mask",
            "infinity_bits",
            "quiet_mask",
            "magnitude",
            "power_of_two",
            "scale_in_steps",
        ],
    ),
    ("memcpy/get_params", &["unused"]),
    ("memcpy/memcpy_switches", &["ADV", "TEARDOWN", "CE_IGNORE", "REST_IGNORED", "NO_ENTRYPOINT"]),
    ("random", &["precision", "random_bits"]),
    ("string", &["DIGITS"]),
    ("tile_config/color_config", &["ROUTES", "address", "bit", "code", "direction_bits"]),
    ("tile_config/filters", &["HIGH_WORD", "read_double", "write_double"]),
    ("tile_config/input_queue_status", &["ALL", "bit"]),
    ("tile_config/output_queue_status", &["ALL", "bit"]),
    (
        "tile_config/switch_config",
        &["POSITION_SHIFT", "INVALID", "ALL_INVALID", "route_address", "switch_address", "change", "code"],
    ),
];

/// The names that libraries give to programs, for libraries that are programs or large.
const GIVES: &[(&str, &[&str])] = &[
    ("collectives_2d/common", &["pendings"]),
    ("collectives_2d/pe", &["pe_id", "init", "broadcast", "scatter", "gather", "reduce_fadds"]),
    ("kernels/fft/fft3d", &["X", "twiddle_array", "transform"]),
    ("kernels/fft/get_params", &["get_params"]),
    (
        "message_passing",
        &["mp_input_queue", "mp_output_queue", "mp_comm_color", "init", "send_message", "recv_message"],
    ),
    ("kernels/tally/pe", &["local_tally", "bump_tally", "signal_completion"]),
    ("kernels/fft/fft3d_layout", &["FFT_kernel"]),
    ("kernels/fft/fft3d_program", &[]),
    ("sdklayout/stream", &[]),
];

fn row(table: &[(&str, &'static [&'static str])], library: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(name, _)| *name == library).map(|(_, names)| *names)
}

/// The text that a library has on itself.
pub fn about(library: &str) -> Option<String> {
    let lines = crate::lookup(library)?.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    Some(lines.join("\n"))
}

/// What a library declares for programs, in the order of its text: params, functions, constants. Modules within it and
/// addresses of registers do not count.
pub fn declarations(library: &str) -> Vec<Declaration> {
    let Some(text) = crate::lookup(library) else { return Vec::new() };
    let declared = all(text);
    let internal = row(INTERNAL, &library.replace("memcpy_multi/memcpy_", "memcpy/memcpy_")).unwrap_or_default();
    let is_given = |declared: &Declaration| match (row(GIVES, library), declared.kind) {
        (Some(names), Kind::Param) => !names.is_empty(),
        (Some(names), _) => names.contains(&declared.name),
        (None, Kind::Variable) => false,
        (None, _) => !internal.contains(&declared.name),
    };
    let mut given: Vec<Declaration> = declared.into_iter().filter(is_given).collect();
    for index in 0..given.len() {
        if given[index].about.is_empty() {
            given[index].about = variant(given[index].name, &given).unwrap_or_default();
        }
    }
    given
}

/// The text on a function of one type, where there is one of any type.
fn variant(name: &str, given: &[Declaration]) -> Option<String> {
    let (general, bits) = name.rsplit_once('_')?;
    let is_there = given.iter().any(|d| d.name == general && !d.about.is_empty());
    let of = match bits {
        "32" | "64" => format!("`complex_{bits}`"),
        _ => format!("`{bits}`"),
    };
    is_there.then(|| format!("`{general}` for {of}."))
}

/// Every declaration at the top level.
fn all(text: &'static str) -> Vec<Declaration> {
    let mut found = Vec::new();
    let (mut about, mut goes_on): (Vec<&str>, bool) = (Vec::new(), false);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("///") {
            if !goes_on {
                about.clear();
            }
            about.push(comment.trim());
            goes_on = true;
            continue;
        }
        goes_on = false;
        match parse(line) {
            Some((kind, name)) => {
                let mut head = line.to_owned();
                while !is_whole(&head, kind) {
                    let Some(next) = lines.next() else { break };
                    head = head + "\n" + next;
                }
                if kind == Kind::Function {
                    head.truncate(head.rfind('{').unwrap_or(head.len()));
                    head.truncate(head.trim_end().len());
                }
                found.push(Declaration { kind, name, head, about: about.join("\n") });
            }
            None if line.starts_with("//") => {}
            None => about.clear(),
        }
    }
    found
}

/// Whether a head goes on in no further line: a function's ends where its body begins, any other at a semicolon.
fn is_whole(head: &str, kind: Kind) -> bool {
    match kind {
        Kind::Function => head.ends_with('{') || head.ends_with('}'),
        Kind::Value | Kind::Variable | Kind::Param => head.ends_with(';'),
    }
}

/// The kind and the name of what a line begins to declare.
fn parse(line: &'static str) -> Option<(Kind, &'static str)> {
    if line.contains("= @import_module(") || line.contains("@wl_register(") {
        return None;
    }
    let line = line.strip_prefix("inline ").unwrap_or(line);
    let (word, rest) = line.split_once(' ')?;
    let kind = match word {
        "fn" => Kind::Function,
        "const" => Kind::Value,
        "var" => Kind::Variable,
        "param" => Kind::Param,
        _ => return None,
    };
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    Some((kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_tables_are_declared() {
        for (library, names) in INTERNAL.iter().chain(GIVES) {
            let declared = all(crate::lookup(library).expect("there is such a library"));
            let unknown = names.iter().find(|name| !declared.iter().any(|d| d.name == **name));
            assert_eq!(unknown, None, "<{library}>");
        }
    }
}
