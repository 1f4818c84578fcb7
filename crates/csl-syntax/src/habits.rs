//! Words of other languages, and what CSL writes in their place. The parser and name lookup tell it where a program has
//! such a word in a place where CSL has none.

/// Words and the help on them.
const HABITS: &[(&[&str], &str)] = &[
    (&["int", "long", "short", "signed"], "integers are `i16` and `i32`, as in `var x: i32 = 0;`"),
    (
        &["unsigned", "uint", "size_t", "usize", "byte"],
        "integers without a sign are `u16` and `u32`, as in `var x: u16 = 0;`",
    ),
    (&["int8_t", "int16_t", "int32_t", "int64_t"], "integers are `i8`, `i16`, `i32` and `i64`"),
    (&["uint8_t", "uint16_t", "uint32_t", "uint64_t"], "integers without a sign are `u8`, `u16`, `u32` and `u64`"),
    (
        &["float", "double", "float32", "float64", "f64"],
        "numbers with a fraction are `f16` and `f32`, as in `var x: f32 = 0.0;`",
    ),
    (&["half", "float16", "__half"], "the 16-bit float is `f16`"),
    (
        &["char", "string", "str", "String"],
        "a PE has no strings: a byte is a `u8`, and text exists only while compiling",
    ),
    (&["boolean", "Bool", "_Bool"], "the type of truth values is `bool`"),
    (&["True", "TRUE", "False", "FALSE"], "truth values are `true` and `false`"),
    (&["NULL", "nullptr", "null", "None", "nil"], "CSL has no null: a pointer always points at something"),
    (
        &["let", "auto", "mut", "local"],
        "a variable is declared with `var`, as in `var x: i16 = 0;`, a constant with `const`",
    ),
    (
        &["__global__", "__device__", "__shared__"],
        "a function is `fn name(x: i16) i16 { ... }`; one that the host launches is exported with `@export_symbol`",
    ),
    (
        &["static", "volatile", "register"],
        "a variable of the PE stands at the top level of its file, as in `var x: i16 = 0;`",
    ),
    (&["pub", "public", "private"], "all that a file declares can be used where the file is imported: no word says so"),
    (&["defer"], "CSL has no `defer`: what ends a function stands at its end"),
    (
        &["floatCast", "intCast", "intToFloat", "floatToInt", "truncate", "ptrToInt", "cast"],
        "a value is converted with `@as(TYPE, value)`, its bits are taken as they are with `@bitcast(TYPE, value)`",
    ),
    (&["elif", "elsif", "elseif"], "write `else if (condition)`"),
    (&["def", "func", "function", "fun", "proc"], "a function is `fn name(x: i16) i16 { ... }`"),
    (
        &["import", "include", "using", "require"],
        "a file is imported with `const name = @import_module(\"file.csl\");`",
    ),
    (&["define"], "a constant is `const name = 4;`, a value that the layout gives `param name: u16;`"),
    (&["typedef"], "a type gets a name with `const Name = struct { x: i16 };`"),
    (&["class"], "CSL has no classes: `const Name = struct { x: i16 };` is a type, functions stand beside it"),
    (&["do", "until", "loop"], "a loop is `while (condition) { ... }`"),
    (&["foreach"], "a loop over an array is `for (array) |element| { ... }`"),
    (&["goto"], "CSL has no `goto`: a labelled block is left with `break :label;`"),
    (&["try", "catch", "throw", "raise"], "CSL has no exceptions"),
    (&["case", "default"], "a case is `value => { ... },`, the rest `else => { ... },`"),
    (&["not"], "the logical operator is `!`"),
    (&["lambda"], "CSL has no functions without a name"),
    (&["pass"], "an empty block is `{}`"),
    (
        &["printf", "print", "println", "puts", "echo", "fprintf"],
        "PEs print with `<simprint>`, the compiler with `@comptime_print(value)`",
    ),
    (
        &["malloc", "calloc", "free", "new", "delete"],
        "memory of a PE is declared at the top level, as in `var v = @zeros([16]f32);`",
    ),
    (&["sizeof"], "CSL has no `sizeof`; a type's elements are counted, as in `.extent = 16`"),
    (&["memset", "bzero"], "an array is filled by a vector operation on its DSD, as in `@fmovs(dsd, 0.0);`"),
    (&["memcpy", "memmove"], "an array is copied by a vector operation on DSDs, as in `@fmovs(to, from);`"),
    (&["len", "length"], "the length of an array is written once, as `const n = 16;`"),
    (&["range", "xrange"], "a range is `@range(i16, n)`, as in `for (@range(i16, n)) |i| { ... }`"),
    (&["assert"], "`@assert(condition)` checks at run time, `@comptime_assert(condition)` while compiling"),
    (
        &[
            "sqrt", "sqrtf", "exp", "expf", "log", "logf", "sin", "cos", "pow", "fabs", "abs", "min", "max", "floor",
            "ceil",
        ],
        "functions of numbers are in `const math = @import_module(\"<math>\");`, as in `math.sqrt(x)`",
    ),
    (
        &["MPI_Send", "MPI_Isend", "send"],
        "a PE sends by a vector operation to a `fabout_dsd`, as in `@fmovs(out, v_dsd);`",
    ),
    (
        &["MPI_Recv", "MPI_Irecv", "recv"],
        "a PE receives by a vector operation from a `fabin_dsd`, as in `@fmovs(v_dsd, in);`",
    ),
    (
        &["MPI_Comm_rank", "MPI_Comm_size", "rank"],
        "a PE knows its place as a `param`, which `@set_tile_code` gives it, or from `<layout>`",
    ),
    (
        &["MPI_Allreduce", "MPI_Reduce", "MPI_Bcast"],
        "reductions and broadcasts over rows and columns are in `<collectives_2d>`",
    ),
];

/// What CSL writes in place of a word of another language.
pub fn habit(word: &str) -> Option<&'static str> {
    HABITS.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| *help)
}

/// Whether a word is the name of a type in other languages.
pub(crate) fn is_foreign_type(word: &str) -> bool {
    const TYPES: usize = 6;
    HABITS[..TYPES].iter().any(|(words, _)| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_once() {
        let mut words: Vec<&str> = HABITS.iter().flat_map(|(words, _)| words.iter().copied()).collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(is_foreign_type("int") && is_foreign_type("half") && !is_foreign_type("char"));
    }
}
