//! What the document cannot show of itself: how the routes' sources make it.

use crate::workspace::root;
use std::fs;
use std::path::{Path, PathBuf};

fn routes(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                routes(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn the_routes_say_who_may_call_and_how_members_are_named() {
    let mut wrong = Vec::new();
    let files = routes(&root().join("apps/gateway/src/routes"));
    assert!(files.len() > 30, "the routes were not found");
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let mut rule = |holds: bool, fault: &str| {
            if !holds {
                wrong.push(format!("{}: {fault}", file.display()));
            }
        };
        // utoipa does not see it: the document would name members that are not sent.
        rule(!source.contains("rename_all_fields"), "rename_all_fields");
        // `caller: Caller,` and its kin: `AdminCaller`, `ServiceCaller` ...
        let callers = source.lines().filter(|line| is_caller(line)).count();
        let secured = source.matches("security((\"bearer\" = []))").count();
        rule(
            callers == secured,
            "`Caller` and `security` belong together",
        );
        let bodies = source.matches("derive(Deserialize").count();
        let attributes = source.lines().filter(|line| line.starts_with("#[serde("));
        let strict = attributes
            .filter(|line| line.contains("deny_unknown_fields"))
            .count();
        rule(bodies == strict, "what is read must `deny_unknown_fields`");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a line is the parameter of a handler that lets in only whoever proves who they are.
fn is_caller(line: &str) -> bool {
    let kinds = ["Caller,", "Reader,", "Departing,", "Leaver,"];
    line.contains(": ") && kinds.iter().any(|kind| line.ends_with(kind))
}
