mod examples;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tempfile::TempDir;

use super::keys::{ALIASES, Keys, Kind, variable};
use super::*;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn from_env(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    load(&Sources {
        env: env(pairs),
        working_dir: "/nonexistent".into(),
        ..Sources::default()
    })
}

fn from_file(text: &str) -> Result<Loaded, ConfigError> {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("eyemotion.toml"), text).unwrap();
    load(&Sources {
        working_dir: dir.path().to_owned(),
        ..Sources::default()
    })
}

fn flag(name: &'static str, key: &'static str, value: &str) -> Flag {
    Flag {
        name,
        key,
        value: value.to_owned(),
    }
}

/// The one problem of a configuration that must be refused.
fn only_problem(result: Result<Loaded, ConfigError>) -> Problem {
    let ConfigError(mut problems) = result.expect_err("must be refused");
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn tried_value(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool | Kind::Switch => "true",
        Kind::Integer => "61",
        Kind::Text | Kind::List => "canary",
    }
}

#[test]
fn nothing_given_is_valid() {
    let loaded = from_env(&[]).unwrap();
    assert_eq!(loaded.settings.server.port, 8000);
    assert_eq!(loaded.settings.data.dir, PathBuf::from("eyemotion-data"));
    assert_eq!(loaded.settings.storage.max_file_bytes, 10 << 30);
    assert!(loaded.settings.database.url.is_none());
    assert!(loaded.file.is_none() && loaded.warnings.is_empty());
}

#[test]
fn root_keeps_its_data_where_the_postgres_user_can_reach_it() {
    let root = Sources {
        is_root: true,
        working_dir: "/nonexistent".into(),
        ..Sources::default()
    };
    assert_eq!(
        load(&root).unwrap().settings.data.dir,
        PathBuf::from("/var/lib/eyemotion")
    );
}

#[test]
fn file_then_environment_then_flags() {
    let dir = TempDir::new().unwrap();
    let text = "[server]\nport = 1\nworkers = 1\n[log]\nfilter = \"warn\"\n";
    std::fs::write(dir.path().join("eyemotion.toml"), text).unwrap();
    let mut sources = Sources {
        working_dir: dir.path().to_owned(),
        ..Sources::default()
    };
    let of = |sources: &Sources| {
        let settings = load(sources).unwrap().settings;
        (
            settings.server.port,
            settings.server.workers,
            settings.log.filter,
        )
    };
    assert_eq!(of(&sources), (1, 1, "warn".to_owned()));
    sources.env = env(&[
        ("EYEMOTION_SERVER_PORT", "2"),
        ("EYEMOTION_SERVER_WORKERS", "2"),
    ]);
    assert_eq!(of(&sources), (2, 2, "warn".to_owned()));
    sources.flags = vec![flag("--port", "server.port", "3")];
    assert_eq!(of(&sources), (3, 2, "warn".to_owned()));
}

