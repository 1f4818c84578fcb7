//! The host at the edges of the program, as hosts up to SDK 0.8 (`CSELFRunner`) are: words come in and leave by links of
//! the rectangle's outermost PEs, without memcpy.

use csl_machine::{Color, Direction, Wavelet};

use crate::machine::Pause;
use crate::sim::Sim;
use crate::stop::{NoSuchPe, RunError};

/// A link between a PE at the edge of the program's rectangle and the fabric around it, for one color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Coordinates of the PE in the rectangle.
    pub x: u32,
    pub y: u32,
    /// The side of the PE that faces no other.
    pub side: Direction,
    pub color: Color,
}

/// The reason why a port cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    #[error("PE ({x}, {y}) does not stand at that edge of the program's rectangle")]
    NoEdge { x: u32, y: u32 },
    #[error("PE ({x}, {y}) has no route for color {color}", color = u8::from(*.color))]
    NoRoute { x: u32, y: u32, color: Color },
    #[error("without a clock nothing comes in or leaves by the edges of a program: leave out `untimed`")]
    NoClock,
    #[error("the run has been stopped")]
    Stopped,
}

impl Sim {
    fn check_port(&self, port: Port) -> Result<(), PortError> {
        let Port { x, y, side, .. } = port;
        let (width, height) = (self.machine.world.width(), self.machine.world.height());
        let is_edge = x < width
            && y < height
            && match side {
                Direction::West => x == 0,
                Direction::East => x + 1 == width,
                Direction::North => y == 0,
                Direction::South => y + 1 == height,
                Direction::Ramp => false,
            };
        if !is_edge {
            return Err(PortError::NoEdge { x, y });
        }
        if self.options().untimed.is_some() {
            return Err(PortError::NoClock);
        }
        if self.stopped { Err(PortError::Stopped) } else { Ok(()) }
    }

    /// Lets wavelets enter by a port, one a cycle as there is room; does not advance the clock.
    pub fn let_in(&mut self, port: Port, wavelets: Vec<Wavelet>) -> Result<(), PortError> {
        self.check_port(port)?;
        let Port { x, y, side, color } = port;
        let is_routed = self.machine.row_mut(y).fabric.let_in(x, side, color, wavelets);
        if is_routed { Ok(()) } else { Err(PortError::NoRoute { x, y, color }) }
    }

    /// Waits for the next `wanted` wavelets that leave by a port.
    pub fn let_out(&mut self, port: Port, wanted: usize) -> Result<(), PortError> {
        self.check_port(port)?;
        self.machine.row_mut(port.y).fabric.let_out(port.x, port.side, port.color, wanted);
        Ok(())
    }

    /// Takes the wavelets that have left by a port so far.
    pub fn take_left(&mut self, port: Port) -> Vec<Wavelet> {
        self.machine.row_mut(port.y).fabric.take_left(port.x, port.side, port.color)
    }

    /// Runs until all ports have got what they wait for; where none waits for anything, until nothing can move any more.
    pub fn run_ports(&mut self) -> Result<(), RunError> {
        while self.missing() > 0 {
            self.host.has_port = false;
            match self.advance(u64::MAX, |host| host.has_port)? {
                Pause::Reached => {}
                _ if self.missing() > 0 => return Err(RunError::Deadlock(self.blocked_state())),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Whether the host has ports at the edges of the program.
    pub(crate) fn has_ports(&mut self) -> bool {
        self.machine.rows().any(|row| row.fabric.has_ports())
    }

    /// The number of wavelets that ports wait for.
    pub fn missing(&mut self) -> usize {
        self.machine.rows().map(|row| row.fabric.missing_at_edges()).sum()
    }

    /// The number of wavelets that wait outside of a port.
    pub fn waiting_outside(&mut self, port: Port) -> usize {
        self.machine.row_mut(port.y).fabric.waiting_outside(port.x, port.side, port.color)
    }

    /// Writes memory of a PE before it runs.
    pub fn write_memory(&mut self, x: u32, y: u32, addr: u16, bytes: &[u8]) -> Result<(), NoSuchPe> {
        if x >= self.machine.world.width() || y >= self.machine.world.height() {
            return Err(NoSuchPe { x, y });
        }
        let row = self.machine.row_mut(y);
        let tile_id = row.elements.touch(x).ok_or(NoSuchPe { x, y })?;
        let element = &mut row.elements.tiles[tile_id].element;
        element.memory_mut().write_bytes(addr, bytes);
        // More bytes than that fill the whole memory.
        element.note_written(addr, u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        Ok(())
    }
}
