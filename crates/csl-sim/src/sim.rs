//! The face of the machine.

use std::sync::Arc;

use csl_image::Image;

use crate::command::{Command, Ticket};
use crate::options::SimOptions;
use crate::stop::{SimError, Stop};

/// A loaded program on a wafer.
pub struct Sim {
    image: Arc<Image>,
    options: SimOptions,
    cycle: u64,
}

impl Sim {
    /// Loads a program. Costs what its tile runs cost: a PE is made when something first touches it.
    pub fn new(image: Arc<Image>, options: SimOptions) -> Result<Sim, SimError> {
        image.check().map_err(SimError::Image)?;
        Ok(Sim { image, options, cycle: 0 })
    }

    pub fn image(&self) -> &Arc<Image> {
        &self.image
    }

    pub fn options(&self) -> &SimOptions {
        &self.options
    }

    /// The cycle that the clock stands at.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Takes a command after checking it; does not advance the clock.
    pub fn submit(&mut self, _command: Command) -> Result<Ticket, SimError> {
        Err(SimError::Stopped)
    }

    /// Runs until the command is done. The data of a [`Command::D2h`] or [`Command::Receive`] is given out once;
    /// `None` for the other commands and when it has been given out.
    pub fn wait(&mut self, _ticket: Ticket) -> Result<Option<Vec<u32>>, Stop> {
        Ok(None)
    }

    /// Whether the command is done; if not, first advances the clock by a fixed quantum.
    pub fn is_done(&mut self, _ticket: Ticket) -> Result<bool, Stop> {
        Ok(true)
    }

    /// Completes what is pending; nothing can be submitted after that. Results can still be taken with [`Sim::wait`].
    pub fn stop(&mut self) -> Result<(), Stop> {
        Ok(())
    }

    /// Memory of a PE, at the cycle the clock stands at.
    pub fn read_memory(&mut self, _x: u32, _y: u32, _addr: u16, bytes: u32) -> Result<Vec<u8>, SimError> {
        Ok(vec![0; bytes as usize])
    }

    /// Memory of the object with this name on a PE; `None` when its program has no such object.
    pub fn read_symbol(&mut self, _x: u32, _y: u32, _name: &str) -> Result<Option<Vec<u8>>, SimError> {
        Ok(None)
    }
}
