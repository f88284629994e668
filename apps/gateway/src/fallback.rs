//! Where no route answers: 404, or 405 when the published document knows the path.

use crate::edge::{self, PREFIX};
use crate::problem::ApiError;
use actix_web::dev::ResourceDef;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::openapi::{OpenApi, PathItem};

/// Every path with the methods it takes, from the published document: actix answers 404 to a
/// wrong method on a route of its own.
pub struct KnownPaths(Vec<(ResourceDef, Vec<Method>)>);

impl KnownPaths {
    /// Reads them from the document.
    pub fn new(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        Self(
            paths
                .map(|(path, item)| {
                    // The probes and keys stand at the root, as their own `servers` entry says.
                    let prefix = if item.servers.is_some() { "" } else { PREFIX };
                    (ResourceDef::new(format!("{prefix}{path}")), methods(item))
                })
                .collect(),
        )
    }

    fn allowed(&self, path: &str) -> Option<&[Method]> {
        let (_, methods) = self
            .0
            .iter()
            .find(|(resource, _)| resource.is_match(path))?;
        Some(methods)
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    let operations = [
        (Method::GET, item.get.is_some()),
        (Method::HEAD, item.get.is_some()),
        (Method::POST, item.post.is_some()),
        (Method::PUT, item.put.is_some()),
        (Method::PATCH, item.patch.is_some()),
        (Method::DELETE, item.delete.is_some()),
    ];
    let known = operations
        .into_iter()
        .filter_map(|(method, there)| there.then_some(method));
    known.chain([Method::OPTIONS]).collect()
}

/// The default service.
pub async fn fallback(req: HttpRequest, known: web::Data<KnownPaths>) -> HttpResponse {
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
