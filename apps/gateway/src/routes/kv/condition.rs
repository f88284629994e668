use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_core::{ErrorCode, FieldError};
use eyemotion_kv::Expected;
use std::future::{Ready, ready};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// `If-Match` and `If-None-Match: *` (RFC 9110 sections 13.1.1 and 13.1.2).
pub(super) struct Condition(pub Expected);

impl FromRequest for Condition {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(req).map(Self))
    }
}

impl IntoParams for Condition {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |name, text, example: &str| {
            let schema = ObjectBuilder::new()
                .schema_type(Type::String)
                .examples([example]);
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .description(Some(text))
                .schema(Some(schema))
                .build()
        };
        vec![
            header(
                "If-Match",
                "The ETag that the change was made from, or * for any; something else there: 412",
                "\"1795384161000000\"",
            ),
            header(
                "If-None-Match",
                "Always *: only if there is nothing; something there: 412",
                "*",
            ),
        ]
    }
}

fn parse(req: &HttpRequest) -> Result<Expected, ApiError> {
    let value = |name| {
        let value = req.headers().get(name);
        value.map(|value: &header::HeaderValue| value.to_str().unwrap_or_default().trim())
    };
    let invalid = |name: &'static str, detail: &str| {
        ApiError::invalid(vec![FieldError::new(name, "invalid", detail)])
    };
    match (value(header::IF_MATCH), value(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Expected::Anything),
        (None, Some("*")) => Ok(Expected::Absent),
        (Some("*"), None) => Ok(Expected::Present),
        (Some(tag), None) => {
            let tag = tag
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            let detail = "must be the ETag as it was given, such as \"3\"";
            let tag = tag.ok_or_else(|| invalid("If-Match", detail))?;
            // A tag that is not one of ours matches no version there is.
            tag.parse().map(Expected::Version).map_err(|_| {
                let detail = "The If-Match header names no version of this; read it again.";
                ApiError::new(ErrorCode::VersionMismatch, detail)
            })
        }
        (None, Some(_)) => Err(invalid("If-None-Match", "must be *")),
        (Some(_), Some(_)) => {
            let detail = "cannot be combined with If-Match";
            Err(invalid("If-None-Match", detail))
        }
    }
}
