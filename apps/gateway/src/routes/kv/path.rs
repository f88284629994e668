use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_core::FieldError;
use percent_encoding::percent_decode_str;
use std::future::{Ready, ready};

/// Namespace and key in the path. A key is one percent-encoded segment, `a/b` is `a%2Fb`; for the
/// two keys that no path can hold, `.` and `..`, there are mget, mset and mdel.
pub(super) struct EntryPath {
    pub namespace: String,
    pub key: String,
}

/// The namespace alone.
pub(super) struct NamespacePath(pub String);

impl FromRequest for EntryPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let namespace = segment(req, "namespace");
        let entry = |namespace| {
            Ok(Self {
                namespace,
                key: segment(req, "key")?,
            })
        };
        ready(namespace.and_then(entry))
    }
}

impl FromRequest for NamespacePath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(req, "namespace").map(Self))
    }
}

/// The router has decoded all but `%25`, `%2F` and `%2B`, so this decodes nothing twice.
fn segment(req: &HttpRequest, name: &'static str) -> Result<String, ApiError> {
    let raw = req.match_info().get(name).unwrap_or_default();
    let decoded = percent_decode_str(raw).decode_utf8();
    let decoded = decoded.map_err(|_| {
        let detail = "must be percent-encoded UTF-8";
        ApiError::invalid(vec![FieldError::new(name, "invalid_character", detail)])
    })?;
    Ok(decoded.into_owned())
}
