//! Our verdicts on signatures beside those of Stripe's own libraries.

use chrono::{DateTime, TimeDelta};
use data_encoding::BASE64;
use eyemotion_billing::verify_signature;
use eyemotion_stripe_fake::signature_header;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const NOW: i64 = 1_800_000_000;
const CASES: u64 = 500;

/// What a case is about. Where the libraries are of another opinion by design, the reason stands
/// there; everywhere else all three agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// No difference.
    Common,
    /// We take 300 s both ways, the libraries any time to come.
    Future,
    /// We overlook spaces around the parts, the libraries do not.
    Spaces,
    /// We take digits only, and one time only; each library reads such headers in its own way.
    OddTime,
}

struct Case {
    about: About,
    body: Vec<u8>,
    header: String,
    secrets: Vec<String>,
    ours: bool,
}

fn v1(body: &[u8], secret: &str, time: i64) -> String {
    let header = signature_header(body, secret, time);
    header.split_once("v1=").unwrap().1.to_owned()
}

/// xorshift64: the same cases each time.
fn numbers() -> impl FnMut(u64) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

fn cases() -> Vec<Case> {
    let mut number = numbers();
    let mut cases = Vec::new();
    for index in 0..CASES {
        let text = "ชำระเงิน é \u{1f3ac} \"quoted\" \\ ".repeat(usize::try_from(number(4)).unwrap());
        let body = json!({ "id": format!("evt_{index}"), "text": text }).to_string();
        let mut body = body.into_bytes();
        if number(8) == 0 {
            body = Vec::new();
        }
        let secrets: Vec<String> = (0..=number(3))
            .map(|n| format!("whsec_{index}_{n}"))
            .collect();
        let signer = &secrets[usize::try_from(number(secrets.len() as u64)).unwrap()];
        let ages = [
            0, 1, 150, 299, 300, 301, 302, 3600, -1, -299, -300, -301, -3600,
        ];
        let age = ages[usize::try_from(number(ages.len() as u64)).unwrap()];
        let time = NOW - age;
        let good = v1(&body, signer, time);
        let mut about = if age < -300 {
            About::Future
        } else {
            About::Common
        };
        let header = match number(18) {
            0 => format!("t={time},v1={},v1={good}", v1(&body, "whsec_other", time)),
            1 => format!("t={time},v0={good}"),
            2 => format!("t={time},v0=abc,v2=def,v1={good}"),
            3 => format!("v1={good},t={time}"),
            4 => format!("t={time},v1={}", good.to_uppercase()),
            5 => format!("t={time},v1={}", &good[..63]),
            6 => format!("t={},v1={good}", time + 1),
            7 => format!("t={time},v1={}", v1(&body, "whsec_other", time)),
            8 => format!("t={time}"),
            9 => format!("v1={good}"),
            10 => String::new(),
            11 => format!("t=,v1={good}"),
            12 => "junk".to_owned(),
            13 => {
                about = About::Spaces;
                format!("t={time}, v1={good}")
            }
            14 => {
                about = About::OddTime;
                format!("t={time},t={time},v1={good}")
            }
            _ => format!("t={time},v1={good}"),
        };
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let ours = verify_signature(&body, &header, &secrets, now, TimeDelta::seconds(300));
        cases.push(Case {
            about,
            body,
            header,
            ours: ours.is_ok(),
            secrets,
        });
    }
    cases
}

#[test]
fn we_accept_what_we_should() {
    let cases = cases();
    let accepted = |about| {
        let of = cases.iter().filter(|case| case.about == about);
        (of.clone().filter(|case| case.ours).count(), of.count())
    };
    let (good, common) = accepted(About::Common);
    assert!(good > 50 && common - good > 100, "{good} of {common}");
    assert_eq!(accepted(About::Future).0, 0);
    assert!(accepted(About::Spaces).0 > 5);
    assert_eq!(accepted(About::OddTime).0, 0);
}

#[test]
fn verdicts_agree_with_stripes_python_library() {
    let python = |cases: &Path| {
        let mut command = Command::new("python3");
        command.arg(script("verdicts.py")).arg(cases);
        command
    };
    if is_there(Command::new("python3").args(["-c", "import stripe"])) {
        compare(python);
    }
}

#[test]
fn verdicts_agree_with_stripes_node_library() {
    let folder = std::env::var_os("EYEMOTION_STRIPE_NODE").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| root().join("target/stripe-node"));
    let library = folder.join("node_modules/stripe/package.json");
    if is_there(Command::new("node").args(["-e", "0"])) && is_installed(&library) {
        compare(|cases| {
            let mut command = Command::new("node");
            command.arg(script("verdicts.mjs")).arg(cases).arg(&folder);
            command
        });
    }
}

/// Where a library is missing the test is skipped and says so, unless
/// `EYEMOTION_REQUIRE_STRIPE_SDKS` is set.
fn is_there(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success()) || skipped()
}

fn is_installed(library: &Path) -> bool {
    library.exists() || skipped()
}

#[expect(clippy::print_stderr, reason = "whoever reads the output shall know")]
fn skipped() -> bool {
    let required = std::env::var_os("EYEMOTION_REQUIRE_STRIPE_SDKS").is_some();
    assert!(!required, "a library of Stripe's is missing");
    eprintln!("skipped: a library of Stripe's is missing");
    false
}

fn compare(judge: impl Fn(&Path) -> Command) {
    let cases = cases();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.json");
    let written: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "body": BASE64.encode(&case.body), "header": case.header, "secrets": case.secrets,
                "now": NOW, "tolerance": 300,
            })
        })
        .collect();
    std::fs::write(&file, serde_json::to_vec(&written).unwrap()).unwrap();
    let output = judge(&file).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let theirs: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), cases.len());
    for (case, theirs) in cases.iter().zip(theirs) {
        let Case { about, header, .. } = case;
        match about {
            About::Common => assert_eq!(case.ours, theirs, "{header}"),
            About::Future | About::OddTime => assert!(!case.ours, "{header}"),
            About::Spaces => assert!(!theirs, "{header}"),
        }
    }
}

fn script(name: &str) -> PathBuf {
    root().join("tests/stripe-signatures").join(name)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
