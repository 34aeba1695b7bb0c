//! Figures for people and for machines.

use std::io::{self, Write};

use serde_json::{Value, json};

/// What a run found.
pub struct Report {
    title: String,
    figures: Vec<Figure>,
    /// What should have been otherwise.
    broken: Vec<String>,
}

/// One thing measured, once or repeatedly.
struct Figure {
    name: String,
    values: Vec<f64>,
}

impl Report {
    pub fn new(title: String) -> Report {
        Report { title, figures: Vec::new(), broken: Vec::new() }
    }

    /// Adds a figure, its unit in its name; without values it is left out.
    pub fn figure(&mut self, name: impl Into<String>, values: Vec<f64>) {
        if !values.is_empty() {
            self.figures.push(Figure { name: name.into(), values });
        }
    }

    /// Adds what should have been otherwise.
    pub fn broken(&mut self, what: String) {
        self.broken.push(what);
    }

    /// Whether everything was as it should be.
    pub fn good(&self) -> bool {
        self.broken.is_empty()
    }

    pub fn print(&self, as_json: bool, out: &mut impl Write) -> io::Result<()> {
        if as_json { writeln!(out, "{:#}", self.json()) } else { self.text(out) }
    }

    fn text(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}\n", self.title)?;
        let wide = self.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
        let repeated = self.figures.iter().any(|figure| figure.values.len() > 1);
        if repeated {
            writeln!(out, "{:wide$} {:>12} {:>12} {:>12}", "", "median", "least", "most")?;
        }
        for Figure { name, values } in &self.figures {
            write!(out, "{name:wide$} {:>12}", shown(median(values)))?;
            if values.len() > 1 {
                let (least, most) = spread(values);
                write!(out, " {:>12} {:>12}", shown(least), shown(most))?;
            }
            writeln!(out)?;
        }
        writeln!(out)?;
        for what in &self.broken {
            writeln!(out, "BROKEN: {what}")?;
        }
        writeln!(out, "{}", if self.good() { "all as it should be" } else { "not as it should be" })
    }

    pub fn json(&self) -> Value {
        let figure = |figure: &Figure| {
            let (least, most) = spread(&figure.values);
            json!({"name": figure.name, "median": median(&figure.values), "least": least, "most": most, "values": figure.values})
        };
        let figures: Vec<Value> = self.figures.iter().map(figure).collect();
        json!({"title": self.title, "figures": figures, "broken": self.broken, "good": self.good()})
    }
}

/// The value in the middle, or between the two there.
pub fn median(values: &[f64]) -> f64 {
    f64::midpoint(quantile(values, 0.5), -quantile(&values.iter().map(|value| -value).collect::<Vec<_>>(), 0.5))
}

/// The least value that is not below so large a part of them; 0 where there are none.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the values")]
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

fn spread(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// Three digits or more, thousands apart.
pub fn shown(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let whole = format!("{value:.0}");
    let digits = whole.len();
    let mut apart = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (digits - at).is_multiple_of(3) {
            apart.push(' ');
        }
        apart.push(digit);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::{median, quantile, shown};

    #[test]
    fn quantiles_are_values_that_occurred_and_the_median_may_lie_between_two() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), 99.0);
        assert_eq!(quantile(&values, 1.0), 100.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn figures_are_readable() {
        assert_eq!([0.614, 7.0, 128.4, 12_345.6].map(shown), ["0.61", "7", "128", "12 346"]);
    }
}
