//! What needs neither configuration nor a database.

use crate::server::BINARY;
use serde_json::Value;
use std::process::Command;

#[test]
fn the_document_is_printed_without_any_environment() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(BINARY)
        .arg("openapi")
        .env_clear()
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/files/upload-url"]["post"].is_object());
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 0, "it leaves nothing behind");
}
