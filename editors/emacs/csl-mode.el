;;; csl-mode.el --- Major mode for CSL -*- lexical-binding: t -*-

;; CSL is the kernel language of the Cerebras Wafer-Scale Engine.
;; Made of the compiler's tables by `cargo xtask editors`.

;;; Code:

(defvar csl-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?/ ". 12" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?\' "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?@ "_" table)
    (dolist (operator '(?+ ?- ?* ?% ?< ?> ?= ?! ?& ?| ?^ ?~))
      (modify-syntax-entry operator "." table))
    table)
  "Syntax of CSL.")

(defconst csl-font-lock-keywords
  (list
   ;; Behind a dot a keyword is a name.
   '("\\.\\([A-Za-z_][A-Za-z0-9_]*\\)" 1 'default)
   '("\\_<\\(?:fn\\|task\\)\\s-+\\([A-Za-z_][A-Za-z0-9_]*\\)" 1 font-lock-function-name-face)
   '("\\_<\\(?:param\\|const\\|var\\)\\s-+\\([A-Za-z_][A-Za-z0-9_]*\\)" 1 font-lock-variable-name-face)
   (cons (regexp-opt '("break" "continue" "else" "for" "if" "return" "switch" "while") 'symbols) 'font-lock-keyword-face)
   (cons (regexp-opt '("const" "enum" "fn" "layout" "param" "struct" "task" "union" "var") 'symbols) 'font-lock-keyword-face)
   (cons (regexp-opt '("align" "asm" "comptime" "export" "extern" "inline" "linkname" "linksection" "noinline" "packed" "volatile") 'symbols) 'font-lock-keyword-face)
   (cons (regexp-opt '("and" "or") 'symbols) 'font-lock-keyword-face)
   (cons (regexp-opt '("false" "true") 'symbols) 'font-lock-constant-face)
   (cons (regexp-opt '("anytype") 'symbols) 'font-lock-type-face)
   (cons (regexp-opt '("anyopaque" "bf16" "bool" "cb16" "circbuf_dsd" "color" "comptime_float" "comptime_int" "comptime_string" "comptime_struct" "control_task_id" "data_task_id" "direction" "dsr_dest" "dsr_fifo_dest" "dsr_fifo_src1" "dsr_src0" "dsr_src1" "f16" "f32" "fabin_dsd" "fabout_dsd" "fifo_dsd" "i16" "i32" "i64" "i8" "imported_module" "input_queue" "local_task_id" "mem1d_dsd" "mem4d_dsd" "output_queue" "sr" "type" "u16" "u32" "u64" "u8" "ut_id" "void" "xdsr") 'symbols) 'font-lock-type-face)
   (cons (regexp-opt '("EAST" "NORTH" "RAMP" "SOUTH" "WEST") 'symbols) 'font-lock-constant-face)
   (cons (regexp-opt '("@activate" "@add16" "@addc16" "@allocate_fifo" "@and16" "@as" "@assert" "@bind_control_task" "@bind_data_task" "@bind_local_task" "@bind_rotating_tasks" "@bind_task" "@bitcast" "@block" "@clz" "@comptime_assert" "@comptime_print" "@concat_structs" "@constants" "@ctz" "@dfilt" "@dimensions" "@element_count" "@element_type" "@export" "@export_name" "@export_symbol" "@fabsh" "@fabss" "@faddh" "@faddhs" "@fadds" "@fh2s" "@fh2xp16" "@field" "@fmach" "@fmachs" "@fmacs" "@fmaxh" "@fmaxs" "@fmovh" "@fmovs" "@fmulh" "@fmuls" "@fnegh" "@fnegs" "@fnormh" "@fnorms" "@fp16" "@fs2h" "@fs2xp16" "@fscaleh" "@fscales" "@fsubh" "@fsubs" "@get_array" "@get_color" "@get_color_id" "@get_config" "@get_config_unchecked" "@get_control_task_id" "@get_data_task_id" "@get_dsd" "@get_dsr" "@get_filter_id" "@get_input_queue" "@get_int" "@get_local_task_id" "@get_output_queue" "@get_rectangle" "@get_sr" "@get_string_from_byte" "@get_symbol_id" "@get_symbol_value" "@get_tensor_ptr" "@get_ut_id" "@get_xdsr" "@has_exported_tensors" "@has_field" "@import_comptime_value" "@import_module" "@increment_dsd_offset" "@initialize_queue" "@is_arch" "@is_comptime" "@is_same_type" "@load_to_dsr" "@load_to_dsr_xdsr" "@load_to_dsr_xdsr_sr" "@map" "@mov16" "@mov32" "@or16" "@popcnt" "@ptrcast" "@queue_flush" "@random16" "@range" "@range_start" "@range_step" "@range_stop" "@rank" "@rpc" "@sar16" "@set_active_prng" "@set_color_config" "@set_config" "@set_config_unchecked" "@set_control_task_table" "@set_dsd_base_addr" "@set_dsd_length" "@set_dsd_stride" "@set_dsr_base_addr" "@set_empty_queue_handler" "@set_fifo_read_length" "@set_fifo_write_length" "@set_local_color_config" "@set_rectangle" "@set_teardown_handler" "@set_tile_code" "@sll16" "@slr16" "@strcat" "@strlen" "@sub16" "@type_of" "@unblock" "@xor16" "@xp162fh" "@xp162fs" "@zeros") 'symbols) 'font-lock-builtin-face)
   '("\\_<[iu]\\(?:0\\|[1-9][0-9]*\\)\\_>" . font-lock-type-face)
   '("\\_<[0-9][0-9A-Za-z_]*\\(?:\\.[0-9][0-9_]*\\)?\\(?:[eE][-+]?[0-9_]+\\)?\\_>" . font-lock-constant-face))
  "Words of CSL by what they are.")

(defun csl-indent-line ()
  "Indent by two columns for each line that opens a bracket around this one."
  (let* ((open (save-excursion (back-to-indentation) (nth 9 (syntax-ppss))))
         (closes (save-excursion (back-to-indentation) (looking-at "[])}]")))
         (around (if closes (butlast open) open))
         (lines (delete-dups (mapcar #'line-number-at-pos around)))
         (from-end (- (point-max) (point))))
    (indent-line-to (* 2 (length lines)))
    (when (> (- (point-max) from-end) (point))
      (goto-char (- (point-max) from-end)))))

;;;###autoload
(define-derived-mode csl-mode prog-mode "CSL"
  "Major mode for CSL."
  (setq-local comment-start "// "
              comment-end ""
              indent-tabs-mode nil
              tab-width 2
              indent-line-function #'csl-indent-line
              font-lock-defaults '(csl-font-lock-keywords)))

;;;###autoload
(defun csl-or-xml-mode ()
  "CSL, unless the file begins as XML does: then it is of the Citation Style Language."
  (if (looking-at "\ufeff?[ \t\n]*<") (nxml-mode) (csl-mode)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.csl\\'" . csl-or-xml-mode))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(csl-mode . ("waferlab" "lsp"))))

(provide 'csl-mode)
;;; csl-mode.el ends here
