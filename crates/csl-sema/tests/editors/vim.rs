//! The files for Vim and Neovim.

use crate::words::{self, Class};

fn group(class: Class) -> &'static str {
    match class {
        Class::Control => "cslControl",
        Class::Declares => "cslDeclaration",
        Class::Modifies => "cslModifier",
        Class::Operator => "cslWordOperator",
        Class::Constant => "cslConstant",
        Class::Type => "cslType",
    }
}

/// The groups and those of Vim's that they look like.
const LINKS: [(&str, &str); 16] = [
    ("cslControl", "Statement"),
    ("cslDeclaration", "Keyword"),
    ("cslModifier", "StorageClass"),
    ("cslWordOperator", "Operator"),
    ("cslConstant", "Constant"),
    ("cslType", "Type"),
    ("cslOperator", "Operator"),
    ("cslBuiltin", "Function"),
    ("cslFunction", "Function"),
    ("cslInteger", "Number"),
    ("cslFloat", "Float"),
    ("cslString", "String"),
    ("cslCharacter", "Character"),
    ("cslEscape", "SpecialChar"),
    ("cslComment", "Comment"),
    ("cslDocumentation", "SpecialComment"),
];

const HEAD: &str = "\" Vim syntax of CSL, the kernel language of the Cerebras Wafer-Scale Engine.
\" Made of the compiler's tables by `cargo xtask editors`.
if exists(\"b:current_syntax\")
  finish
endif
";

const PATTERNS: &str = r#"syntax match cslOperator "[-+*/%<>=!&|^~]"
syntax match cslInteger "\<\%(0x[0-9A-Fa-f_]\+\|0o[0-7_]\+\|0b[01_]\+\|\d[0-9_]*\)\>"
syntax match cslFloat "\<\d[0-9_]*\%(\.\d[0-9_]*\)\?[eE][-+]\?\d[0-9_]*\>"
syntax match cslFloat "\<\d[0-9_]*\.\d[0-9_]*\>"
syntax match cslFloat "\<0x[0-9A-Fa-f_]\+\%(\.[0-9A-Fa-f_]\+\)\?[pP][-+]\?\d\+\>"
syntax match cslFloat "\<0x[0-9A-Fa-f_]\+\.[0-9A-Fa-f_]\+\>"
syntax match cslType "\<[iu]\%(0\|[1-9]\d*\)\>"
syntax match cslFunction "\%(\<\%(fn\|task\)\s\+\)\@<=\h\w*"
" Behind a dot a keyword is a name.
syntax match cslField "\.\h\w*"
syntax match cslEscape "\\\%([nrt\\'"]\|x\x\{2}\|u{\x\+}\)" contained
syntax region cslString start=+"+ skip=+\\.+ end=+"\|$+ oneline contains=cslEscape,@Spell
syntax match cslCharacter "'\%([^'\\]\|\\\%(x\x\{2}\|u{\x\+}\|.\)\)'" contains=cslEscape
syntax keyword cslTodo TODO FIXME NOTE WARNING contained
syntax match cslComment "//.*$" contains=cslTodo,@Spell
syntax match cslDocumentation "///\%([^/].*\)\?$" contains=cslTodo,@Spell
syntax match cslDocumentation "//!.*$" contains=cslTodo,@Spell
"#;

pub fn syntax() -> String {
    let mut text = HEAD.to_owned();
    text.push('\n');
    for class in Class::ALL {
        text.push_str(&format!("syntax keyword {} {}\n", group(class), words::keywords(class).join(" ")));
    }
    text.push_str(&format!("syntax keyword {} {}\n", group(Class::Type), words::types().join(" ")));
    text.push_str(&format!("syntax keyword {} {}\n", group(Class::Constant), words::constants().join(" ")));
    text.push_str(&format!("syntax match cslBuiltin \"@\\%({}\\)\\>\"\n", words::builtins().join("\\|")));
    text.push_str(PATTERNS);
    text.push_str("\nhighlight default link cslTodo Todo\n");
    for (group, like) in LINKS {
        text.push_str(&format!("highlight default link {group} {like}\n"));
    }
    text.push_str("\nlet b:current_syntax = \"csl\"\n");
    text
}

/// Files of the Citation Style Language have the same ending; newer releases of Vim and Neovim take all *.csl for those.
pub fn detection() -> String {
    "\" *.csl is CSL, unless it begins as XML does: then it is of the Citation Style Language.
\" Made by `cargo xtask editors`.
function! s:Detect() abort
  let number = nextnonblank(1)
  let first = substitute(getline(number == 0 ? 1 : number), '^\\%ufeff', '', '')
  if first =~# '^\\s*<'
    set filetype=xml
  else
    set filetype=csl
  endif
endfunction

autocmd BufNewFile,BufRead *.csl call s:Detect()
"
    .to_owned()
}
