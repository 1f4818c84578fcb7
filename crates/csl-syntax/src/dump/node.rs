//! S-expressions: a tree of words that is built first and laid out afterwards.

/// The greatest width of a list on one line, in characters.
const WIDTH: usize = 100;

/// A word, or a parenthesised list that begins with one.
pub struct Node {
    head: String,
    children: Option<Vec<Node>>,
}

impl Node {
    pub fn word(text: impl Into<String>) -> Node {
        Node { head: text.into(), children: None }
    }

    pub fn list(head: impl Into<String>) -> Node {
        Node { head: head.into(), children: Some(Vec::new()) }
    }

    pub fn with(self, child: Node) -> Node {
        self.all([child])
    }

    pub fn all(mut self, children: impl IntoIterator<Item = Node>) -> Node {
        self.children.get_or_insert_default().extend(children);
        self
    }

    /// Writes the node, ended by a line feed.
    pub fn write(&self, indent: usize, out: &mut String) {
        out.push_str(&"  ".repeat(indent));
        let line = self.line();
        let Some(children) = self.children.as_ref().filter(|_| indent * 2 + line.chars().count() > WIDTH) else {
            out.push_str(&line);
            out.push('\n');
            return;
        };
        out.push('(');
        out.push_str(&self.head);
        // Words stay on the line of the head.
        let words = children.iter().take_while(|c| c.children.is_none()).count();
        for word in &children[..words] {
            out.push(' ');
            out.push_str(&word.head);
        }
        out.push('\n');
        children[words..].iter().for_each(|child| child.write(indent + 1, out));
        out.pop();
        out.push_str(")\n");
    }

    fn line(&self) -> String {
        match &self.children {
            None => self.head.clone(),
            Some(children) => {
                let parts: Vec<String> =
                    std::iter::once(self.head.clone()).chain(children.iter().map(Node::line)).collect();
                format!("({})", parts.join(" "))
            }
        }
    }
}
