//! The streams of a compiled layout: a file in the output folder, and sending and receiving on them.

use std::path::Path;

use csl_sim::{Command, Endpoint, Rect, Spread, Width};
use serde_json::{Value, json};

use crate::error::HostError;
use crate::layout::{Way, refuse};
use crate::runtime::{Runtime, Task};
use crate::transfer::{Order, Shape};

/// Path of the list of streams in an output folder.
pub const STREAMS_FILE: &str = "generated/streams.json";

/// Words that are asked for at a time when it is not known how many come.
const CHUNK: usize = 4096;

/// A stream of the host: the PE that it ends at, in the whole fabric, and the color there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    pub name: String,
    pub way: Way,
    pub x: u32,
    pub y: u32,
    pub color: u8,
}

pub fn to_json(streams: &[StreamInfo]) -> Value {
    let entry = |s: &StreamInfo| {
        let way = if s.way == Way::In { "in" } else { "out" };
        json!({ "name": s.name, "direction": way, "x": s.x, "y": s.y, "color": s.color })
    };
    Value::Array(streams.iter().map(entry).collect())
}

/// The streams of the program in an output folder; none for a program of `cslc`.
pub fn read(folder: &Path) -> Result<Vec<StreamInfo>, HostError> {
    let path = folder.join(STREAMS_FILE);
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(Vec::new()) };
    let damaged = || HostError::NoProgram { folder: folder.to_owned(), reason: format!("{STREAMS_FILE} is damaged") };
    let value: Value = serde_json::from_str(&text).map_err(|_| damaged())?;
    value.as_array().ok_or_else(damaged)?.iter().map(|entry| from_json(entry).ok_or_else(damaged)).collect()
}

fn from_json(entry: &Value) -> Option<StreamInfo> {
    let number = |key: &str| entry.get(key)?.as_u64();
    Some(StreamInfo {
        name: entry.get("name")?.as_str()?.to_owned(),
        way: if entry.get("direction")?.as_str()? == "in" { Way::In } else { Way::Out },
        x: number("x")?.try_into().ok()?,
        y: number("y")?.try_into().ok()?,
        color: number("color")?.try_into().ok()?,
    })
}

impl Runtime {
    /// The streams of a program that was made with [`crate::layout::Layout`], by port number.
    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// The number of a stream.
    pub fn port(&self, name: &str) -> Result<usize, HostError> {
        self.streams.iter().position(|stream| stream.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.streams.iter().map(|stream| stream.name.as_str()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            HostError::argument(format!("the program has no stream {name:?}; it has {known}"))
        })
    }

    /// Sends 32-bit words, one a wavelet.
    pub fn send(&mut self, port: usize, words: &[u32]) -> Result<Task, HostError> {
        let (rect, to, per_pe) = self.stream_end("send", port, Way::In, words.len())?;
        let (width, spread, data) = (Width::Bits32, Spread::Each, words.to_vec());
        self.submit(Command::H2d { to, rect, per_pe, width, spread, data }, None)
    }

    /// Receives `count` words: see [`Runtime::take_arrived`].
    pub fn receive(&mut self, port: usize, count: usize) -> Result<Task, HostError> {
        let (rect, from, per_pe) = self.stream_end("receive", port, Way::Out, count)?;
        let shape = Shape { h: 1, w: 1, l: count };
        self.submit(Command::D2h { from, rect, per_pe, width: Width::Bits32 }, Some((shape, Order::RowMajor)))
    }

    /// Receives whatever comes until nothing can move any more.
    pub fn receive_all(&mut self, port: usize) -> Result<Vec<u32>, HostError> {
        let mut all = Vec::new();
        loop {
            let (rect, from, per_pe) = self.stream_end("receive_tofile", port, Way::Out, CHUNK)?;
            let words = self.wait_for_some(Command::D2h { from, rect, per_pe, width: Width::Bits32 }, rect)?;
            all.extend(&words);
            if words.len() < CHUNK {
                return Ok(all);
            }
        }
    }

    fn stream_end(
        &self,
        method: &str,
        port: usize,
        way: Way,
        count: usize,
    ) -> Result<(Rect, Endpoint, u32), HostError> {
        let Some(stream) = self.streams.get(port) else {
            return refuse(format!("{method}: the program has no port with the number {port}"));
        };
        if stream.way != way {
            let (is, wants) = if way == Way::In { ("to", "send to") } else { ("from", "receive from") };
            return refuse(format!(
                "{method}: {} does not lead {is} the device; it is no stream to {wants}",
                stream.name
            ));
        }
        let Ok(per_pe) = u32::try_from(count) else {
            return refuse(format!("{method}: {count} wavelets are too many for one call"));
        };
        Ok((Rect::new(stream.x, stream.y, 1, 1), Endpoint::Color(stream.color), per_pe))
    }
}
