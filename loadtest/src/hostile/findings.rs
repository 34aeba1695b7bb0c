//! What was found, beside what it may be at most.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::report::shown;

/// Of every scenario that ran.
#[derive(Default)]
pub struct All {
    scenarios: Vec<Findings>,
}

/// Of one scenario.
pub struct Findings {
    scenario: String,
    rows: Vec<Row>,
    /// Why it could not be carried through.
    broken: Vec<String>,
    seconds: f64,
}

/// One figure, its unit in its name.
struct Row {
    what: String,
    value: f64,
    /// None where the figure is only told.
    at_most: Option<f64>,
}

impl Row {
    fn holds(&self) -> bool {
        self.at_most.is_none_or(|bound| self.value <= bound)
    }
}

impl All {
    pub fn add(&mut self, findings: Findings) {
        self.scenarios.push(findings);
    }

    /// Whether every bound was kept.
    pub fn good(&self) -> bool {
        self.scenarios.iter().all(Findings::good)
    }

    pub fn json(&self) -> Value {
        json!({"scenarios": self.scenarios.iter().map(Findings::json).collect::<Vec<_>>(), "good": self.good()})
    }
}

impl Findings {
    pub fn new(scenario: String) -> Findings {
        Findings { scenario, rows: Vec::new(), broken: Vec::new(), seconds: 0.0 }
    }

    /// A figure without a bound.
    pub fn told(&mut self, what: impl Into<String>, value: f64) {
        self.rows.push(Row { what: what.into(), value, at_most: None });
    }

    /// A figure with a bound.
    pub fn at_most(&mut self, what: impl Into<String>, value: f64, bound: f64) {
        self.rows.push(Row { what: what.into(), value, at_most: Some(bound) });
    }

    /// What should have been otherwise and is no figure.
    pub fn broken(&mut self, why: String) {
        self.broken.push(why);
    }

    pub fn ended_after(&mut self, span: Duration) {
        self.seconds = span.as_secs_f64();
    }

    fn good(&self) -> bool {
        self.broken.is_empty() && self.rows.iter().all(Row::holds)
    }

    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let state = if self.good() { "holds" } else { "FAILS" };
        writeln!(out, "{}: {state} ({:.0} s)", self.scenario, self.seconds)?;
        let wide = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            write!(out, "  {:wide$} {:>12}", row.what, shown(row.value))?;
            if let Some(bound) = row.at_most {
                let kept = if row.holds() { "" } else { "  FAILS" };
                write!(out, "  at most {:>8}{kept}", shown(bound))?;
            }
            writeln!(out)?;
        }
        for why in &self.broken {
            writeln!(out, "  BROKEN: {why}")?;
        }
        writeln!(out)?;
        out.flush()
    }

    fn json(&self) -> Value {
        let rows = self
            .rows
            .iter()
            .map(|row| json!({"what": row.what, "value": row.value, "at_most": row.at_most, "holds": row.holds()}));
        json!({
            "scenario": self.scenario, "rows": rows.collect::<Vec<_>>(), "broken": self.broken,
            "seconds": self.seconds, "good": self.good(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{All, Findings};

    #[test]
    fn a_figure_at_its_bound_holds_and_one_past_it_does_not() {
        let with = |value| {
            let mut findings = Findings::new("one".to_owned());
            findings.told("only told", 1e9);
            findings.at_most("bounded", value, 3.0);
            let mut all = All::default();
            all.add(findings);
            all.good()
        };
        assert!(with(3.0));
        assert!(!with(3.001));
        assert!(!with(f64::NAN));
    }

    #[test]
    fn what_could_not_be_carried_through_fails() {
        let mut findings = Findings::new("one".to_owned());
        findings.broken("the service died".to_owned());
        let mut out = Vec::new();
        assert!(findings.print(&mut out).is_ok());
        assert_eq!(String::from_utf8_lossy(&out), "one: FAILS (0 s)\n  BROKEN: the service died\n\n");
    }
}
