//! A compute element as the engine sees it. [`csl_pe::Pe`] is the real one; the engine's own tests use scripted ones.

use csl_machine::{Color, Draws};
use std::sync::Arc;

use csl_image::{Image, PeImage};
use csl_pe::Memory;
use csl_pe::{
    Access, AstrayRoot, Complaint, Event, Fault, Hazard, InQueue, NamedTask, Outlet, Pe, Ports, Registers, TaskState,
    TimeReads, UnboundActivation, Unserved, Waiting, Wake,
};

/// The program of a tile, and its coordinates.
pub(crate) struct TileInit<'a> {
    pub program: &'a Arc<PeImage>,
    pub image: &'a Image,
    /// Coordinates in the program's rectangle.
    pub x: u32,
    pub y: u32,
}

pub(crate) trait Element: Send {
    /// Makes the element and binds its queues; runs no cycle.
    fn load(init: &TileInit<'_>, ports: &mut Ports) -> Self;
    /// Runs up to and including cycle `now`, and further where the outside cannot see it, but starts nothing at or
    /// after `limit`. `wake` becomes the set of events that it waits for then.
    fn advance(
        &mut self,
        now: u64,
        limit: u64,
        ports: &mut Ports,
        regs: &mut dyn Registers,
        wake: &mut Wake,
    ) -> Result<(), Box<Fault>>;
    /// Whether no task runs at cycle `now`, so that memcpy may copy.
    fn between_tasks(&self, now: u64) -> bool;
    /// Starts memcpy's call of a function of the program. Arguments are in canonical form.
    fn call(&mut self, func: u16, args: &[u64]);
    /// The number of calls that have started so far.
    fn calls_started(&self) -> u64;
    /// Does the work before `cycle` that it has put off because the outside could not see it.
    fn synchronize(&mut self, cycle: u64);
    /// The cycle up to which the element has run.
    fn clock(&self) -> u64;
    /// The last cycle in which a thread had the issue slot; it may lie ahead of the clock.
    fn last_issue(&self) -> u64;
    /// The element's memory, as the host sees it.
    fn memory(&self) -> &Memory;
    fn memory_mut(&mut self) -> &mut Memory;
    /// Gives the tile's own constant `number` its value.
    fn set_const(&mut self, number: u16, value: u64);
    /// Notes that a TEARDOWN command has stopped a color of the router.
    fn torn_down(&mut self, color: Color);
    /// Records every instruction among the events from here on.
    fn trace(&mut self) {}
    /// Runs functions in native code that have run long.
    #[cfg(feature = "jit")]
    fn run_natively(&mut self, _native: Arc<csl_jit::Native>) {}
    /// Runs by another schedule than the machine's own from here on.
    fn draw_from(&mut self, _draws: Draws) {}
    /// Runs without a clock from here on.
    fn run_untimed(&mut self, _reads: TimeReads) {}
    /// Moves all that streams in such a run, but for what ends an operation.
    fn stream_ahead(&mut self, _now: u64, _ports: &mut Ports, _outlet: &mut dyn Outlet) {}
    /// Looks for mistakes of the program from here on; with `stops`, the first is a fault.
    fn check(&mut self, _stops: bool, _library: Arc<[bool]>) {}
    /// The mistakes that were found so far.
    fn complaints(&self) -> &[Complaint] {
        &[]
    }
    /// A copy of the host is about to read or write memory in cycle `now`.
    fn look_at_copy(&mut self, _access: Access, _now: u64) {}
    /// Bytes of memory have got values before the run, by the host or by a patch.
    fn note_written(&mut self, _addr: u16, _bytes: u16) {}
    /// The events so far, in order; they may lie ahead of the clock.
    fn take_events(&mut self) -> Vec<Event>;
    /// The threads that wait for something outside themselves.
    fn waiting(&self, ports: &Ports) -> Vec<Waiting>;
    /// The instruction of the main thread while a task runs.
    fn running(&self) -> Option<u32>;
    /// The task table.
    fn tasks(&self) -> TaskState;
    /// The control task that the head of an input queue names, if it is a control wavelet that names one.
    fn named_task(&self, _input: &InQueue) -> Option<NamedTask> {
        None
    }
    /// The places where the main thread has waited for an earlier operation (structural hazards).
    fn hazards(&self) -> &[Hazard] {
        &[]
    }
    /// The places where the program has accessed a register that no part of the machine serves.
    fn unserved(&self) -> &[Unserved] {
        &[]
    }
    /// The activations of ids that nothing is bound to, the first of each.
    fn unbound_activations(&self) -> &[UnboundActivation] {
        &[]
    }
    /// The first instruction that has read the time stamp counter, if the program has never started it.
    fn unstarted_read(&self) -> Option<u32> {
        None
    }
    /// The first root of a collective operation that is no PE of its row or column.
    fn astray_root(&self) -> Option<&AstrayRoot> {
        None
    }
}

impl Element for Pe {
    fn load(init: &TileInit<'_>, ports: &mut Ports) -> Pe {
        let chip = csl_machine::chip(init.image.arch);
        Pe::new(Arc::clone(init.program), chip, init.x as u16, init.y as u16, ports)
    }

