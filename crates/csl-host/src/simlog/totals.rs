//! The lines at the end of `sim.log`, in the form that scripts read: three logs of the vendor's simulator that were
//! published with programs end so.

/// The totals of a run.
pub(crate) struct Totals {
    /// The cause of its end.
    pub cause: String,
    pub cycles: u64,
    /// Cycles since a PE has executed an instruction, and since a wavelet has landed on a router.
    pub idle_ce: u64,
    pub idle_wavelets: u64,
    /// Seconds since `run()`.
    pub seconds: f64,
    /// PEs that the run has touched.
    pub tiles: u64,
    pub threads: usize,
}

impl Totals {
    pub(crate) fn cycles_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.cycles as f64 / self.seconds } else { 0.0 }
    }

    pub(crate) fn lines(&self) -> String {
        let Totals { cause, cycles, idle_ce, idle_wavelets, seconds, tiles, threads } = self;
        let rate = self.cycles_per_second();
        format!(
            "@{cycles} {cause}\n\
             @{cycles} {idle_ce} cycles since an instruction was executed, {idle_wavelets} cycles since a wavelet landed\n\
             @{cycles} Simulation used {seconds:.3} seconds, {rate:.0} cycles/second, cycles={cycles}, tiles={tiles}, \
             threads={threads}\n"
        )
    }
}
