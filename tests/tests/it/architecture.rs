//! The arrows of the workspace: core <- db <- {jobs, ports} <- {mail, each domain} <- gateway <- eyemotion.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Package};

use crate::workspace::{built_crates, metadata, root};

const SUPPORT: [&str; 4] = [
    "eyemotion-core",
    "eyemotion-db",
    "eyemotion-jobs",
    "eyemotion-ports",
];
/// Builds on the support crates as a domain does, but is nobody's to use except the gateway's: others post mails
/// through a port.
const MAIL: &str = "eyemotion-mail";
const DOMAINS: [&str; 8] = [
    "eyemotion-admin",
    "eyemotion-auth",
    "eyemotion-backup",
    "eyemotion-billing",
    "eyemotion-health",
    "eyemotion-kv",
    "eyemotion-projects",
    "eyemotion-storage",
];
/// Members that are never part of the product: they may look at anything but a domain's inside.
const TOOLS: [&str; 4] = [
    "eyemotion-testkit",
    "eyemotion-tests",
    "eyemotion-bench",
    STRIPE_FAKE,
];
/// Stripe's double is for tests alone, and knows nobody.
const STRIPE_FAKE: &str = "eyemotion-stripe-fake";
const BANNED: [&str; 4] = ["openssl", "openssl-sys", "native-tls", "ring"];

/// Whether `from` may name the workspace member `to`.
fn may_use(from: &str, to: &str, dev: bool) -> bool {
    if from == STRIPE_FAKE {
        return false;
    }
    if to == "eyemotion-testkit" || to == STRIPE_FAKE {
        return dev || TOOLS.contains(&from);
    }
    match from {
        "eyemotion-core" => false,
        "eyemotion-db" | "eyemotion-media" => to == "eyemotion-core",
        "eyemotion-jobs" | "eyemotion-ports" => ["eyemotion-core", "eyemotion-db"].contains(&to),
        "eyemotion-storage" if to == "eyemotion-media" => true,
        domain if domain == MAIL || DOMAINS.contains(&domain) => SUPPORT.contains(&to),
        "gateway" => to == MAIL || SUPPORT.contains(&to) || DOMAINS.contains(&to),
        "eyemotion" => to == "gateway" || SUPPORT.contains(&to) || DOMAINS.contains(&to),
        tool => TOOLS.contains(&tool),
    }
}

/// Whether `from` may name a crate of the registry that only some members may see.
fn may_see(from: &str, to: &str) -> bool {
    let is = |name: &str| to == name || to.starts_with(&format!("{name}-"));
    let domain = from == MAIL || DOMAINS.contains(&from);
    if is("actix") || ["tracing-actix-web", "utoipa-actix-web"].contains(&to) {
        ["gateway", "eyemotion-testkit", "eyemotion"].contains(&from)
    } else if is("diesel") || to.starts_with("diesel_") {
        domain || ["eyemotion-db", "eyemotion-jobs"].contains(&from) || TOOLS.contains(&from)
    } else if is("object_store") {
        ["eyemotion-storage", "eyemotion-backup"].contains(&from)
    } else if is("async-stripe") {
        from == "eyemotion-billing"
    } else {
        true
    }
}

fn members() -> Vec<Package> {
    let metadata = metadata();
    metadata.workspace_packages().into_iter().cloned().collect()
}