    fn advance(
        &mut self,
        now: u64,
        limit: u64,
        ports: &mut Ports,
        regs: &mut dyn Registers,
        wake: &mut Wake,
    ) -> Result<(), Box<Fault>> {
        self.visit(now, limit, ports, regs, wake)
    }

    fn between_tasks(&self, now: u64) -> bool {
        self.memcpy_ready(now)
    }

    fn call(&mut self, func: u16, args: &[u64]) {
        Pe::call(self, func, args);
    }

    fn calls_started(&self) -> u64 {
        Pe::calls_started(self)
    }

    fn synchronize(&mut self, cycle: u64) {
        Pe::synchronize(self, cycle);
    }

    fn clock(&self) -> u64 {
        Pe::clock(self)
    }

    fn last_issue(&self) -> u64 {
        Pe::last_issue(self)
    }

    fn memory(&self) -> &Memory {
        Pe::memory(self)
    }

    fn memory_mut(&mut self) -> &mut Memory {
        Pe::memory_mut(self)
    }

    fn set_const(&mut self, number: u16, value: u64) {
        Pe::set_const(self, number, value);
    }

    fn torn_down(&mut self, color: Color) {
        self.tear_down(color);
    }

    fn trace(&mut self) {
        Pe::trace(self);
    }

    #[cfg(feature = "jit")]
    fn run_natively(&mut self, native: Arc<csl_jit::Native>) {
        Pe::run_natively(self, native);
    }

    fn draw_from(&mut self, draws: Draws) {
        Pe::draw_from(self, draws);
    }

    fn run_untimed(&mut self, reads: TimeReads) {
        Pe::run_untimed(self, reads);
    }

    fn stream_ahead(&mut self, now: u64, ports: &mut Ports, outlet: &mut dyn Outlet) {
        Pe::stream_ahead(self, now, ports, outlet);
    }

    fn check(&mut self, stops: bool, library: Arc<[bool]>) {
        Pe::check(self, stops, library);
    }

    fn complaints(&self) -> &[Complaint] {
        Pe::complaints(self)
    }

    fn look_at_copy(&mut self, access: Access, now: u64) {
        Pe::look_at_copy(self, access, now);
    }

    fn note_written(&mut self, addr: u16, bytes: u16) {
        Pe::note_written(self, addr, bytes);
    }

    fn take_events(&mut self) -> Vec<Event> {
        Pe::take_events(self)
    }

    fn waiting(&self, ports: &Ports) -> Vec<Waiting> {
        Pe::waiting(self, ports)
    }

    fn running(&self) -> Option<u32> {
        Pe::running(self)
    }

    fn tasks(&self) -> TaskState {
        self.task_state()
    }

    fn named_task(&self, input: &InQueue) -> Option<NamedTask> {
        Pe::named_task(self, input)
    }

    fn hazards(&self) -> &[Hazard] {
        Pe::hazards(self)
    }

    fn unserved(&self) -> &[Unserved] {
        Pe::unserved(self)
    }

    fn unbound_activations(&self) -> &[UnboundActivation] {
        Pe::unbound_activations(self)
    }

    fn unstarted_read(&self) -> Option<u32> {
        Pe::unstarted_read(self)
    }

    fn astray_root(&self) -> Option<&AstrayRoot> {
        Pe::astray_root(self)
    }
}
