//! What cargo knows about this workspace.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Members and every dependency that this platform builds. Other platforms' are left out: they were never
/// downloaded here.
pub fn metadata() -> Metadata {
    let host = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output();
    let host = String::from_utf8(host.unwrap().stdout).unwrap();
    let options = ["--locked", "--filter-platform", host.trim()].map(str::to_owned);
    MetadataCommand::new()
        .current_dir(root())
        .other_options(options)
        .exec()
        .unwrap()
}

/// Names of all crates that are built for the product and its tests on this platform.
pub fn built_crates() -> BTreeSet<String> {
    let options = [
        "tree",
        "--workspace",
        "--locked",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let output = Command::new(env!("CARGO"))
        .args(options)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}
