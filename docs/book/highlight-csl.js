// Colours CSL in the book, by the highlight.js that mdBook brings. Made of the compiler's tables by `cargo xtask editors`.
hljs.registerLanguage("csl", (hljs) => ({
  name: "CSL",
  keywords: {
    keyword: "break continue else for if return switch while const enum fn layout param struct task union var align asm comptime export extern inline linkname linksection noinline packed volatile and or",
    type: "anytype anyopaque bf16 bool cb16 circbuf_dsd color comptime_float comptime_int comptime_string comptime_struct control_task_id data_task_id direction dsr_dest dsr_fifo_dest dsr_fifo_src1 dsr_src0 dsr_src1 f16 f32 fabin_dsd fabout_dsd fifo_dsd i16 i32 i64 i8 imported_module input_queue local_task_id mem1d_dsd mem4d_dsd output_queue sr type u16 u32 u64 u8 ut_id void xdsr",
    literal: "false true EAST NORTH RAMP SOUTH WEST",
  },
  contains: [
    hljs.C_LINE_COMMENT_MODE,
    { className: "string", begin: '"', end: '"|$', contains: [hljs.BACKSLASH_ESCAPE] },
    { className: "string", begin: /'(?:[^'\\]|\\.[^']*)'/ },
    { className: "built_in", begin: /@[a-z]\w*/ },
    { className: "number", begin: /\b(?:0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9_]+)?)\b/ },
    // Behind a dot a keyword is a name.
    { begin: /\.[A-Za-z_]\w*/ },
  ],
}));
document.querySelectorAll("code.language-csl").forEach((block) => hljs.highlightBlock(block));
