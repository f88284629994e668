use std::collections::BTreeSet;

use tempfile::TempDir;

use super::super::keys::{Keys, Kind, SECRETS, variable};
use super::super::*;
use super::{from_env, from_file, only_problem};

#[test]
fn a_syntax_error_names_its_line_and_shows_no_secret() {
    let problem = only_problem(from_file("[stripe]\n\nsecret_key = \"sk_canary\n"));
    assert!(problem.message.starts_with("line 3"), "{problem}");
    assert!(!problem.to_string().contains("canary"), "{problem}");
}

#[test]
fn secrets_come_from_files() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("key");
    std::fs::write(&path, "sk_test_canary\n").unwrap();
    let path = path.to_str().unwrap();
    let key = |loaded: Result<Loaded, ConfigError>| {
        loaded
            .unwrap()
            .settings
            .stripe
            .secret_key
            .unwrap()
            .expose()
            .to_owned()
    };
    assert_eq!(
        key(from_env(&[("STRIPE_SECRET_KEY_FILE", path)])),
        "sk_test_canary"
    );
    assert_eq!(
        key(from_env(&[("EYEMOTION_STRIPE_SECRET_KEY_FILE", path)])),
        "sk_test_canary"
    );
    let text = format!("[stripe]\nsecret_key_file = \"{path}\"\n");
    assert_eq!(key(from_file(&text)), "sk_test_canary");

    let problem = only_problem(from_env(&[("SMTP_URL_FILE", "/nonexistent")]));
    assert!(
        problem.message.contains("/nonexistent cannot be read"),
        "{problem}"
    );
    let twice = [
        ("STRIPE_SECRET_KEY_FILE", path),
        ("STRIPE_SECRET_KEY", "sk_x"),
    ];
    assert!(only_problem(from_env(&twice)).message.contains("keep one"));
    only_problem(from_env(&[("EYEMOTION_LOG_FILTER_FILE", path)]));
}

/// Sets every setting that is a text: the secret ones, and only they, must be hidden.
#[test]
fn secrets_are_never_shown() {
    let keys = Keys::known().unwrap();
    let texts = || {
        keys.iter()
            .filter(|(_, kind)| *kind == Kind::Text)
            .map(|(key, _)| key)
    };
    let dir = TempDir::new().unwrap();
    let value = |key: &str| match key {
        "database.url" => "postgres://u:canary@h/d".to_owned(),
        "smtp.url" => "smtp://u:canary@h".to_owned(),
        "stripe.secret_key" => "sk_canary".to_owned(),
        "stripe.webhook_secret" => "whsec_canary".to_owned(),
        "auth.signing_key" => "-----BEGIN canary".to_owned(),
        "auth.secret" => format!("canary{}", "x".repeat(32)),
        "storage.url" => "file:///plain".to_owned(),
        "server.public_url" | "server.frontend_url" => "https://plain".to_owned(),
        "server.host" => "127.0.0.7".to_owned(),
        "server.environment" => "production".to_owned(),
        "limits.clients" => "all".to_owned(),
        "smtp.from" => "plain@example.com".to_owned(),
        "stripe.api_url" | "oauth.google_issuer" | "oauth.github_url" | "oauth.github_api_url" => {
            "https://plain".to_owned()
        }
        "log.format" => "json".to_owned(),
        key if SECRETS.contains(&key) => "canary".to_owned(),
        _ => dir.path().join("plain").to_str().unwrap().to_owned(),
    };
    let env = texts().map(|key| (variable(key), value(key))).collect();
    let loaded = load(&Sources {
        env,
        ..Sources::default()
    })
    .unwrap();
    let dump = loaded.dump().unwrap();
    assert!(!dump.contains("canary"), "{dump}");
    assert!(
        !format!("{loaded:?}").contains("u:canary"),
        "Debug of Loaded shows a secret"
    );
    let hidden: BTreeSet<_> = texts()
        .filter(|key| {
            let (section, name) = key.split_once('.').unwrap();
            let table: toml::Table = toml::from_str(&dump).unwrap();
            table[section][name].as_str() == Some(REDACTED)
        })
        .collect();
    assert_eq!(hidden, BTreeSet::from(SECRETS));
}
