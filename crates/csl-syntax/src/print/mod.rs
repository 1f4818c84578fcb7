//! The syntax tree as canonical CSL text: parsing it gives the same tree, spans aside.

mod decl;
mod expr;
mod stmt;

use crate::ast::File;

pub(crate) use expr::binary_op;

/// Text that parses to `file` again. Comments are not part of the tree, and so are lost.
pub fn print(file: &File) -> String {
    let mut printer = Printer { out: String::new(), indent: 0 };
    for item in &file.items {
        printer.item(item);
        printer.out.push('\n');
    }
    printer.out
}

struct Printer {
    out: String,
    indent: usize,
}

impl Printer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.out.push_str(&"  ".repeat(self.indent));
    }

    /// The elements with commas between.
    fn list<T>(&mut self, elements: &[T], mut one: impl FnMut(&mut Printer, &T)) {
        for (at, element) in elements.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            one(self, element);
        }
    }
}
