use crate::cli::SupabaseArgs;
use eyemotion_auth::{ImportReport, Noted};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// What became of everybody, for the operator to read: counts, reasons and ids, and nothing else
/// of anybody.
pub(super) fn text(report: &ImportReport, args: &SupabaseArgs) -> String {
    let mut text = if args.dry_run {
        format!(
            "Dry run, nothing was written.\nWould be brought over: {}\n",
            report.imported
        )
    } else {
        format!("Brought over: {}\n", report.imported)
    };
    let mut line = |name: &str, count: u64| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{name}: {count}");
    };
    line("Already here, left as they are", report.present);
    line("Refused", report.refusals());
    list(&mut text, &report.refused);
    part(
        &mut text,
        "Without the old password; these people set a new one by mail",
        &report.without_password,
    );
    part(
        &mut text,
        "Were more there and are users here; `eyemotion admin promote` or --keep-roles gives the role",
        &report.lowered,
    );
    part(
        &mut text,
        "Are more than users here, as they were there",
        &report.raised,
    );
    if !report.left_behind.is_empty() {
        text.push_str("Identities that cannot be signed in with here:\n");
        for (provider, count) in &report.left_behind {
            let _ = writeln!(text, "  {provider}: {count}");
        }
    }
    text
}

fn part<K: Display>(text: &mut String, title: &str, by: &BTreeMap<K, Noted>) {
    if !by.is_empty() {
        let _ = writeln!(text, "{title}:");
        list(text, by);
    }
}

fn list<K: Display>(text: &mut String, by: &BTreeMap<K, Noted>) {
    for (key, noted) in by {
        let _ = writeln!(text, "  {key}: {}", noted.count);
        for id in &noted.first {
            let _ = writeln!(text, "    {id}");
        }
        let more = noted.count - noted.first.len() as u64;
        if more > 0 {
            let _ = writeln!(text, "    and {more} more");
        }
    }
}
