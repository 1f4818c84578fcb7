//! The streams of a compiled layout: sending and receiving on them.

use csl_image::{Stream, Way};
use csl_sim::{Command, Endpoint, Rect, Spread, Width};
use serde_json::{Value, json};

use crate::error::HostError;
use crate::layout::refuse;
use crate::runtime::{Runtime, Task};
use crate::transfer::{Order, Shape};

/// Words that are asked for at a time when it is not known how many come.
const CHUNK: usize = 4096;

/// The list that `port_map.json` holds.
pub fn to_json(streams: &[Stream]) -> Value {
    let entry = |s: &Stream| {
        let way = if s.way == Way::In { "in" } else { "out" };
        json!({ "name": s.name, "direction": way, "x": s.x, "y": s.y, "color": s.color })
    };
    Value::Array(streams.iter().map(entry).collect())
}

impl Runtime {
    /// The streams of a program that was made with [`crate::layout::Layout`], by port number.
    pub fn streams(&self) -> &[Stream] {
        &self.image().origin.streams
    }

    /// The number of a stream.
    pub fn port(&self, name: &str) -> Result<usize, HostError> {
        self.streams().iter().position(|stream| stream.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.streams().iter().map(|stream| stream.name.as_str()).collect();
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
        let Some(stream) = self.streams().get(port) else {
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
