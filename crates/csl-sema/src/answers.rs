//! Which outcome follows from which answers to the questions of comptime code ([`csl_ir::Varying`]).

use csl_ir::Question;
use rustc_hash::FxHashMap;

/// Outcomes by the answers that led to them.
#[derive(Debug)]
pub struct Answers<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
enum Node<T> {
    Ask(Question, FxHashMap<i64, usize>),
    Leaf(T),
}

/// What is known of numbers by the answers that they give.
pub enum Known<'a, T> {
    Outcome(&'a T),
    /// None yet gave the same answers.
    Nothing,
    /// A question has no answer for these numbers.
    Unanswered,
}

impl<T> Default for Answers<T> {
    fn default() -> Answers<T> {
        Answers { nodes: Vec::new() }
    }
}

impl<T> Answers<T> {
    pub fn find(&self, inputs: &[i64]) -> Known<'_, T> {
        let mut at = 0;
        loop {
            match self.nodes.get(at) {
                None => return Known::Nothing,
                Some(Node::Leaf(outcome)) => return Known::Outcome(outcome),
                Some(Node::Ask(question, answers)) => {
                    match question.answer(inputs).map(|answer| answers.get(&answer)) {
                        Some(Some(next)) => at = *next,
                        Some(None) => return Known::Nothing,
                        None => return Known::Unanswered,
                    }
                }
            }
        }
    }

    /// Adds the outcome of an evaluation that asked these questions. A question follows from the answers before it, so
    /// that the way down the tree is that of `find` until it ends.
    pub fn insert(&mut self, asked: Vec<(Question, i64)>, outcome: T) {
        let mut at = 0;
        for (question, answer) in asked {
            if at == self.nodes.len() {
                self.nodes.push(Node::Ask(question, FxHashMap::default()));
            }
            let next = self.nodes.len();
            match &mut self.nodes[at] {
                Node::Ask(_, answers) => at = *answers.entry(answer).or_insert(next),
                Node::Leaf(_) => return,
            }
        }
        if at == self.nodes.len() {
            self.nodes.push(Node::Leaf(outcome));
        }
    }
}
