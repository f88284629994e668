use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_core::{ErrorCode, FieldError};
use std::future::{Ready, ready};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// The strong entity tag of a row's version (RFC 9110 section 8.8.3).
pub fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

/// The `If-Match` header: the version that the client has seen. Absent or `*`: any.
pub struct IfMatch(pub Option<i64>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(req).map(Self))
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .examples(["\"3\""]);
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "The ETag that the change was made from; another version: 412",
            ))
            .schema(Some(text));
        vec![parameter.build()]
    }
}

fn parse(req: &HttpRequest) -> Result<Option<i64>, ApiError> {
    let Some(value) = req.headers().get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(tag) = tag else {
        let detail = "must be the ETag as it was given, such as \"3\"";
        return Err(ApiError::invalid(vec![FieldError::new(
            "If-Match", "invalid", detail,
        )]));
    };
    // A tag that is not one of ours matches no version there is.
    tag.parse().map(Some).map_err(|_| {
        ApiError::new(
            ErrorCode::VersionMismatch,
            "The If-Match header names no version of this; read it again.",
        )
    })
}
