//! What a run leaves to read: prints, traces, warnings.

/// Something that happened on a tile.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub what: EventKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// Of the program: prints, instruction traces, warnings.
    Pe(csl_pe::Event),
    Landing {
        color: u8,
        from: u8,
        wavelet: csl_fabric::Wavelet,
    },
    Switch {
        color: u8,
        position: u8,
    },
}
