//! A figure, and how figures are printed.

use serde_json::json;

/// One measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// What the figure is to reach, in its unit.
    pub mark: Option<f64>,
    /// Nanoseconds of one unit of the work, which are printed as native steps.
    pub nanoseconds: Option<f64>,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure { name: name.into(), value, unit, mark: None, nanoseconds: None }
    }

    /// With what it is to reach.
    pub fn mark(self, mark: f64) -> Figure {
        Figure { mark: Some(mark), ..self }
    }

    /// With the time of one unit of the work.
    pub fn takes(self, nanoseconds: f64) -> Figure {
        Figure { nanoseconds: Some(nanoseconds), ..self }
    }

    fn text(&self, step: f64) -> String {
        let mut text = format!("{}: {:.*} {}", self.name, digits(self.value), self.value, self.unit);
        if let Some(mark) = self.mark {
            text += &format!(" (mark {mark})");
        }
        if let Some(nanoseconds) = self.nanoseconds {
            let steps = nanoseconds / step;
            text += &format!("; {:.*} native steps", digits(steps), steps);
        }
        text
    }

    fn json(&self, step: f64) -> serde_json::Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "mark": self.mark,
            "native_steps": self.nanoseconds.map(|nanoseconds| nanoseconds / step),
        })
    }
}

/// Digits behind the point of a number of which two or three count.
fn digits(value: f64) -> usize {
    match value {
        0.0..0.1 => 3,
        0.1..1.0 => 2,
        1.0..100.0 => 1,
        _ => 0,
    }
}

/// Prints figures, a line or, with `as_json`, an object of JSON each, beside a native step of so many nanoseconds.
pub fn print(figures: &[Figure], step: f64, as_json: bool) {
    for figure in figures {
        match as_json {
            true => println!("{}", figure.json(step)),
            false => println!("{}", figure.text(step)),
        }
    }
}
