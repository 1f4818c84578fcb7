//! The words of memory that asynchronous operations still read and write.

use super::object::Tag;
use super::objects::words;
use crate::datapath::{Cursor, Operand, Operation};

/// An asynchronous operation under way.
#[derive(Clone, Debug)]
struct Running {
    /// The instruction that started it.
    pc: u32,
    /// Destination and sources at the start, with the objects that they are meant for.
    operands: [(Operand, Tag); 4],
    left: u32,
}

/// The number of an operation among those under way; 0 for the main thread.
pub type Number = u8;

#[derive(Clone, Debug, Default)]
pub struct Marks {
    running: Vec<Option<Running>>,
    under_way: usize,
    /// By word of memory, the operation that still writes it, and one that still reads it.
    writers: Vec<Number>,
    readers: Vec<Number>,
}

impl Marks {
    /// Notes an operation that begins. Endless ones, and those of an unknown length, mark nothing.
    pub fn begin(&mut self, run: &Operation, pc: u32, tags: [Tag; 4]) -> Number {
        let left = run.left.finite().filter(|&left| left <= 1 << 15).unwrap_or(0);
        let mut tagged = run.operands().cloned().zip(tags);
        let operands = std::array::from_fn(|_| tagged.next().expect("an operation has four operands"));
        let free = self.running.iter().position(Option::is_none).unwrap_or(self.running.len());
        let Ok(number) = Number::try_from(free + 1) else { return 0 };
        if free == self.running.len() {
            self.running.push(None);
        }
        for (at, (operand, _)) in operands.iter().enumerate() {
            let marks = if at == 0 { &mut self.writers } else { &mut self.readers };
            walk(operand.clone(), left, |word| {
                if marks.len() <= word {
                    marks.resize(word + 1, 0);
                }
                marks[word] = number;
            });
        }
        self.running[free] = Some(Running { pc, operands, left });
        self.under_way += 1;
        number
    }

    /// Notes that an operation has ended.
    pub fn end(&mut self, number: Number) {
        let Some(running) = self.slot(number).and_then(Option::take) else { return };
        self.under_way -= 1;
        for (at, (operand, _)) in running.operands.iter().enumerate() {
            let marks = if at == 0 { &mut self.writers } else { &mut self.readers };
            walk(operand.clone(), running.left, |word| clear(marks, word, number));
        }
    }

    fn slot(&mut self, number: Number) -> Option<&mut Option<Running>> {
        self.running.get_mut(usize::from(number).checked_sub(1)?)
    }

    fn running(&self, number: Number) -> Option<&Running> {
        self.running.get(usize::from(number).checked_sub(1)?)?.as_ref()
    }

    /// The operations under way that write memory: the instruction, and the object that the destination is meant for.
    pub fn writing(&self) -> impl Iterator<Item = (u32, Tag)> {
        let running = self.running.iter().flatten().filter(|running| running.left > 0);
        let dests = running.map(|running| (running.pc, &running.operands[0]));
        dests.filter(|(_, (operand, _))| operand.cursor.is_memory()).map(|(pc, (_, tag))| (pc, *tag))
    }

    /// The objects that the operands of an operation are meant for.
    pub fn tags(&self, number: Number) -> Option<[Tag; 4]> {
        self.running(number).map(|running| running.operands.each_ref().map(|operand| operand.1))
    }

    /// Notes that an operation has passed the element at an address; one that comes back to its elements keeps them.
    pub fn pass(&mut self, number: Number, cursor: &Cursor, addr: u16, bytes: u16, is_store: bool) {
        if number != 0 && matches!(cursor, Cursor::Mem(linear) if linear.step != 0) {
            let marks = if is_store { &mut self.writers } else { &mut self.readers };
            words(addr, bytes).for_each(|word| clear(marks, word, number));
        }
    }

    /// Whether no operation is under way.
    pub fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// The instruction of another operation than `own` that still writes one of these bytes.
    pub fn writer(&self, own: Number, addr: u16, bytes: u16) -> Option<u32> {
        self.other(&self.writers, own, addr, bytes)
    }

    pub fn reader(&self, own: Number, addr: u16, bytes: u16) -> Option<u32> {
        self.other(&self.readers, own, addr, bytes)
    }

    fn other(&self, marks: &[Number], own: Number, addr: u16, bytes: u16) -> Option<u32> {
        let found = words(addr, bytes).filter_map(|word| marks.get(word)).find(|&&mark| mark != 0 && mark != own)?;
        self.running(*found).map(|running| running.pc)
    }
}

fn clear(marks: &mut [Number], word: usize, number: Number) {
    if let Some(mark) = marks.get_mut(word).filter(|mark| **mark == number) {
        *mark = 0;
    }
}

/// Calls `f` with every word of memory that an operand takes in `left` elements.
fn walk(mut operand: Operand, left: u32, mut f: impl FnMut(usize)) {
    let bytes = u16::from(operand.words) * 2;
    if let Cursor::Ptr { addr, .. } = operand.cursor {
        return words(addr, bytes).for_each(f);
    }
    for _ in 0..left {
        let Some(addr) = operand.cursor.next_addr() else { return };
        words(addr, bytes).for_each(&mut f);
    }
}
