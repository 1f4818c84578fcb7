//! Sends and receives on the streams of a compiled layout.

use csl_image::{Flow, Stream};
use csl_sim::{Command, Copy, Endpoint, Rect, Spread};
use serde_json::{Value, json};

use crate::error::{ArgumentError, HostError, NameError};
use crate::runtime::{Runtime, Task};

/// 32-bit words to ask for at a time when their total number is not known.
const CHUNK: usize = 4096;

/// The list of streams in the form of `port_map.json`.
pub(crate) fn to_json(streams: &[Stream]) -> Value {
    let entry = |s: &Stream| {
        let flow = if s.flow == Flow::In { "in" } else { "out" };
        json!({ "name": s.name, "direction": flow, "x": s.x, "y": s.y, "color": s.color })
    };
    Value::Array(streams.iter().map(entry).collect())
}

impl Runtime {
    /// The streams of a program that was made with [`crate::layout::Layout`], by port number.
    pub fn streams(&self) -> &[Stream] {
        &self.image().origin.streams
    }

    /// The number of a stream.
    ///
    /// # Errors
    /// [`HostError::Name`], which lists the streams of the program.
    pub fn port(&self, name: &str) -> Result<usize, HostError> {
        self.streams().iter().position(|stream| stream.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.streams().iter().map(|stream| stream.name.as_str()).collect();
            NameError::Stream { name: name.to_owned(), streams: names.join(", ") }.into()
        })
    }

    /// Sends 32-bit words, one a wavelet, into the stream with this number.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Name`] when there is no such port,
    /// [`HostError::Argument`] when it does not lead to the device.
    pub fn send(&mut self, port: usize, array: impl Into<Vec<u32>>) -> Result<Task, HostError> {
        let array = array.into();
        let (to, copy) = self.stream_end("send", port, Flow::In, array.len())?;
        self.submit("send", Command::H2d { to, copy, spread: Spread::Each, array })
    }

    /// Receives `count` 32-bit words, one a wavelet: see [`Runtime::take_arrived`].
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Name`] when there is no such port,
    /// [`HostError::Argument`] when it does not lead from the device.
    pub fn receive(&mut self, port: usize, count: usize) -> Result<Task, HostError> {
        let (from, copy) = self.stream_end("receive", port, Flow::Out, count)?;
        self.submit("receive", Command::D2h { from, copy, room: count })
    }

    /// Receives all 32-bit words that come until nothing can move any more.
    ///
    /// # Errors
    /// As [`Runtime::receive`] and [`Runtime::wait`].
    pub fn receive_all(&mut self, port: usize) -> Result<Vec<u32>, HostError> {
        let mut all = Vec::new();
        loop {
            let (from, copy) = self.stream_end("receive_tofile", port, Flow::Out, CHUNK)?;
            let words = self.wait_for_some(Command::D2h { from, copy, room: CHUNK }, copy.rect)?;
            all.extend(&words);
            if words.len() < CHUNK {
                return Ok(all);
            }
        }
    }

    fn stream_end(
        &self,
        method: &'static str,
        port: usize,
        flow: Flow,
        count: usize,
    ) -> Result<(Endpoint, Copy), HostError> {
        let Some(stream) = self.streams().get(port) else { return Err(NameError::Port { method, port }.into()) };
        if stream.flow != flow {
            let stream = stream.name.clone();
            return Err(match flow {
                Flow::In => ArgumentError::NotToDevice { method, stream },
                Flow::Out => ArgumentError::NotFromDevice { method, stream },
            }
            .into());
        }
        let per_pe = u32::try_from(count).map_err(|_| ArgumentError::Wavelets { method, count })?;
        Ok((Endpoint::Color(stream.color), Copy::of(Rect::new(stream.x, stream.y, 1, 1), per_pe)))
    }
}
