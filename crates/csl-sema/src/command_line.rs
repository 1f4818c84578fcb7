//! Values of the command line: makes them of texts, and checks them against the types of the params that they are for.

use csl_diag::{Code, Diagnostic};
use csl_ir::{ModuleRef, Name, Ty, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{VarDecl, VarKind};
use num_bigint::BigInt;
use num_traits::Num;

use crate::context::{Frame, Res, Sema};
use crate::operand::Operand;
use crate::unit::TopItem;

impl Sema<'_> {
    /// The values of `--params` and `--colors`.
    pub fn command_line_bindings(&mut self) -> Res<Vec<(Name, TypedValue)>> {
        let mut bindings = Vec::new();
        for (name, text) in &self.options.params {
            bindings.push((Symbol::new(name).as_str(), parse_param(text)));
        }
        for (name, text) in self.options.colors.clone() {
            let Some(color) = parse_int(&text) else {
                let message = format!("color `{name}` is given the value `{text}`, which is not a number");
                return Err(self.fail(Diagnostic::unplaced(Code::BadParamValue, message)));
            };
            bindings.push((Symbol::new(&name).as_str(), TypedValue::int(Ty::COLOR, color)));
        }
        Ok(bindings)
    }

    /// Refuses values of the command line that do not fit the types of the params.
    pub fn check_command_line(&mut self, module: ModuleRef) -> Res<()> {
        let given = self.options.params.iter().chain(&self.options.colors);
        let names: Vec<(Symbol, String)> = given.map(|(name, text)| (Symbol::new(name), text.clone())).collect();
        for (name, text) in names {
            let module_info = &self.unit.modules[module];
            let Some(value) = module_info.params.get(&name).cloned() else { continue };
            let Some(TopItem::Var(decl)) = module_info.items.get(&name).map(|i| i.item.clone()) else { continue };
            self.check_param(module, &decl, value, &text)?;
        }
        Ok(())
    }

    fn check_param(&mut self, module: ModuleRef, decl: &VarDecl, value: TypedValue, text: &str) -> Res<()> {
        let Some(ty) = &decl.ty else { return Ok(()) };
        let ty = self.in_frame(Frame::top_level(module), |s| s.eval_type(ty))?;
        // A color is its number here, as where a tile's params are bound.
        if ty == Ty::COLOR && matches!(value.value, Value::Int(_)) {
            let color = TypedValue::new(ty, value.value);
            self.unit.modules[module].params.insert(decl.name.name, color);
            return Ok(());
        }
        // The vendor's command line gives whole numbers alone: 0 and 1 are the truth values.
        if let (Ty::BOOL, Some(number @ (0 | 1))) = (ty, value.value.int().and_then(|number| u8::try_from(number).ok()))
        {
            let truth = TypedValue::new(ty, Value::Bool(number == 1));
            self.unit.modules[module].params.insert(decl.name.name, truth);
            return Ok(());
        }
        let is_color = value.ty == Ty::COLOR;
        if decl.kind != VarKind::Param || self.fits(&Operand::Const(value), ty) {
            return Ok(());
        }
        let message = format!("param `{}` cannot have the value `{text}`", decl.name.name);
        let label = format!("declared with type {}", self.show(ty));
        let diagnostic = Diagnostic::new(Code::BadParamValue, decl.name.span, message).label(label);
        let help = "--colors gives colors, --params all else";
        Err(self.fail(if is_color { diagnostic.help(help) } else { diagnostic }))
    }
}

/// A value of the command line: a number, a bool, or else a string.
fn parse_param(text: &str) -> TypedValue {
    let text = text.trim();
    if let Some(number) = parse_int(text) {
        return TypedValue::int(Ty::COMPTIME_INT, number);
    }
    match text {
        "true" => TypedValue::bool(true),
        "false" => TypedValue::bool(false),
        _ => match text.parse::<f64>() {
            Ok(number) => TypedValue::new(Ty::COMPTIME_FLOAT, Value::Float(number.to_bits())),
            Err(_) => TypedValue::str(text.as_bytes()),
        },
    }
}

/// An integer in decimal or with a base prefix.
fn parse_int(text: &str) -> Option<BigInt> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    let number = BigInt::from_str_radix(digits, base).ok().filter(|_| !digits.starts_with(['-', '+']))?;
    Some(if negative { -number } else { number })
}
