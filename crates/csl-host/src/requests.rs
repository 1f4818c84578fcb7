//! The requests of a run, with the cycles that each took.

use csl_image::Image;
use csl_sim::{Command, Endpoint, Span};

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A call of an exported function.
    Launch,
    /// A copy or stream to the device.
    H2d,
    /// A copy or stream to the host.
    D2h,
}

impl RequestKind {
    /// Its name, as host programs know it.
    pub fn name(self) -> &'static str {
        match self {
            RequestKind::Launch => "launch",
            RequestKind::H2d => "h2d",
            RequestKind::D2h => "d2h",
        }
    }
}

/// A request of the host and the cycles that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its kind.
    pub kind: RequestKind,
    /// The exported function or symbol, or `color N` for a stream.
    pub name: String,
    /// The cycle in which the first PE got the call, or memcpy sent the copy; `None` where it has not begun.
    pub first: Option<u64>,
    /// The cycle in which the last PE unblocked the command stream, or had its words or had given them; `None` while it is
    /// under way.
    pub last: Option<u64>,
}

/// A request as the runtime keeps it; the machine keeps the cycles.
pub(crate) struct Kept {
    kind: RequestKind,
    what: What,
}

enum What {
    Export(u16),
    Color(csl_machine::Color),
}

impl Kept {
    pub(crate) fn of(command: &Command) -> Kept {
        let endpoint = |endpoint: &Endpoint| match *endpoint {
            Endpoint::Symbol(id) => What::Export(id),
            Endpoint::Color(color) => What::Color(color),
        };
        let (kind, what) = match command {
            Command::H2d { to, .. } => (RequestKind::H2d, endpoint(to)),
            Command::D2h { from, .. } => (RequestKind::D2h, endpoint(from)),
            Command::Launch { function, .. } => (RequestKind::Launch, What::Export(*function)),
        };
        Kept { kind, what }
    }

    /// The request, with its cycles.
    pub(crate) fn told(&self, image: &Image, span: Span) -> Request {
        let name = match self.what {
            What::Export(id) => image.export(id).map(|export| export.name.clone()).unwrap_or_default(),
            What::Color(color) => format!("color {color}"),
        };
        Request { kind: self.kind, name, first: span.began, last: span.ended }
    }
}
