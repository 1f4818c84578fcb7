//! Prints to the simulator's log, for `<simprint>`.

use csl_diag::{Code, Span};
use csl_ir::{Inst, Opnd, Ty};
use csl_machine::{PrintKind, SysOp};

use super::Call;
use crate::context::{Res, Sema};
use crate::operand::Operand;

/// `@wl_print(form, value)`, where the form is `text`, `decimal`, `hex`, `binary` or `float`.
pub(super) fn print(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    let form = call.text(s, 0)?;
    if form == "text" {
        let text = call.text(s, 1)?;
        print_text(s, &text, call.span)?;
        return Ok(Operand::void());
    }
    let value = call.eval(s, 1)?;
    print_as(s, call, &form, value)?;
    Ok(Operand::void())
}

fn runtime(s: &mut Sema<'_>, call: &Call<'_>) -> Res<()> {
    s.code_or(call.span, "only run-time code prints; use `@comptime_print`").map(|_| ())
}

/// Prints text. A line end sends the printed line to the log. As in C, a NUL ends the text.
fn print_text(s: &mut Sema<'_>, text: &str, span: Span) -> Res<()> {
    let text = text.split('\0').next().unwrap_or_default();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            s.emit(Inst::Sys { op: SysOp::PrintFlush, dst: None, args: Vec::new() }, span)?;
        }
        if !line.is_empty() {
            let number = intern_string(s, line);
            emit(s, PrintKind::Text, Opnd::Imm(number), span)?;
        }
    }
    Ok(())
}

fn intern_string(s: &mut Sema<'_>, text: &str) -> u64 {
    let strings = &mut s.unit.strings;
    let at = strings.iter().position(|t| t == text).unwrap_or_else(|| {
        strings.push(text.to_string());
        strings.len() - 1
    });
    at as u64
}

fn emit(s: &mut Sema<'_>, kind: PrintKind, value: Opnd, span: Span) -> Res<()> {
    let args = vec![Opnd::Imm(kind as u64), value];
    s.emit(Inst::Sys { op: SysOp::PrintValue, dst: None, args }, span)
}

/// The form in which a value of the type is printed; `None` where the form does not take the type.
fn kind(s: &mut Sema<'_>, form: &str, ty: Ty) -> Option<PrintKind> {
    match (form, ty) {
        ("decimal", Ty::U16 | Ty::U32) => Some(PrintKind::Unsigned),
        ("decimal", Ty::I16 | Ty::I32) => Some(PrintKind::Signed),
        ("hex", Ty::U16 | Ty::I16) => Some(PrintKind::Hex16),
        ("hex", Ty::U32 | Ty::I32) => Some(PrintKind::Hex32),
        ("binary", Ty::U16 | Ty::I16) => Some(PrintKind::Binary16),
        ("binary", Ty::U32 | Ty::I32) => Some(PrintKind::Binary32),
        ("float", Ty::F32) => Some(PrintKind::F32),
        ("float", ty) if ty == s.fp16_type() => Some(PrintKind::Half),
        _ => None,
    }
}

fn print_as(s: &mut Sema<'_>, call: &Call<'_>, form: &str, value: Operand) -> Res<()> {
    let value = match value.ty() {
        Ty::COMPTIME_INT => s.coerce(value, Ty::I32, call.span)?,
        Ty::COMPTIME_FLOAT => s.coerce(value, Ty::F32, call.span)?,
        _ => value,
    };
    let Some(kind) = kind(s, form, value.ty()) else {
        let message = format!("a value of type `{}` cannot be printed as {form}", s.show(value.ty()));
        return Err(s.error(Code::BadBuiltinArgument, call.span, message));
    };
    let value = s.opnd(&value, call.span)?;
    emit(s, kind, value, call.span)
}

/// A part of a format string.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The form in which the next argument is shown.
    Value(&'static str),
}

/// The pieces of a format: `{d}`, `{X}`, `{b}` and `{f}` stand for arguments, `{{` for a brace.
fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('{') {
            text.push('{');
            rest = behind;
            continue;
        }
        let Some((name, behind)) = rest.split_once('}') else {
            return Err("a `{` has no `}`; write `{{` for a brace".to_string());
        };
        let form = match name {
            "d" => "decimal",
            "X" => "hex",
            "b" => "binary",
            "f" => "float",
            _ => return Err(format!("there is no format `{{{name}}}`: `{{d}}`, `{{X}}`, `{{b}}` and `{{f}}` are")),
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Value(form));
        rest = behind;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// `@wl_format(format, arguments)`
pub(super) fn format(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    let text = call.text(s, 0)?;
    let args = call.eval(s, 1)?;
    let args = s.tuple_of(&args, call.arg_span(1))?;
    let pieces = match pieces(&text) {
        Ok(pieces) => pieces,
        Err(message) => return Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), message)),
    };
    let wanted = pieces.iter().filter(|p| matches!(p, Piece::Value(_))).count();
    if wanted != args.len() {
        let message = format!("the format has {wanted} place(s) for values, but {} are given", args.len());
        return Err(s.error(Code::ArgumentCount, call.span, message));
    }
    let mut args = args.into_iter();
    for piece in pieces {
        match piece {
            Piece::Text(text) => print_text(s, &text, call.span)?,
            Piece::Value(form) => {
                if let Some(value) = args.next() {
                    print_as(s, call, form, value)?;
                }
            }
        }
    }
    Ok(Operand::void())
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn formats_are_taken_apart() {
        let text = |t: &str| Piece::Text(t.to_string());
        assert_eq!(pieces("{{a} {d}{X}").unwrap(), [text("{a} "), Piece::Value("decimal"), Piece::Value("hex")]);
        assert_eq!(pieces("").unwrap(), []);
        assert!(pieces("{q}").is_err());
        assert!(pieces("{d").is_err());
    }
}
