//! Figures as ratios, and the table they are told in.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::ledger::Faults;

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

/// The value below which `share` of the samples lie.
pub fn percentile(samples: &mut [u64], share: f64) -> f64 {
    if samples.is_empty() {
        return f64::NAN;
    }
    samples.sort_unstable();
    let index = (samples.len() as f64 * share).ceil() as usize;
    samples[index.clamp(1, samples.len()) - 1] as f64
}

/// Values of the repetitions of one figure.
#[derive(Debug, Clone, Default)]
pub struct Series(Vec<f64>);

impl Series {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        Self(values.into_iter().collect())
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            length if length % 2 == 1 => sorted[length / 2],
            length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
        }
    }

    fn range(&self) -> (f64, f64) {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        (least, self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }

    /// Value by value: repetition against repetition.
    fn ratio(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    fn show(&self, unit: Unit) -> String {
        let (least, most) = self.range();
        if self.0.len() < 2 {
            return unit.show(self.median());
        }
        format!("{} ({}-{})", unit.show(self.median()), unit.bare(least), unit.bare(most))
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Milliseconds,
    PerSecond,
    Microseconds,
    Mebibytes,
    Kibibytes,
    Ratio,
}

impl Unit {
    fn bare(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{value:.0}"),
            _ if value.abs() >= 100.0 => format!("{value:.0}"),
            _ if value.abs() >= 10.0 => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        }
    }

    fn show(self, value: f64) -> String {
        let unit = match self {
            Self::Milliseconds => " ms",
            Self::PerSecond => "/s",
            Self::Microseconds => " us",
            Self::Mebibytes => " MiB",
            Self::Kibibytes => " KiB",
            Self::Ratio => "x",
        };
        format!("{}{unit}", self.bare(value))
    }
}

/// What a figure may be.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// Of the ratio.
    AtMost(f64),
    AtLeast(f64),
    /// Of the value itself, in its unit.
    ValueAtMost(f64),
    None,
}

#[derive(Debug)]
pub struct Figure {
    pub name: String,
    pub unit: Unit,
    pub product: Series,
    /// The limit, or whatever the budget compares with.
    pub limit: Option<Series>,
    pub budget: Budget,
    pub faults: Option<Faults>,
}

impl Figure {
    fn ratio(&self) -> Option<Series> {
        self.limit.as_ref().map(|limit| self.product.ratio(limit))
    }

    /// Whether the budget is kept; `None` without one.
    fn kept(&self) -> Option<bool> {
        let ratio = self.ratio().map_or(f64::NAN, |ratio| ratio.median());
        match self.budget {
            Budget::AtMost(most) => Some(ratio <= most),
            Budget::AtLeast(least) => Some(ratio >= least),
            Budget::ValueAtMost(most) => Some(self.product.median() <= most),
            Budget::None => None,
        }
    }

    fn cells(&self) -> [String; 7] {
        let budget = match self.budget {
            Budget::AtMost(most) => format!("at most {}", Unit::Ratio.show(most)),
            Budget::AtLeast(least) => format!("at least {}", Unit::Ratio.show(least)),
            Budget::ValueAtMost(most) => format!("at most {}", self.unit.show(most)),
            Budget::None => String::new(),
        };
        let kept = match self.kept() {
            Some(true) => "kept",
            Some(false) => "MISSED",
            None => "",
        };
        [
            self.name.clone(),
            self.product.show(self.unit),
            self.limit.as_ref().map(|limit| limit.show(self.unit)).unwrap_or_default(),
            self.ratio().map(|ratio| ratio.show(Unit::Ratio)).unwrap_or_default(),
            budget,
            kept.to_owned(),
            self.faults.map(|faults| faults.to_string()).unwrap_or_default(),
        ]
    }
}

const HEAD: [&str; 7] =
    ["figure", "Uzel", "limit", "ratio", "budget", "", "lost / doubled / disordered"];

#[derive(Debug, Default)]
pub struct Report {
    sections: Vec<(String, Vec<Figure>, Vec<String>)>,
}

