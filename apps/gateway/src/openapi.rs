//! The published OpenAPI 3.1 document: made from the routes themselves, without a database.

use crate::edge::{ALIASES, PREFIX};
use crate::routes::{self, ServiceConfig};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server,
    ServerBuilder,
};

/// Builds the document. Paths carry no prefix; the prefixes are its `servers`.
pub fn document() -> OpenApi {
    let mut document = base();
    routes::api(&mut ServiceConfig::Document(&mut document));
    let mut root = OpenApi::default();
    routes::root(&mut ServiceConfig::Document(&mut root));
    let root_server = vec![Server::new("/")];
    for (path, mut item) in root.paths.paths {
        item.servers = Some(root_server.clone());
        document.paths.paths.insert(path, item);
    }
    if let (Some(ours), Some(more)) = (document.components.as_mut(), root.components) {
        ours.schemas.extend(more.schemas);
    }
    document
}

/// The document as it is published: pretty, with a final newline.
pub fn document_text() -> String {
    document()
        .to_pretty_json()
        .map(|text| text + "\n")
        .unwrap_or_default()
}

fn tags() -> Vec<Tag> {
    let describe = |(name, text)| TagBuilder::new().name(name).description(Some(text)).build();
    [
        ("admin", "What operators see and do."),
        (
            "account",
            "What people may have done with what is kept about them.",
        ),
        ("api-keys", "Keys with which programs call."),
        ("auth", "Who people are and how they stay signed in."),
        ("files", "Media files."),
        ("flags", "What is switched on, and for whom."),
        ("health", "How the server is."),
        ("kv", "The key-value store."),
        ("payments", "Plans, the subscription and its credits."),
        ("projects", "Film projects."),
        ("sessions", "Where somebody is signed in."),
        ("storage", "The bytes themselves."),
    ]
    .map(describe)
    .into()
}

fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("EyeMotion")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The backend of EyeMotion, a film-making platform: people, projects, media files, plans and \
             credits. Errors are `application/problem+json` with a stable `code`. Lists page by `cursor`. \
             A POST that creates or charges takes an `Idempotency-Key`.",
        ))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .contact(Some(ContactBuilder::new().name(Some("EyeMotion")).build()))
        .build();
    let describe = |url: &str, text: &str| {
        ServerBuilder::new()
            .url(url)
            .description(Some(text))
            .build()
    };
    let [functions, server] = ALIASES;
    let mut components = Components::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([
            describe(PREFIX, "Canonical"),
            describe(server, "As existing clients call it"),
            describe(functions, "As existing clients call it when hosted"),
        ]))
        .components(Some(components))
        .tags(Some(tags()))
        .build()
}
