//! Calls by the host, which memcpy delivers.

/// A call of function number `func` of the program, with its arguments in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub func: u16,
    pub args: Vec<u64>,
}

/// Each becomes ready like a task and waits for its turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    pub waiting: Vec<Call>,
    /// How many have started so far.
    pub started: u64,
    /// The main thread runs a called function.
    pub is_running: bool,
}

impl Calls {
    pub fn any(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next one starts.
    pub fn start(&mut self) -> Call {
        self.started += 1;
        self.is_running = true;
        self.waiting.remove(0)
    }
}
