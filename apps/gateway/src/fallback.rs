//! Where no route answers: 404, or 405 when the path is known.

use crate::edge::{self, PREFIX};
use crate::problem::ApiError;
use crate::routes::{self, ServiceConfig};
use actix_web::dev::ResourceDef;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::HttpMethod;

/// Every path with the methods it takes: actix answers 404 to a wrong method on a route of its own.
/// Made when somebody first misses.
static KNOWN_PATHS: LazyLock<KnownPaths> = LazyLock::new(KnownPaths::new);

/// In the order of `Allow`.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

struct KnownPaths(Vec<(ResourceDef, Vec<Method>)>);

impl KnownPaths {
    fn new() -> Self {
        let mut methods = BTreeMap::<String, Vec<Method>>::new();
        let (mut root, mut api) = (Vec::new(), Vec::new());
        routes::root(&mut ServiceConfig::Paths(&mut root));
        routes::api(&mut ServiceConfig::Paths(&mut api));
        for (prefix, paths) in [("", root), (PREFIX, api)] {
            for (path, taken) in paths {
                let of_path = methods.entry(format!("{prefix}{path}")).or_default();
                of_path.extend(taken.iter().flat_map(answered));
            }
        }
        let all = methods.into_iter().map(|(path, taken)| {
            let there = |method: &Method| method == Method::OPTIONS || taken.contains(method);
            (
                ResourceDef::new(path),
                METHODS.into_iter().filter(there).collect(),
            )
        });
        Self(all.collect())
    }

    fn allowed(&self, path: &str) -> Option<&[Method]> {
        let (_, methods) = self
            .0
            .iter()
            .find(|(resource, _)| resource.is_match(path))?;
        Some(methods)
    }
}

/// What a route for `method` answers: that for GET answers HEAD.
fn answered(method: &HttpMethod) -> Vec<Method> {
    match method {
        HttpMethod::Get => vec![Method::GET, Method::HEAD],
        HttpMethod::Post => vec![Method::POST],
        HttpMethod::Put => vec![Method::PUT],
        HttpMethod::Patch => vec![Method::PATCH],
        HttpMethod::Delete => vec![Method::DELETE],
        HttpMethod::Head => vec![Method::HEAD],
        HttpMethod::Options | HttpMethod::Trace => Vec::new(),
    }
}

/// The default service.
pub async fn fallback(req: HttpRequest) -> HttpResponse {
    let known = &*KNOWN_PATHS;
    let path = req.path();
    let trimmed = path.trim_end_matches('/');
    if let Some(allowed) = known.allowed(path) {
        if req.method() == Method::OPTIONS {
            let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
            return HttpResponse::NoContent()
                .insert_header((header::ALLOW, names.join(", ")))
                .finish();
        }
        return ApiError::method_not_allowed(allowed.to_vec()).error_response();
    }
    // One resource, one path: the other spelling leads there, method and body kept.
    if trimmed.len() < path.len() && known.allowed(trimmed).is_some() {
        let query = req
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        return HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, format!("{trimmed}{query}")))
            .finish();
    }
    edge::not_found()
}