#[test]
fn the_file_is_looked_for_in_the_data_folder_last() {
    let (here, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::fs::write(data.path().join("eyemotion.toml"), "[server]\nport = 1\n").unwrap();
    let mut sources = Sources {
        env: env(&[("EYEMOTION_DATA_DIR", data.path().to_str().unwrap())]),
        working_dir: here.path().to_owned(),
        ..Sources::default()
    };
    let port = |sources: &Sources| load(sources).unwrap().settings.server.port;
    assert_eq!(port(&sources), 1);
    std::fs::write(here.path().join("eyemotion.toml"), "[server]\nport = 2\n").unwrap();
    assert_eq!(port(&sources), 2);
    let named = here.path().join("other.toml");
    std::fs::write(&named, "[server]\nport = 3\n").unwrap();
    sources.env.insert(
        "EYEMOTION_CONFIG".to_owned(),
        named.to_str().unwrap().to_owned(),
    );
    assert_eq!(port(&sources), 3);
    sources.config_file = Some(here.path().join("eyemotion.toml"));
    assert_eq!(port(&sources), 2);
}

#[test]
fn a_named_file_must_exist() {
    let missing = PathBuf::from("/nonexistent/eyemotion.toml");
    let problem = only_problem(load(&Sources {
        config_file: Some(missing),
        ..Sources::default()
    }));
    assert!(problem.message.contains("cannot be read"), "{problem}");
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion_and_their_origin() {
    let problem = only_problem(from_env(&[("EYEMOTION_SERVER_PROT", "1")]));
    assert_eq!(problem.key, "EYEMOTION_SERVER_PROT");
    assert_eq!(problem.origin, "environment variable EYEMOTION_SERVER_PROT");
    assert!(
        problem.message.contains("EYEMOTION_SERVER_PORT"),
        "{problem}"
    );

    let problem = only_problem(from_file("[storage]\nmax_file_byte = 1\n"));
    assert!(
        problem
            .message
            .contains("did you mean storage.max_file_bytes?"),
        "{problem}"
    );
    assert!(problem.origin.ends_with("eyemotion.toml"), "{problem}");

    let problem = only_problem(from_file("port = 1\n"));
    assert!(
        problem.message.contains("did you mean server.port?"),
        "{problem}"
    );
    let problem = only_problem(from_file("[http]\nport = 1\n"));
    assert!(
        problem.message.contains("did you mean server.port?"),
        "{problem}"
    );
    let problem = only_problem(from_file("[zzz]\n"));
    assert_eq!(problem.message, "there is no such setting");
    let problem = only_problem(from_file("server = 1\n"));
    assert!(problem.message.contains("[server]"), "{problem}");
}

#[test]
fn every_problem_is_told_at_once() {
    let ConfigError(problems) = from_env(&[
        ("EYEMOTION_SERVER_PORT", "eighty"),
        ("EYEMOTION_SERVER_WORKERS", "-1"),
        ("EYEMOTION_SERVER_HOST", "here"),
        ("EYEMOTION_LOG_FORMAT", "loud"),
        ("EYEMOTION_DATABASE_POOL_SIZE", "0"),
        ("EYEMOTION_NOTHING", "1"),
    ])
    .unwrap_err();
    let keys: BTreeSet<_> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    let expected = [
        "server.port",
        "server.workers",
        "server.host",
        "log.format",
        "database.pool_size",
        "EYEMOTION_NOTHING",
    ];
    assert_eq!(keys, BTreeSet::from(expected), "{problems:?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.origin.starts_with("environment variable "))
    );
}

#[test]
fn the_file_must_hold_the_right_types() {
    let text = "[server]\nport = \"1\"\ncors_origins = [1]\n[stripe]\nsecret_key = 777333\n";
    let error = from_file(text).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("server.port") && told.contains("a whole number"),
        "{told}"
    );
    assert!(
        told.contains("server.cors_origins") && told.contains("a list of texts"),
        "{told}"
    );
    assert!(
        told.contains("stripe.secret_key") && !told.contains("777333"),
        "{told}"
    );
}

#[test]
fn plain_names_are_settings_too() {
    let keys = Keys::known().unwrap();
    for (alias, key) in ALIASES {
        assert!(
            keys.kind(key).is_some(),
            "{alias} names {key}, which does not exist"
        );
    }
    let settings = from_env(&[
        ("DATABASE_URL", "postgres://u:canary@db/eyemotion"),
        ("FRONTEND_URL", "https://eyemotion.ai"),
        ("SMTP_URL", ""),
    ])
    .unwrap()
    .settings;
    assert_eq!(
        settings.database.url.unwrap().expose(),
        "postgres://u:canary@db/eyemotion"
    );
    assert_eq!(
        settings.server.frontend_url.unwrap(),
        "https://eyemotion.ai"
    );
    assert!(
        settings.smtp.url.is_none(),
        "an empty variable counts as unset"
    );
}

#[test]
fn our_spelling_wins_over_the_plain_name() {
    let both = [
        ("DATABASE_URL", "postgres://a"),
        ("EYEMOTION_DATABASE_URL", "postgres://b"),
    ];
    assert_eq!(
        from_env(&both)
            .unwrap()
            .settings
            .database
            .url
            .unwrap()
            .expose(),
        "postgres://b"
    );
}

#[test]
fn the_dump_tells_each_origin() {
    let dump = from_env(&[("EYEMOTION_SERVER_PORT", "9000")])
        .unwrap()
        .dump()
        .unwrap();
    assert!(
        dump.contains("port = 9000  # environment variable EYEMOTION_SERVER_PORT"),
        "{dump}"
    );
    assert!(dump.contains("workers = 0  # default"), "{dump}");
    assert!(dump.contains("# public_url is not set"), "{dump}");
    assert_eq!(
        from_file(&dump).unwrap().settings.server.port,
        9000,
        "a dump is a file"
    );
}

#[test]
fn every_setting_can_be_given_by_environment_and_flag() {
    for (key, kind) in Keys::known().unwrap().iter() {
        let value = tried_value(kind).to_owned();
        let env = BTreeMap::from([(variable(key), value.clone())]);
        let flags = vec![Flag {
            name: "--x",
            key: String::leak(key.to_owned()),
            value,
        }];
        for sources in [
            Sources {
                env,
                ..Sources::default()
            },
            Sources {
                flags,
                ..Sources::default()
            },
        ] {
            // The value may be refused for what it says, but not for its name or kind.
            let problems = load(&sources)
                .err()
                .map(|error| error.0)
                .unwrap_or_default();
            let unread = format!("must be {}", kind.name());
            let unread = |problem: &Problem| {
                problem.message == unread || problem.message.contains("no such setting")
            };
            assert!(!problems.iter().any(unread), "{problems:?}");
        }
    }
}

#[test]
fn lists_are_separated_by_commas() {
    let origins = "https://eyemotion.ai, https://*.eyemotion.ai";
    let settings = from_env(&[("EYEMOTION_SERVER_CORS_ORIGINS", origins)])
        .unwrap()
        .settings;
    let expected = ["https://eyemotion.ai", "https://*.eyemotion.ai"];
    assert_eq!(settings.server.cors_origins, expected);
}

#[rstest::rstest]
#[case("EYEMOTION_SERVER_PUBLIC_URL", "eyemotion.ai")]
#[case("EYEMOTION_SERVER_CORS_ORIGINS", "https://a.b/path")]
#[case("EYEMOTION_SERVER_CORS_ORIGINS", "https://a.*.b")]
#[case("EYEMOTION_SERVER_TRUSTED_PROXIES", "10.0.0.0/33")]
#[case("EYEMOTION_SERVER_MAX_BODY_BYTES", "0")]
#[case("EYEMOTION_SERVER_HEADER_TIMEOUT_SECS", "0")]
#[case("DATABASE_URL", "mysql://x")]
#[case("STORAGE_URL", "file://relative")]
#[case("EYEMOTION_STORAGE_UPLOAD_TTL_SECS", "604801")]
#[case("EYEMOTION_AUTH_ACCESS_TTL_SECS", "1")]
#[case("EYEMOTION_AUTH_REFRESH_TTL_SECS", "600")]
#[case("EYEMOTION_AUTH_SIGNING_KEY", "hunter2")]
#[case("EYEMOTION_AUTH_REQUIRE_EMAIL_CONFIRMATION", "true")]
#[case("STRIPE_SECRET_KEY", "pk_live_1")]
#[case("SMTP_URL", "http://mail")]
#[case("GOOGLE_CLIENT_SECRET", "alone")]
fn wrong_values_are_refused_by_name(#[case] name: &str, #[case] value: &str) {
    let problem = only_problem(from_env(&[(name, value)]));
    assert!(
        !problem.message.contains(value) || value.len() < 8,
        "{problem}"
    );
}

#[test]
fn supabase_names_are_answered() {
    let warnings = from_env(&[
        ("SUPABASE_URL", "https://x.supabase.co"),
        ("SUPABASE_ANON_KEY", "canary"),
        ("SUPABASE_SERVICE_ROLE_KEY", "canary"),
    ])
    .unwrap()
    .warnings;
    assert_eq!(warnings.len(), 3);
    assert!(
        warnings
            .iter()
            .any(|line| line.contains("set DATABASE_URL")),
        "{warnings:?}"
    );
    assert!(
        warnings.iter().all(|line| !line.contains("canary")),
        "{warnings:?}"
    );
}
