//! Another library, from another world, reads our tokens by the published keys alone.

use eyemotion_testkit::TestApp;
use serde_json::Value;
use std::process::Command;

/// Where PyJWT is missing the test is skipped and says so, unless `EYEMOTION_REQUIRE_PYJWT` is set.
fn is_there() -> bool {
    let import = Command::new("python3")
        .args(["-c", "import jwt, cryptography"])
        .output();
    if import.is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("EYEMOTION_REQUIRE_PYJWT").is_none(),
        "there is no PyJWT"
    );
    skipped("there is no PyJWT");
    false
}

#[expect(clippy::print_stderr, reason = "whoever reads the output shall know")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

#[tokio::test]
async fn pyjwt_verifies_our_tokens() {
    if !is_there() {
        return;
    }
    let app = TestApp::start().await;
    let client = app.person().await;
    let folder = tempfile::tempdir().unwrap();
    let (keys, token) = (folder.path().join("jwks.json"), folder.path().join("token"));
    let served = app.anonymous().get("//.well-known/jwks.json").await;
    std::fs::write(&keys, &served.bytes).unwrap();
    let session = client.session.clone().unwrap();
    std::fs::write(&token, &session.access_token).unwrap();
    let output = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/attacks/pyjwt.py"
        ))
        .args([&keys, &token])
        .args(["eyemotion", "authenticated"])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    let claims: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(claims["sub"], session.user.as_str());
    assert_eq!(claims["user_role"], "user");
}
