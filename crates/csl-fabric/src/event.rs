//! Reports of the fabric: faults, trace events, stalled and dropped wavelets.

use csl_machine::{Color, DirSet, Direction, Wavelet};

/// An event that the hardware leaves undefined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub x: u32,
    pub y: u32,
    pub color: Color,
    pub wavelet: Wavelet,
    pub kind: FaultKind,
}

impl Fault {
    /// The first of two faults of a row and cycle, by column, color and sides.
    pub(crate) fn first(self, other: Fault) -> Fault {
        let key = |fault: &Fault| {
            let FaultKind::Collision { sides } = fault.kind;
            (fault.x, fault.color, sides)
        };
        if key(&other) < key(&self) { other } else { self }
    }
}

/// The kinds of faults of the fabric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Two wavelets of one color landed from two open inputs in one cycle.
    Collision { sides: [Direction; 2] },
}

/// An event of a router. Events are recorded when they are asked for, in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub color: Color,
    pub what: Traced,
}

impl TraceEvent {
    /// The side that a wavelet has landed from.
    pub(crate) fn side(&self) -> Option<Direction> {
        if let Traced::Landing { from, .. } = self.what { Some(from) } else { None }
    }
}

/// The kinds of events of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// A wavelet has landed from this side; `local_flip` tells whether a switch is to advance behind one from the CE.
    Landing { from: Direction, wavelet: Wavelet, local_flip: bool },
    /// The wavelet that landed first from this side leaves through a set of directions, the ramp to the CE among them
    /// or not.
    Departure { from: Direction, wavelet: Wavelet, outputs: DirSet },
    /// The position of a color's switch has changed. A change by a wavelet follows that wavelet's departure.
    Switch { before: SwitchState, after: SwitchState, cause: SwitchCause },
}

/// The state of a switch: its position, and sets of directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchState {
    pub position: u8,
    pub rx: DirSet,
    pub tx: DirSet,
}

/// The cause of a switch's change of position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchCause {
    /// Commands of a control wavelet.
    Advance(Wavelet),
    Reset(Wavelet),
    /// `.advance_switch` of the operation that sent the wavelet that has just left.
    Local,
    /// A write to the router's registers.
    Register,
}

/// Wavelets that are stalled in a router's input buffer, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled {
    pub color: Color,
    /// The side that they came from; the ramp for those from the CE.
    pub from: Direction,
    pub count: u32,
    pub head: Wavelet,
    pub why: StallReason,
}

/// The reason why the wavelet at the head of an input buffer does not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StallReason {
    /// The current switch position does not take this input; `ever` tells whether another one does.
    InputClosed { ever: bool },
    /// The color is in teardown.
    Teardown,
    /// The router has no route for the color.
    Unrouted,
    /// The neighbour at this side has no room.
    Link(Direction),
    /// The CE does not take it.
    Ramp,
    /// No reason: the wavelet moves in the next cycle.
    None,
}

/// Wavelets that have left the program by a side of a tile: the fabric around it takes and drops them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub x: u32,
    pub color: Color,
    pub side: Direction,
    pub count: u64,
}

/// The hash of one landing; hashes of a run are added up, so that their order does not matter.
#[inline]
pub fn landing_hash(cycle: u64, x: u32, y: u32, from: Direction, color: Color, wavelet: Wavelet) -> u64 {
    let place = u64::from(x) << 40 | u64::from(y) << 16 | u64::from(from.bit()) << 8 | u64::from(color);
    let mixed = (cycle ^ place.rotate_left(24)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let data = u64::from(wavelet.data) | u64::from(wavelet.control) << 32;
    (mixed ^ mixed >> 32 ^ data).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}
