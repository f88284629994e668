//! `/openapi.json` and `/docs`, both without a network.

use crate::openapi::document_text;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::sync::LazyLock;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The published document and its entity tag, made when somebody first asks.
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::new(document_text()));

struct Document {
    text: Bytes,
    etag: String,
}

impl Document {
    fn new(text: String) -> Self {
        let hash = HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref());
        let etag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
        Self {
            text: text.into(),
            etag,
        }
    }
}

/// Adds both.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/openapi.json", web::get().to(openapi))
        .route("/docs", web::get().to(redirect))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")));
}

async fn openapi(req: HttpRequest) -> HttpResponse {
    let document = &*DOCUMENT;
    let known = req
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.contains(&document.etag)) {
        return HttpResponse::NotModified()
            .insert_header((header::ETAG, document.etag.clone()))
            .finish();
    }
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::ETAG, document.etag.clone()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(document.text.clone())
}

async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}
