//! One file for each operation: `routes/<noun>/<verb>.rs` holds its wire types, its block in the
//! OpenAPI document and its handler. A handler extracts, calls **one** service method, converts
//! and responds; rules live in the services.
//!
//! Conventions: `#[utoipa::path]` above the actix macro, `operation_id` camelCase verb and noun,
//! `tag` the noun, every status that can be answered listed (errors with `body = Problem`,
//! `content_type = "application/problem+json"`). Bodies `deny_unknown_fields`, camelCase.

pub mod account;
pub mod admin;
pub mod api_keys;
pub mod auth;
pub mod docs;
pub mod files;
pub mod flags;
pub mod health;
pub mod identities;
pub mod kv;
pub mod oauth;
pub mod payments;
pub mod projects;
mod service_config;
pub mod sessions;
pub mod storage;

pub use service_config::ServiceConfig;

/// The routes under the three prefixes.
pub fn api(config: &mut ServiceConfig<'_>) {
    config
        .configure(account::routes)
        .configure(admin::routes)
        .configure(api_keys::routes)
        .configure(auth::routes)
        .configure(files::routes)
        .configure(flags::routes)
        .configure(health::routes)
        .configure(kv::routes)
        .configure(identities::routes)
        .configure(oauth::routes)
        .configure(payments::routes)
        .configure(projects::routes)
        .configure(sessions::routes)
        .configure(storage::routes);
}

/// The routes at the root.
pub fn root(config: &mut ServiceConfig<'_>) {
    config.configure(auth::root).configure(health::root);
}
