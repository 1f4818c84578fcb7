//! The table of all builtins.

use std::sync::LazyLock;

use csl_machine::{Forms, VecOp};
use rustc_hash::FxHashMap;

use super::Context::{Anywhere, Global, Layout, Library, Pe, PeGlobal, Runtime, TopComptime, TopOrRuntime};
use super::{
    Builtin, Context, Handler, arrays, casts, dsd, dsd_change, dsr, fifo, ids, json, layout, machine, map, print,
    queues, reflect, rpc, strings, tasks, typeinfo, vecop,
};

const MANY: usize = usize::MAX;

type Row = (&'static str, usize, usize, Context, Handler);

/// Name, least and greatest number of arguments, context, and handler of each builtin.
const ROWS: &[Row] = &[
    // Types and comptime.
    ("as", 2, 2, Anywhere, casts::as_type),
    ("bitcast", 2, 2, Anywhere, casts::bitcast),
    ("ptrcast", 2, 2, Anywhere, casts::ptrcast),
    ("get_int", 1, 1, Anywhere, casts::get_int),
    ("get_color_id", 1, 1, Anywhere, casts::get_int),
    ("type_of", 1, 1, Anywhere, reflect::type_of),
    ("is_same_type", 2, 2, Anywhere, reflect::is_same_type),
    ("element_type", 1, 1, Anywhere, reflect::element_type),
    ("element_count", 1, 1, Anywhere, reflect::element_count),
    ("rank", 1, 1, Anywhere, reflect::rank),
    ("dimensions", 1, 1, Anywhere, reflect::dimensions),
    ("field", 2, 2, Anywhere, reflect::field),
    ("has_field", 2, 2, Anywhere, reflect::has_field),
    ("concat_structs", 2, MANY, Anywhere, reflect::concat_structs),
    ("fp16", 0, 0, Anywhere, reflect::fp16),
    ("is_arch", 1, 1, Anywhere, reflect::is_arch),
    ("is_comptime", 0, 0, Anywhere, reflect::is_comptime),
    ("comptime_assert", 1, 2, Anywhere, reflect::comptime_assert),
    ("comptime_print", 0, MANY, Anywhere, reflect::comptime_print),
    ("import_module", 1, 2, Global, reflect::import_module),
    ("import_comptime_value", 2, 2, Anywhere, json::import_comptime_value),
    ("get_rectangle", 0, 0, Anywhere, reflect::get_rectangle),
    // Strings, arrays, ranges.
    ("strcat", 0, MANY, Anywhere, strings::strcat),
    ("strlen", 1, 1, Anywhere, strings::strlen),
    ("get_array", 1, 1, Anywhere, strings::get_array),
    ("get_string_from_byte", 1, 1, Anywhere, strings::get_string_from_byte),
    ("zeros", 1, 1, Anywhere, arrays::zeros),
    ("constants", 2, 2, Anywhere, arrays::constants),
    ("range", 2, 4, Anywhere, arrays::range),
    ("range_start", 1, 1, Anywhere, arrays::range_start),
    ("range_stop", 1, 1, Anywhere, arrays::range_stop),
    ("range_step", 1, 1, Anywhere, arrays::range_step),
    // Ids.
    ("get_color", 1, 1, Anywhere, ids::get_color),
    ("get_local_task_id", 1, 1, Anywhere, ids::get_local_task_id),
    ("get_data_task_id", 1, 1, Anywhere, ids::get_data_task_id),
    ("get_control_task_id", 1, 1, Anywhere, ids::get_control_task_id),
    ("get_input_queue", 1, 1, Anywhere, ids::get_input_queue),
    ("get_output_queue", 1, 1, Anywhere, ids::get_output_queue),
    ("get_ut_id", 1, 1, Anywhere, ids::get_ut_id),
    ("get_dsr", 2, 2, Anywhere, ids::get_dsr),
    ("get_xdsr", 1, 1, Anywhere, ids::get_xdsr),
    ("get_sr", 1, 1, Anywhere, ids::get_sr),
    ("get_filter_id", 1, 1, Pe, ids::get_filter_id),
    // DSDs, DSRs, FIFOs.
    ("get_dsd", 2, 2, Anywhere, dsd::get_dsd),
    ("set_dsd_base_addr", 2, 2, Anywhere, dsd_change::set_base_addr),
    ("increment_dsd_offset", 3, 3, Anywhere, dsd_change::increment_offset),
    ("set_dsd_length", 2, 2, Anywhere, dsd_change::set_length),
    ("set_dsd_stride", 2, 2, Anywhere, dsd_change::set_stride),
    ("allocate_fifo", 1, 2, PeGlobal, fifo::allocate),
    ("set_fifo_read_length", 2, 2, Runtime, fifo::set_read_length),
    ("set_fifo_write_length", 2, 2, Runtime, fifo::set_write_length),
    ("load_to_dsr", 2, 3, TopOrRuntime, dsr::load_to_dsr),
    ("load_to_dsr_xdsr", 3, 4, TopOrRuntime, dsr::load_to_dsr_xdsr),
    ("load_to_dsr_xdsr_sr", 4, 5, TopOrRuntime, dsr::load_to_dsr_xdsr_sr),
    ("set_dsr_base_addr", 2, 2, Runtime, dsr::set_dsr_base_addr),
    ("map", 2, MANY, Runtime, map::map),
    // Tasks and queues.
    ("activate", 1, 1, TopOrRuntime, tasks::activate),
    ("block", 1, 1, TopOrRuntime, tasks::block),
    ("unblock", 1, 1, TopOrRuntime, tasks::unblock),
    ("bind_local_task", 2, 2, TopComptime, tasks::bind_local_task),
    ("bind_data_task", 2, 2, TopComptime, tasks::bind_data_task),
    ("bind_control_task", 2, 2, TopComptime, tasks::bind_control_task),
    ("bind_task", 2, 2, TopComptime, tasks::bind_task),
    ("bind_rotating_tasks", 4, 4, TopComptime, tasks::bind_rotating_tasks),
    ("set_control_task_table", 0, 1, TopComptime, tasks::set_control_task_table),
    ("set_teardown_handler", 2, 2, TopComptime, tasks::set_teardown_handler),
    ("set_empty_queue_handler", 2, 2, TopComptime, queues::set_empty_queue_handler),
    ("initialize_queue", 1, 2, TopComptime, queues::initialize_queue),
    ("queue_flush", 1, 1, Runtime, queues::queue_flush),
    // The PE's registers and counters.
    ("assert", 1, 1, Anywhere, machine::assert),
    ("random16", 0, 0, Runtime, machine::random16),
    ("set_active_prng", 1, 1, Runtime, machine::set_active_prng),
    ("get_config", 1, 2, TopOrRuntime, machine::get_config),
    ("set_config", 2, 3, TopOrRuntime, machine::set_config),
    ("get_config_unchecked", 1, 1, TopOrRuntime, machine::get_config),
    ("set_config_unchecked", 2, 2, TopOrRuntime, machine::set_config),
    // The layout.
    ("set_rectangle", 2, 2, Layout, layout::set_rectangle),
    ("set_tile_code", 2, 4, Layout, layout::set_tile_code),
    ("set_color_config", 4, 4, Layout, layout::set_color_config),
    ("set_local_color_config", 2, 2, TopComptime, layout::set_local_color_config),
    ("export_name", 2, 3, Layout, layout::export_name),
    // Remote procedure calls and symbols.
    ("export_symbol", 1, 2, TopComptime, rpc::export_symbol),
    ("export", 2, 2, TopComptime, rpc::export),
    ("get_symbol_id", 1, 1, Pe, rpc::get_symbol_id),
    ("get_symbol_value", 2, 2, Runtime, rpc::get_symbol_value),
    ("get_tensor_ptr", 1, 1, Runtime, rpc::get_tensor_ptr),
    ("has_exported_tensors", 0, 0, Pe, rpc::has_exported_tensors),
    ("rpc", 1, 1, TopComptime, rpc::rpc),
    // The services of which the standard library is made.
    ("wl_expect", 2, 2, Library, reflect::wl_expect),
    ("wl_look_at_root", 2, 2, Library, machine::wl_look_at_root),
    ("wl_get_x", 0, 0, Library, machine::wl_get_x),
    ("wl_get_y", 0, 0, Library, machine::wl_get_y),
    ("wl_register", 1, 1, Library, machine::wl_register),
    ("wl_is_before", 2, 2, Library, machine::wl_is_before),
    ("wl_tsc_enable", 0, 0, Library, machine::wl_tsc_enable),
    ("wl_tsc_disable", 0, 0, Library, machine::wl_tsc_disable),
    ("wl_tsc_word", 1, 1, Library, machine::wl_tsc_word),
    ("wl_math", 2, 3, Library, machine::wl_math),
    ("wl_set_prng_seed", 1, 1, Library, machine::wl_set_prng_seed),
    ("wl_unblock_cmd_stream", 0, 0, Library, machine::wl_unblock_cmd_stream),
    ("wl_message_header", 1, 1, Library, machine::wl_message_header),
    ("wl_message_route", 3, 3, Library, layout::wl_message_route),
    ("wl_type_class", 1, 1, Library, typeinfo::class),
    ("wl_size_of", 1, 1, Library, typeinfo::size),
    ("wl_align_of", 1, 1, Library, typeinfo::align),
    ("wl_bits_of", 1, 1, Library, typeinfo::bits),
    ("wl_uint", 1, 1, Library, typeinfo::uint),
    ("wl_print", 2, 2, Library, print::print),
    ("wl_format", 2, 2, Library, print::format),
];

static TABLE: LazyLock<Vec<Builtin>> = LazyLock::new(|| {
    let rows = ROWS.iter().map(|&(name, least, most, context, handler)| Builtin {
        name,
        args: (least, most),
        context,
        handler,
    });
    rows.chain(VecOp::ALL.iter().map(|&op| vector_row(op))).collect()
});

/// A vector operation: its operands and, optionally, a configuration struct.
fn vector_row(op: VecOp) -> Builtin {
    let operands = vecop::operand_count(op);
    let least = if op == VecOp::Dfilt { operands + 1 } else { operands };
    let most = match op.forms() {
        Forms::ScalarUnary | Forms::ScalarBinary => operands,
        _ => operands + 1,
    };
    Builtin { name: op.name(), args: (least, most), context: Runtime, handler: vecop::vector }
}

static BY_NAME: LazyLock<FxHashMap<&str, &Builtin>> =
    LazyLock::new(|| TABLE.iter().map(|builtin| (builtin.name, builtin)).collect());

pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BY_NAME.get(name).copied()
}

/// Builtins that WSE-2 does not have.
pub(super) fn is_of_wse3(name: &str) -> bool {
    matches!(
        name,
        "bind_rotating_tasks" | "get_ut_id" | "queue_flush" | "set_control_task_table" | "set_empty_queue_handler"
    )
}

/// The names of all builtins, without the `@`.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|b| b.name)
}
