//! The host beside the program, as hosts up to SDK 0.8 (`CSELFRunner`) are: words go to the places around the program's
//! rectangle, whose links lead into its outermost PEs, and come from there; memory is written before the run.

use csl_machine::{Color, Direction, LAST_CONTROL_TASK, TaskId, Wavelet};
use csl_sim::{Port, Sim};

use crate::error::{ArgumentError, HostError, NameError, SequenceError};
use crate::runtime::Runtime;

impl Runtime {
    /// The port at a place around the program, (-1, 0) to the west of its first PE.
    fn port_at(&self, column: i64, row: i64, color: u32) -> Result<Port, HostError> {
        let rect = self.image().rect;
        let (width, height) = (i64::from(rect.width), i64::from(rect.height));
        let is_beside = |place: i64, end: i64| (0..end).contains(&place);
        let (x, y, side) = match (column, row) {
            (-1, row) if is_beside(row, height) => (0, row, Direction::West),
            (column, row) if column == width && is_beside(row, height) => (column - 1, row, Direction::East),
            (column, -1) if is_beside(column, width) => (column, 0, Direction::North),
            (column, row) if row == height && is_beside(column, width) => (column, row - 1, Direction::South),
            _ => return Err(ArgumentError::NoPort { column, row, width: rect.width, height: rect.height }.into()),
        };
        let color = Color::of(u64::from(color)).ok_or(ArgumentError::NoPortColor { color })?;
        Ok(Port { x: x as u32, y: y as u32, side, color })
    }

    /// Lets 32-bit words enter the program from a place around it, and behind them a control wavelet that starts the task
    /// with the number `sentinel`, if one is given.
    ///
    /// # Errors
    /// [`HostError::Argument`] where the place is not beside the rectangle, [`HostError::Port`] where the PE beside it has no
    /// route for the color, [`HostError::Sequence`] unless the program runs.
    pub fn let_in(
        &mut self,
        (column, row): (i64, i64),
        color: u32,
        words: &[u32],
        sentinel: Option<u32>,
    ) -> Result<(), HostError> {
        let port = self.port_at(column, row, color)?;
        let control_task = |number| {
            let task = TaskId::of(number).filter(|task| task.number() <= LAST_CONTROL_TASK);
            task.ok_or(ArgumentError::NoSentinel { number, last: LAST_CONTROL_TASK })
        };
        let data = words.iter().map(|word| Wavelet::word(*word));
        let end = sentinel.map(control_task).transpose()?.map(Wavelet::starting);
        let wavelets = data.chain(end).collect();
        Ok(self.sim("add_input_tensor()")?.let_in(port, wavelets)?)
    }

    /// Waits for so many words that leave the program for a place around it.
    ///
    /// # Errors
    /// As for [`Runtime::let_in`].
    pub fn let_out(&mut self, (column, row): (i64, i64), color: u32, words: usize) -> Result<(), HostError> {
        let port = self.port_at(column, row, color)?;
        Ok(self.sim("add_output_tensor()")?.let_out(port, words)?)
    }

    /// The words that have come to a place around the program; none stay.
    ///
    /// # Errors
    /// As for [`Runtime::let_in`].
    pub fn take_left(&mut self, (column, row): (i64, i64), color: u32) -> Result<Vec<u32>, HostError> {
        let port = self.port_at(column, row, color)?;
        let sim = self.any_sim().ok_or(SequenceError::NotLoaded { method: "add_output_tensor()" })?;
        Ok(sim.take_left(port).into_iter().map(|wavelet| wavelet.data).collect())
    }

    /// The number of words that have found no way into the program from a place beside it.
    ///
    /// # Errors
    /// As for [`Runtime::let_in`].
    pub fn waiting_outside(&mut self, (column, row): (i64, i64), color: u32) -> Result<usize, HostError> {
        let port = self.port_at(column, row, color)?;
        let sim = self.any_sim().ok_or(SequenceError::NotLoaded { method: "connect_and_run()" })?;
        Ok(sim.waiting_outside(port))
    }

    /// Runs until all words that the host waits for have come; where it waits for none, until nothing can move any more.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs; [`HostError::Failed`] and [`HostError::Interrupted`] when the run
    /// ends before that.
    pub fn run_ports(&mut self) -> Result<(), HostError> {
        self.advance("connect_and_run()", |sim| if sim.missing() > 0 { sim.run_ports() } else { sim.rest() })
    }

    /// Writes a named object of the PE at this column and row of the whole fabric, before the program runs.
    ///
    /// # Errors
    /// [`HostError::Name`] when there is no such PE or no such object on it, [`HostError::Argument`] for more bytes than it
    /// has, [`HostError::Sequence`] before `load()`.
    pub fn write_symbol(&mut self, x: u32, y: u32, name: &str, bytes: &[u8]) -> Result<(), HostError> {
        let at = self.image().to_logical(x, y).ok_or(NameError::Pe { x, y, begins: self.image().offset })?;
        let program = self.image().program_at(at.x, at.y);
        let symbol = program.and_then(|program| program.symbol(name)).map(|symbol| (symbol.addr, symbol.size));
        let (addr, size) = symbol.ok_or_else(|| NameError::Symbol { x, y, name: name.to_owned() })?;
        if bytes.len() > size as usize {
            return Err(ArgumentError::TooLong { name: name.to_owned(), size, given: bytes.len() }.into());
        }
        let sim: &mut Sim = self.any_sim().ok_or(SequenceError::NotLoaded { method: "set_symbol()" })?;
        Ok(sim.write_memory(at.x, at.y, addr, bytes)?)
    }
}
