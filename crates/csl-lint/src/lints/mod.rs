//! The lints, a file each.

pub(crate) mod blocking_data_task;
pub(crate) mod division_in_loop;
pub(crate) mod never_activated;
pub(crate) mod route_to_nowhere;
pub(crate) mod scalar_loop;
pub(crate) mod unblocked_again;
pub(crate) mod unused_color;
pub(crate) mod unused_function;
pub(crate) mod unused_import;
pub(crate) mod unused_param;
pub(crate) mod unused_queue;
pub(crate) mod unused_variable;
