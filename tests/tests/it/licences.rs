//! Permissive licences only, and every dependency from the default registry.

use cargo_metadata::Package;
use spdx::{Expression, ParseMode};

use crate::workspace::metadata;

const PERMISSIVE: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether the expression leaves a choice that is permissive throughout. Exceptions (`WITH`) only ever
/// permit more.
fn is_permissive(expression: &str) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|required| {
            required
                .license
                .id()
                .is_some_and(|id| PERMISSIVE.contains(&id.name))
        })
    })
}

fn refused(package: &Package) -> Option<String> {
    let licence = package.license.as_deref().unwrap_or("none");
    let told = format!("{} {}: {licence}", package.name, package.version);
    (!is_permissive(licence)).then_some(told)
}

#[test]
fn every_dependency_is_permissively_licensed() {
    let refused: Vec<_> = metadata().packages.iter().filter_map(refused).collect();
    assert!(
        refused.is_empty(),
        "not permissive:\n{}",
        refused.join("\n")
    );
}

#[test]
fn every_dependency_comes_from_the_default_registry() {
    let metadata = metadata();
    let elsewhere = |package: &&Package| {
        package
            .source
            .as_ref()
            .is_some_and(|source| !source.is_crates_io())
    };
    let elsewhere: Vec<_> = metadata.packages.iter().filter(elsewhere).collect();
    assert!(elsewhere.is_empty(), "from elsewhere: {elsewhere:?}");
}

#[test]
fn expressions_are_understood() {
    for permissive in [
        "MIT/Apache-2.0",
        "MIT OR GPL-3.0-only",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_permissive(permissive), "{permissive}");
    }
    for not in [
        "GPL-3.0-only",
        "MIT AND MPL-2.0",
        "AGPL-3.0-or-later",
        "none",
        "",
    ] {
        assert!(!is_permissive(not), "{not}");
    }
}
