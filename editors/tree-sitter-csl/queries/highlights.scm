; Highlights of CSL. Made of the compiler's tables by `cargo xtask editors`. Of several matches the last counts.

(identifier) @variable
(field_identifier) @variable.member

(comment) @comment
((comment) @comment.documentation
  (#match? @comment.documentation "^//(/([^/]|$)|!)"))

(integer) @number
(float) @number.float
(character) @character
(string) @string
(escape_sequence) @string.escape
(true) @boolean
(false) @boolean

(parameter name: (identifier) @variable.parameter)
(loop_variables (identifier) @variable.parameter)
(enum_member name: (identifier) @constant)
(label name: (identifier) @label)
(break_expression label: (identifier) @label)
(continue_expression label: (identifier) @label)

(function_declaration name: (identifier) @function)
(call_expression function: (identifier) @function.call)
(call_expression function: (field_expression field: (field_identifier) @function.call))

["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":" "."] @punctuation.delimiter

["!" "!=" "%" "%=" "&" "&=" "*" "*=" "+" "+=" "-" "-=" "->" ".*" "/" "/=" "<" "<<" "<<=" "<=" "=" "==" "=>" ">" ">=" ">>" ">>=" "^" "^=" "|" "|=" "~"] @operator
["break" "continue" "else" "for" "if" "return" "switch" "while"] @keyword.control
["const" "enum" "fn" "layout" "param" "struct" "task" "union" "var"] @keyword
["align" "asm" "comptime" "export" "extern" "inline" "linkname" "linksection" "noinline" "packed" "volatile"] @keyword.modifier
["and" "or"] @keyword.operator
["anytype"] @type.builtin
(color_declaration "color" @keyword)

((identifier) @type.builtin
  (#match? @type.builtin "^(anyopaque|bf16|bool|cb16|circbuf_dsd|color|comptime_float|comptime_int|comptime_string|comptime_struct|control_task_id|data_task_id|direction|dsr_dest|dsr_fifo_dest|dsr_fifo_src1|dsr_src0|dsr_src1|f16|f32|fabin_dsd|fabout_dsd|fifo_dsd|i16|i32|i64|i8|imported_module|input_queue|local_task_id|mem1d_dsd|mem4d_dsd|output_queue|sr|type|u16|u32|u64|u8|ut_id|void|xdsr|[iu](0|[1-9][0-9]*))$"))

((identifier) @constant.builtin
  (#match? @constant.builtin "^(EAST|NORTH|RAMP|SOUTH|WEST)$"))

((builtin_identifier) @function.builtin
  (#match? @function.builtin "^(@activate|@add16|@addc16|@allocate_fifo|@and16|@as|@assert|@bind_control_task|@bind_data_task|@bind_local_task|@bind_rotating_tasks|@bind_task|@bitcast|@block|@clz|@comptime_assert|@comptime_print|@concat_structs|@constants|@ctz|@dfilt|@dimensions|@element_count|@element_type|@export|@export_name|@export_symbol|@fabsh|@fabss|@faddh|@faddhs|@fadds|@fh2s|@fh2xp16|@field|@fmach|@fmachs|@fmacs|@fmaxh|@fmaxs|@fmovh|@fmovs|@fmulh|@fmuls|@fnegh|@fnegs|@fnormh|@fnorms|@fp16|@fs2h|@fs2xp16|@fscaleh|@fscales|@fsubh|@fsubs|@get_array|@get_color|@get_color_id|@get_config|@get_config_unchecked|@get_control_task_id|@get_data_task_id|@get_dsd|@get_dsr|@get_filter_id|@get_input_queue|@get_int|@get_local_task_id|@get_output_queue|@get_rectangle|@get_sr|@get_string_from_byte|@get_symbol_id|@get_symbol_value|@get_tensor_ptr|@get_ut_id|@get_xdsr|@has_exported_tensors|@has_field|@import_comptime_value|@import_module|@increment_dsd_offset|@initialize_queue|@is_arch|@is_comptime|@is_same_type|@load_to_dsr|@load_to_dsr_xdsr|@load_to_dsr_xdsr_sr|@map|@mov16|@mov32|@or16|@popcnt|@ptrcast|@queue_flush|@random16|@range|@range_start|@range_step|@range_stop|@rank|@rpc|@sar16|@set_active_prng|@set_color_config|@set_config|@set_config_unchecked|@set_control_task_table|@set_dsd_base_addr|@set_dsd_length|@set_dsd_stride|@set_dsr_base_addr|@set_empty_queue_handler|@set_fifo_read_length|@set_fifo_write_length|@set_local_color_config|@set_rectangle|@set_teardown_handler|@set_tile_code|@sll16|@slr16|@strcat|@strlen|@sub16|@type_of|@unblock|@xor16|@xp162fh|@xp162fs|@zeros)$"))
