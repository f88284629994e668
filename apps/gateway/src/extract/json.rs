use crate::problem::ApiError;
use crate::services::Limits;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::BytesMut;
use eyemotion_core::{ErrorCode, FieldError};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use std::fmt::Write;

/// A JSON body that has the right shape; whether its values make sense is for the services.
pub struct ValidJson<T> {
    /// The body.
    pub value: T,
    /// SHA-256 of its bytes, for idempotency.
    pub hash: [u8; 32],
}

impl<T: DeserializeOwned + 'static> FromRequest for ValidJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = req.app_data::<web::Data<Limits>>().cloned();
        let checked = content_type(req);
        let declared = content_length(req);
        let payload = payload.take();
        Box::pin(async move {
            checked?;
            let limits = limits.ok_or_else(|| ApiError::internal("no limits"))?;
            let bytes = tokio::time::timeout(
                limits.body_timeout,
                read(payload, declared, limits.max_body_bytes),
            )
            .await
            .map_err(|_| {
                ApiError::new(
                    ErrorCode::RequestTimeout,
                    format!(
                        "The body must arrive within {} s.",
                        limits.body_timeout.as_secs()
                    ),
                )
            })??;
            let mut hash = [0; 32];
            hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
            Ok(Self {
                value: parse(&bytes)?,
                hash,
            })
        })
    }
}

fn content_type(req: &HttpRequest) -> Result<(), ApiError> {
    let value = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    let detail = "The body must be JSON: send Content-Type: application/json.";
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
}

pub(super) fn content_length(req: &HttpRequest) -> Option<usize> {
    req.headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

pub(super) async fn read(
    mut payload: Payload,
    declared: Option<usize>,
    max: usize,
) -> Result<BytesMut, ApiError> {
    let too_large = || {
        let detail = format!("The body may have at most {max} bytes.");
        ApiError::new(ErrorCode::BodyTooLarge, detail)
    };
    if declared.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(declared.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::new(
                ErrorCode::MalformedRequest,
                format!("The body cannot be read: {error}."),
            )
        })?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() {
            misfit(pointer, &inner)
        } else {
            malformed(&inner)
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    // serde reads a struct from an array, too, one member after the other.
    if bytes.trim_ascii_start().starts_with(b"[") {
        let detail = "must be an object";
        return Err(ApiError::invalid(vec![FieldError::new(
            "",
            "wrong_type",
            detail,
        )]));
    }
    if let Some(pointer) = find_nul(bytes) {
        let detail = "must not contain the NUL character";
        return Err(ApiError::invalid(vec![FieldError::new(
            pointer,
            "invalid_character",
            detail,
        )]));
    }
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::new(
        ErrorCode::MalformedRequest,
        format!("The body is not JSON: {error}."),
    )
}

/// JSON, but not of the shape that was wanted.
fn misfit(pointer: String, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let code = match detail.split(' ').next() {
        Some("unknown") if detail.starts_with("unknown field") => "unknown_field",
        Some("unknown") => "unknown_value",
        Some("missing") => "required",
        Some("duplicate") => "duplicate_field",
        _ => "wrong_type",
    };
    // serde names a missing or unknown member in the text, not in the path.
    let member = detail
        .split('`')
        .nth(1)
        .filter(|_| matches!(code, "unknown_field" | "required" | "duplicate_field"));
    let pointer = match member {
        Some(member) if !pointer.ends_with(&format!("/{member}")) => format!("{pointer}/{member}"),
        _ => pointer,
    };
    ApiError::invalid(vec![FieldError::new(pointer, code, detail)])
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let written = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => {
                write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Enum { variant } => write!(pointer, "/{variant}"),
            Segment::Unknown => Ok(()),
        };
        // Writing into a String cannot fail.
        debug_assert!(written.is_ok());
    }
    pointer
}

/// PostgreSQL's text cannot hold U+0000. JSON can only spell it as an escape, so a body without
/// one is not looked at twice.
fn find_nul(bytes: &[u8]) -> Option<String> {
    if !bytes.windows(6).any(|window| window == b"\\u0000") {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    nul_in(&value, "")
}

fn nul_in(value: &serde_json::Value, at: &str) -> Option<String> {
    match value {
        serde_json::Value::String(text) => text.contains('\0').then(|| at.to_owned()),
        serde_json::Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| nul_in(item, &format!("{at}/{index}"))),
        serde_json::Value::Object(members) => members.iter().find_map(|(key, item)| {
            let here = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
            if key.contains('\0') {
                Some(at.to_owned())
            } else {
                nul_in(item, &here)
            }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        full_name: String,
        #[serde(default)]
        settings: serde_json::Value,
    }

    #[rstest]
    #[case(r#"{"fullName": 5}"#, "/fullName wrong_type")]
    #[case("{}", "/fullName required")]
    #[case(r#"{"fullName":"a","role":"admin"}"#, "/role unknown_field")]
    #[case(r#"{"fullName":"a","fullName":"b"}"#, "/fullName duplicate_field")]
    #[case(r#"{"fullName":"a\u0000b"}"#, "/fullName invalid_character")]
    #[case(
        r#"{"fullName":"a","settings":{"x":["\u0000"]}}"#,
        "/settings/x/0 invalid_character"
    )]
    fn names_the_member_that_is_wrong(#[case] body: &str, #[case] expected: &str) {
        let error = parse::<Body>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        let text = error.to_string();
        let pointer = expected.split(' ').next().unwrap();
        assert!(text.starts_with(&format!("{pointer}: ")), "{text}");
    }

    #[test]
    fn an_array_is_no_object() {
        #[derive(Deserialize, Debug)]
        struct Patch {
            #[serde(default)]
            name: Option<String>,
        }
        assert!(parse::<Patch>(b"{}").unwrap().name.is_none());
        let error = parse::<Patch>(b" []").unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case(r#"{"fullName":"a"} x"#)]
    #[case("\u{feff}{}")]
    fn refuses_what_is_not_json(#[case] body: &str) {
        let error = parse::<Body>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MalformedRequest);
    }

    #[test]
    fn an_escaped_backslash_before_u0000_is_no_nul() {
        let body = parse::<Body>(br#"{"fullName":"a\\u0000b"}"#).unwrap();
        assert_eq!(body.full_name, "a\\u0000b");
        assert!(body.settings.is_null());
    }
}
