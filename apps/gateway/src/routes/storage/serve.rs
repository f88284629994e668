//! A file as an answer: conditions, ranges, names.

use crate::problem::ApiError;
use actix_web::http::header::{
    self, Charset, ContentDisposition, ContentEncoding, DispositionParam, DispositionType,
    EntityTag, ExtendedValue, Header, HttpDate, IfNoneMatch, Range as RangeHeader,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use eyemotion_core::ErrorCode;
use eyemotion_storage::{Disposition, Download};
use futures_util::StreamExt;
use std::ops::Range;
use std::time::SystemTime;

/// Answers a GET or HEAD with the file, a range of it, or 304.
pub fn respond(req: &HttpRequest, download: Download) -> Result<HttpResponse, ApiError> {
    let tag = EntityTag::new_strong(download.etag.clone());
    if not_modified(req, &tag, &download) {
        let mut answer = HttpResponse::NotModified();
        add_validators(&mut answer, &tag, &download);
        return Ok(answer.finish());
    }
    let size = download.size;
    let wanted = wanted_range(req, &tag, &download)?;
    let (status, range) = match wanted {
        Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        None => (StatusCode::OK, 0..size),
    };
    let mut answer = HttpResponse::build(status);
    add_validators(&mut answer, &tag, &download);
    answer
        .insert_header((header::CONTENT_TYPE, download.content_type.clone()))
        .insert_header(disposition(&download))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        // Whatever a file holds, it must not act as a page of ours.
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ))
        .insert_header(("cross-origin-resource-policy", "cross-origin"))
        // Media is compressed already, and a range counts bytes of the file itself.
        .insert_header(ContentEncoding::Identity);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end.saturating_sub(1);
        let text = format!("bytes {}-{last}/{size}", range.start);
        answer.insert_header((header::CONTENT_RANGE, text));
    }
    let length = range.end - range.start;
    answer.no_chunking(length);
    if *req.method() == Method::HEAD {
        return Ok(answer.body(actix_web::body::SizedStream::new(
            length,
            futures_util::stream::empty::<Result<_, actix_web::Error>>(),
        )));
    }
    let chunks = download.read(range).map(|chunk| {
        chunk.map_err(|error| {
            tracing::error!(%error, "a download broke off");
            actix_web::Error::from(ApiError::internal(error))
        })
    });
    Ok(answer.body(actix_web::body::SizedStream::new(length, chunks)))
}

fn add_validators(answer: &mut HttpResponseBuilder, tag: &EntityTag, download: &Download) {
    let modified = HttpDate::from(SystemTime::from(download.modified));
    answer
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((header::LAST_MODIFIED, modified.to_string()))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
}

/// RFC 9110 sections 13.1.2 and 13.1.3; the tag, being exact, goes before the date.
fn not_modified(req: &HttpRequest, tag: &EntityTag, download: &Download) -> bool {
    if req.headers().contains_key(header::IF_NONE_MATCH) {
        return match IfNoneMatch::parse(req) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|other| other.weak_eq(tag)),
            Err(_) => false,
        };
    }
    let since = req
        .headers()
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok());
    since
        .and_then(|text| text.parse::<HttpDate>().ok())
        .is_some_and(|since| SystemTime::from(download.modified) <= SystemTime::from(since))
}

/// The one range that is asked for. Several at once, or one that cannot be read, are answered with
/// the whole file (RFC 9110 section 14.2).
fn wanted_range(
    req: &HttpRequest,
    tag: &EntityTag,
    download: &Download,
) -> Result<Option<Range<u64>>, ApiError> {
    let value = req
        .headers()
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let Some(Ok(RangeHeader::Bytes(specs))) = value.map(str::parse) else {
        return Ok(None);
    };
    if !if_range_holds(req, tag, download) {
        return Ok(None);
    }
    let [spec] = specs.as_slice() else {
        return Ok(None);
    };
    if let Some((first, last)) = spec.to_satisfiable_range(download.size) {
        return Ok(Some(first..last + 1));
    }
    let detail = format!("The file has {} bytes.", download.size);
    Err(ApiError::new(ErrorCode::RangeNotSatisfiable, detail).with_member("size", download.size))
}

/// RFC 9110 section 13.1.5: a range of another version is of no use.
fn if_range_holds(req: &HttpRequest, tag: &EntityTag, download: &Download) -> bool {
    let Some(value) = req.headers().get(header::IF_RANGE) else {
        return true;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    if let Ok(other) = text.parse::<EntityTag>() {
        return other.strong_eq(tag);
    }
    text.parse::<HttpDate>()
        .is_ok_and(|date| SystemTime::from(date) == SystemTime::from(download.modified))
}

/// The name in both spellings of RFC 6266: ASCII for old clients, UTF-8 for the others.
fn disposition(download: &Download) -> ContentDisposition {
    let kind = match download.disposition {
        Disposition::Inline => DispositionType::Inline,
        Disposition::Attachment => DispositionType::Attachment,
    };
    let ascii: String = download
        .file_name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    ContentDisposition {
        disposition: kind,
        parameters: vec![
            DispositionParam::Filename(ascii),
            DispositionParam::FilenameExt(ExtendedValue {
                charset: Charset::Ext("UTF-8".to_owned()),
                language_tag: None,
                value: download.file_name.clone().into_bytes(),
            }),
        ],
    }
}
