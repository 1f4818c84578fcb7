//! The major mode of Emacs.

use crate::words::{self, Class};

fn face(class: Class) -> &'static str {
    match class {
        Class::Control | Class::Declares | Class::Modifies | Class::Operator => "keyword",
        Class::Constant => "constant",
        Class::Type => "type",
    }
}

const HEAD: &str = r#";;; csl-mode.el --- Major mode for CSL -*- lexical-binding: t -*-

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
"#;

const TAIL: &str = r#"   '("\\_<[iu]\\(?:0\\|[1-9][0-9]*\\)\\_>" . font-lock-type-face)
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
"#;

pub fn mode() -> String {
    let mut text = HEAD.to_owned();
    let mut rule = |words: &[&str], face: &str| {
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        text.push_str(&format!("   (cons (regexp-opt '({}) 'symbols) 'font-lock-{face}-face)\n", words.join(" ")));
    };
    for class in Class::ALL {
        rule(&words::keywords(class), face(class));
    }
    rule(&words::types(), "type");
    rule(&words::constants(), "constant");
    let builtins: Vec<String> = words::builtins().iter().map(|name| format!("@{name}")).collect();
    rule(&builtins.iter().map(String::as_str).collect::<Vec<_>>(), "builtin");
    text + TAIL
}