impl Report {
    pub fn section(&mut self, title: &str) {
        self.sections.push((title.to_owned(), Vec::new(), Vec::new()));
    }

    pub fn add(&mut self, figure: Figure) {
        eprintln!("  {}", figure.cells().join("  |  "));
        if let Some((_, figures, _)) = self.sections.last_mut() {
            figures.push(figure);
        }
    }

    /// A sentence below the table of the section.
    pub fn note(&mut self, note: String) {
        eprintln!("  {note}");
        if let Some((_, _, notes)) = self.sections.last_mut() {
            notes.push(note);
        }
    }

    fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|(_, figures, _)| figures)
    }

    /// Names of the figures over budget.
    pub fn missed(&self) -> Vec<&str> {
        let missed = self.figures().filter(|figure| figure.kept() == Some(false));
        missed.map(|figure| figure.name.as_str()).collect()
    }

    pub fn faults(&self) -> Faults {
        let mut all = Faults::default();
        self.figures().filter_map(|figure| figure.faults).for_each(|faults| all.add(faults));
        all
    }

    /// The tables; columns are aligned, so that they can be read as they are.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (title, figures, notes) in &self.sections {
            let rows: Vec<[String; 7]> = std::iter::once(HEAD.map(ToOwned::to_owned))
                .chain(figures.iter().map(Figure::cells))
                .collect();
            let widths: Vec<usize> = (0..7)
                .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
                .collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "### {title}\n");
            for (index, row) in rows.iter().enumerate() {
                let cells: Vec<String> =
                    row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
                let _ = writeln!(text, "| {} |", cells.join(" | "));
                if index == 0 {
                    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                    let _ = writeln!(text, "| {} |", rule.join(" | "));
                }
            }
            text.push('\n');
            for note in notes {
                let _ = writeln!(text, "{note}\n");
            }
        }
        text
    }
}

/// Puts the figures between the markers of the document.
pub fn write_between_markers(path: &Path, figures: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    std::fs::write(path, replaced(&text, figures)?)?;
    Ok(())
}

fn replaced(text: &str, figures: &str) -> anyhow::Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else {
        bail!("the marker {BEGIN} is missing")
    };
    let Some((_, after)) = rest.split_once(END) else { bail!("the marker {END} is missing") };
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(product: &[f64], limit: &[f64], budget: Budget) -> Figure {
        Figure {
            name: "ingest".to_owned(),
            unit: Unit::PerSecond,
            product: Series(product.to_vec()),
            limit: Some(Series(limit.to_vec())),
            budget,
            faults: None,
        }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut samples: Vec<u64> = (1..=1000).rev().collect();
        assert!((percentile(&mut samples, 0.5) - 500.0).abs() < 0.1);
        assert!((percentile(&mut samples, 0.999) - 999.0).abs() < 0.1);
        assert!((percentile(&mut [7], 0.99) - 7.0).abs() < 0.1);
        assert!(percentile(&mut [], 0.5).is_nan());
    }

    #[test]
    fn a_ratio_is_the_median_over_repetitions_against_their_own_limit() {
        let figure = figure(&[10.0, 30.0, 20.0], &[10.0, 10.0, 40.0], Budget::AtLeast(0.9));
        assert!((figure.ratio().unwrap().median() - 1.0).abs() < 1e-9);
        assert_eq!(figure.kept(), Some(true));
    }

    #[test]
    fn a_figure_that_could_not_be_measured_keeps_no_budget() {
        assert_eq!(figure(&[f64::NAN], &[1.0], Budget::AtMost(2.0)).kept(), Some(false));
        assert_eq!(figure(&[3.0], &[1.0], Budget::AtMost(2.0)).kept(), Some(false));
        assert_eq!(figure(&[3.0], &[1.0], Budget::None).kept(), None);
    }

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let text = format!("# Title\n{BEGIN}\nold\n{END}\nby hand\n");
        let new = replaced(&text, "new").unwrap();
        assert_eq!(new, format!("# Title\n{BEGIN}\n\nnew\n\n{END}\nby hand\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert!(replaced("no markers", "new").is_err());
    }
}
