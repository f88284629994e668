use crate::http::Load;
use crate::{Args, Result};
use std::io::Write;

/// One route's figures.
pub struct Row {
    name: String,
    floor_name: &'static str,
    per_second: f64,
    p99_ms: f64,
    floor: f64,
    ratio: f64,
}

impl Row {
    /// The round whose ratio is the median.
    pub fn median(name: &str, floor_name: &'static str, mut rounds: Vec<(Load, f64)>) -> Self {
        let ratio = |(load, floor): &(Load, f64)| load.per_second / floor;
        rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let middle = rounds.len() / 2;
        let round = rounds.swap_remove(middle);
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds of a request fit a f64"
        )]
        let p99_ms = round.0.latency.value_at_quantile(0.99) as f64 / 1000.0;
        Self {
            name: name.to_owned(),
            floor_name,
            per_second: round.0.per_second,
            p99_ms,
            floor: round.1,
            ratio: ratio(&round),
        }
    }
}

/// Prints a Markdown table.
pub fn print(rows: &[Row], args: &Args) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} clients, median of {} rounds of {} s; floor and server share the machine in turn.\n",
        args.clients, args.rounds, args.seconds
    )?;
    drop(out);
    print_table(rows)
}

/// The table alone.
pub fn print_table(rows: &[Row]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "| route | requests/s | p99 ms | floor | floor/s | ratio |"
    )?;
    writeln!(out, "|---|---:|---:|---|---:|---:|")?;
    for row in rows {
        writeln!(
            out,
            "| {} | {:.0} | {:.2} | {} | {:.0} | {:.2} |",
            row.name, row.per_second, row.p99_ms, row.floor_name, row.floor, row.ratio
        )?;
    }
    Ok(())
}
