//! The published OpenAPI document.

mod lint;
mod schemas;
mod sources;

use crate::workspace::root;
use eyemotion_testkit::Contract;
use std::fs;

#[test]
fn the_committed_document_is_the_servers() {
    let committed = fs::read_to_string(root().join("openapi/eyemotion.json")).unwrap();
    // Not assert_eq: two documents of this size say nothing.
    assert!(
        committed == Contract::text(),
        "openapi/eyemotion.json is not what the server publishes: run `just bless` and read the diff"
    );
}
