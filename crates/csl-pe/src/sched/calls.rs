//! Calls by the host, which memcpy delivers.

/// A call of function number `func` of the program, with its arguments in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub func: u16,
    pub args: Vec<u64>,
}

/// The calls of the host. Each becomes ready like a task and waits for its turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    pub waiting: Vec<Call>,
    /// The number of calls that have started so far.
    pub started: u64,
    /// Whether the main thread runs a called function.
    pub is_running: bool,
}

impl Calls {
    pub fn any(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Starts the next call.
    pub fn start(&mut self) -> Call {
        self.started += 1;
        self.is_running = true;
        self.waiting.remove(0)
    }
}
