//! The names that a program gives its parts, as reports show them.

use csl_image::PeImage;
use csl_machine::{TaskId, TaskKind};

/// The name of a FIFO's buffer.
pub(super) fn fifo_name(program: Option<&PeImage>, id: u8) -> String {
    let fifo = program.and_then(|program| program.fifos.get(usize::from(id)));
    let symbol = fifo.zip(program).and_then(|(fifo, program)| program.symbols.iter().find(|s| s.addr == fifo.addr));
    symbol.map_or_else(|| format!("FIFO {id}"), |symbol| format!("the FIFO in `{}`", symbol.name))
}

/// The function of a task.
pub(super) fn task_function(program: &PeImage, kind: TaskKind, id: TaskId) -> Option<&str> {
    let task = program.tasks.iter().find(|task| task.kind == kind && task.id == id)?;
    Some(&program.funcs.get(usize::from(task.func))?.name)
}

/// ` (FUNCTION)` of a task, or nothing.
pub(super) fn task_name(program: Option<&PeImage>, kind: TaskKind, id: TaskId) -> String {
    let function = program.and_then(|program| task_function(program, kind, id));
    function.map(|name| format!(" ({name})")).unwrap_or_default()
}