#[test]
fn the_arrows_hold() {
    let members = members();
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    for name in SUPPORT
        .iter()
        .chain(&DOMAINS)
        .chain(&TOOLS)
        .chain(&["gateway", "eyemotion", MAIL])
    {
        assert!(
            names.contains(name),
            "{name} is gone: correct this test with the arrows"
        );
    }
    let mut wrong = Vec::new();
    for member in &members {
        for dependency in &member.dependencies {
            let (from, to) = (member.name.as_str(), dependency.name.as_str());
            let dev = dependency.kind == DependencyKind::Development;
            let allowed = if names.contains(to) {
                may_use(from, to, dev)
            } else {
                may_see(from, to)
            };
            if !allowed {
                wrong.push(format!("{from} -> {to}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that must not be:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_rules_refuse_what_they_should() {
    let refused = [
        may_use("eyemotion-storage", "eyemotion-billing", false),
        may_use("eyemotion-storage", "eyemotion-billing", true),
        may_use("eyemotion-db", "eyemotion-jobs", false),
        may_use("eyemotion-ports", "eyemotion-jobs", false),
        may_use("eyemotion-auth", "gateway", false),
        may_use("eyemotion-auth", "eyemotion-mail", false),
        may_use("eyemotion-auth", "eyemotion-media", false),
        may_use("gateway", "eyemotion-media", false),
        may_use("gateway", "eyemotion-testkit", false),
        may_use("eyemotion-billing", STRIPE_FAKE, false),
        may_use(STRIPE_FAKE, "eyemotion-core", true),
        may_see("eyemotion-auth", "actix-web"),
        may_see("eyemotion-core", "diesel"),
        may_see("gateway", "diesel-async"),
        may_see("gateway", "object_store"),
        may_see("eyemotion-admin", "async-stripe-billing"),
    ];
    assert_eq!(refused, [false; 16]);
    assert!(may_use("eyemotion-auth", "eyemotion-testkit", true));
    assert!(may_use("eyemotion-billing", STRIPE_FAKE, true));
    assert!(may_use("eyemotion-storage", "eyemotion-media", false));
    assert!(may_see("eyemotion-auth", "diesel"));
}

/// rustls with aws-lc-rs is the one TLS and the one provider of cryptography. Cargo.lock would not do: it
/// also lists what a weak feature names and nothing builds.
#[test]
fn no_second_tls_or_cryptography() {
    let built = built_crates();
    assert!(
        built.contains("tokio"),
        "cargo tree was not read: {built:?}"
    );
    let found: Vec<_> = BANNED
        .iter()
        .filter(|name| built.contains(**name))
        .collect();
    assert!(
        found.is_empty(),
        "`cargo tree --workspace -i {}` tells who asks for it",
        found[0]
    );
}

#[test]
fn members_inherit_from_the_workspace() {
    let mut wrong = Vec::new();
    for member in members() {
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(&member.manifest_path).unwrap()).unwrap();
        let inherits = |value: Option<&toml::Value>| {
            value.and_then(|value| value.get("workspace")) == Some(&toml::Value::Boolean(true))
        };
        for field in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits(manifest["package"].get(field)) {
                wrong.push(format!("{}: package.{field}", member.name));
            }
        }
        if !inherits(manifest.get("lints")) {
            wrong.push(format!("{}: lints", member.name));
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = manifest.get(table).and_then(toml::Value::as_table);
            for (name, dependency) in dependencies.into_iter().flatten() {
                if !inherits(Some(dependency)) {
                    wrong.push(format!("{}: {table}.{name}", member.name));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "without `workspace = true`:\n{}",
        wrong.join("\n")
    );
}

/// SQL stands in a domain's `src/repository/` and its generated `src/schema.rs`, nowhere else.
#[test]
fn only_repositories_speak_diesel() {
    let mut wrong = Vec::new();
    for domain in DOMAINS.into_iter().chain([MAIL]) {
        let src = root().join("crates").join(domain).join("src");
        for file in rust_files(&src) {
            let inside = file.strip_prefix(&src).unwrap();
            let place = ["repository", "repository.rs", "schema.rs"];
            let allowed = place.iter().any(|place| inside.starts_with(place));
            if !allowed && names_diesel(&fs::read_to_string(&file).unwrap()) {
                wrong.push(format!("{domain}/src/{}", inside.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "diesel outside src/repository:\n{}",
        wrong.join("\n")
    );
}

fn names_diesel(source: &str) -> bool {
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter()
        .any(|line| line.contains("diesel::") || line.contains("diesel_async"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
