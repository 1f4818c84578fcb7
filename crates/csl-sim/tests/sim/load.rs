//! The load that programs put on the machine, as the reference sees it in every cycle: what a generator does not reach,
//! its programs do not test.

/// Counts, each over all cycles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Input buffers of routers that hold a wavelet, and those of them that are full.
    pub held_buffers: u64,
    pub full_buffers: u64,
    /// Colors at a router with a wavelet at an open input; those of them that send, that lose an output to another, that
    /// have no credit, and that the compute element refuses (or that are torn down).
    pub heads: u64,
    pub sent: u64,
    pub contended: u64,
    pub without_credit: u64,
    pub refused: u64,
    /// Tiles with wavelets in output queues; those of them with a full queue, and with several that could leave.
    pub senders: u64,
    pub full_outputs: u64,
    pub rivals: u64,
    /// Input queues that hold a wavelet, and those of them that are full.
    pub held_inputs: u64,
    pub full_inputs: u64,
    /// Wavelets from compute elements; those of them that are control wavelets; changes of switches.
    pub injected: u64,
    pub controls: u64,
    pub switched: u64,
}

impl Load {
    pub fn add(&mut self, other: &Load) {
        let all = [
            (&mut self.held_buffers, other.held_buffers),
            (&mut self.full_buffers, other.full_buffers),
            (&mut self.heads, other.heads),
            (&mut self.sent, other.sent),
            (&mut self.contended, other.contended),
            (&mut self.without_credit, other.without_credit),
            (&mut self.refused, other.refused),
            (&mut self.senders, other.senders),
            (&mut self.full_outputs, other.full_outputs),
            (&mut self.rivals, other.rivals),
            (&mut self.held_inputs, other.held_inputs),
            (&mut self.full_inputs, other.full_inputs),
            (&mut self.injected, other.injected),
            (&mut self.controls, other.controls),
            (&mut self.switched, other.switched),
        ];
        all.into_iter().for_each(|(sum, more)| *sum += more);
    }

    /// Shares in thousandths, by name, each with the least that saturating programs reach.
    pub fn shares(&self) -> [(&'static str, u64, u64); 9] {
        let share = |part: u64, whole: u64| part * 1000 / whole.max(1);
        [
            ("router buffers that hold something and are full", share(self.full_buffers, self.held_buffers), 700),
            ("losses of an output to another, by wavelets sent", share(self.contended, self.sent), 120),
            ("heads without a credit", share(self.without_credit, self.heads), 400),
            ("heads that the compute element refuses", share(self.refused, self.heads), 200),
            ("heads that are sent", share(self.sent, self.heads), 80),
            ("senders with a full output queue", share(self.full_outputs, self.senders), 700),
            ("senders with several queues that could leave", share(self.rivals, self.senders), 80),
            ("input queues that hold something and are full", share(self.full_inputs, self.held_inputs), 700),
            ("injected wavelets that are control wavelets", share(self.controls, self.injected), 5),
        ]
    }
}
