//! Looking into a file, on a thread where that may block.

use crate::model::{MediaKind, ThumbnailStatus};
use crate::repository::processing::Facts;
use eyemotion_media::{
    MediaType, Probe, ProbeError, Thumbnail, ThumbnailError, TrackKind, image_thumbnail, probe,
    sniff, video_thumbnail,
};
use serde_json::{Map, Value, json};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Longer edge of a thumbnail, pixels.
const THUMBNAIL_EDGE: u32 = 480;
/// How long ffmpeg may take for one picture.
const THUMBNAIL_TIME: Duration = Duration::from_mins(1);
/// Tracks that are stored: more make no film.
const MAX_TRACKS: usize = 64;

/// Why a file is not what it was declared to be; `None` if it is.
pub(super) fn find_fraud(
    path: &Path,
    declared: &MediaType,
) -> Result<Result<&'static str, String>, io::Error> {
    Ok(match sniff(path)? {
        Some(found) if eyemotion_media::matches(declared, found) => Ok(found.mime),
        Some(found) => Err(format!(
            "the file was declared as {}, but its content is {}",
            declared.mime, found.mime
        )),
        None => Err(format!(
            "the file was declared as {}, but its content is of no type that can be uploaded",
            declared.mime
        )),
    })
}

/// What probing led to.
pub(super) enum Probed {
    Facts(Box<Facts>),
    /// The bytes are of the declared type, and damaged.
    Damaged(String),
}

/// Probes a file whose bytes are of type `mime`.
pub(super) fn examine(path: &Path, mime: &str) -> Result<Probed, io::Error> {
    let Some(media_type) = MediaType::of_mime(mime) else {
        return Ok(Probed::Damaged(format!("{mime} is not known any more")));
    };
    Ok(match probe(path, media_type) {
        Ok(probe) => Probed::Facts(Box::new(facts(probe, mime))),
        Err(ProbeError::Unsupported(_)) => {
            let media = json!({ "sniffed": mime, "probe": "unavailable" });
            Probed::Facts(Box::new(Facts {
                media: Some(media),
                ..Facts::default()
            }))
        }
        Err(ProbeError::Io(error)) => return Err(error),
        Err(error) => Probed::Damaged(error.to_string()),
    })
}

fn facts(mut probe: Probe, mime: &str) -> Facts {
    probe.tracks.truncate(MAX_TRACKS);
    let video = probe.first(TrackKind::Video);
    let main = video.or_else(|| probe.first(TrackKind::Audio));
    let number = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    let pixels = |value: Option<u32>| value.and_then(|value| i32::try_from(value).ok());
    let mut facts = Facts {
        duration_us: number(probe.duration_us),
        width: pixels(video.and_then(|track| track.width)),
        height: pixels(video.and_then(|track| track.height)),
        codec: main.map(|track| storable(&track.codec).chars().take(100).collect()),
        bit_rate: number(probe.bit_rate),
        ..Facts::default()
    };
    if let Some(rate) = video.and_then(|track| track.frame_rate) {
        facts.set_frame_rate(rate);
    }
    let mut media = serde_json::to_value(&probe).unwrap_or_default();
    clean(&mut media);
    if let Value::Object(members) = &mut media {
        members.insert("sniffed".to_owned(), json!(mime));
        members.insert("probe".to_owned(), json!("done"));
    }
    facts.media = Some(media);
    facts
}

/// PostgreSQL stores no NUL, and a four-character code may hold one.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = storable(text),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(members) => {
            for (_, value) in Map::iter_mut(members) {
                clean(value);
            }
        }
        _ => {}
    }
}

/// Makes a picture of a file, or says why there is none.
pub(super) fn depict(
    path: &Path,
    kind: MediaKind,
    mime: &str,
    duration_us: Option<i64>,
    ffmpeg: Option<&Path>,
) -> Result<Thumbnail, ThumbnailStatus> {
    let picture = match (kind, ffmpeg) {
        (MediaKind::Image, _)
            if MediaType::of_mime(mime).is_some_and(MediaType::has_builtin_thumbnail) =>
        {
            image_thumbnail(path, THUMBNAIL_EDGE)
        }
        (MediaKind::Video, Some(ffmpeg)) => {
            // The first frame is black all too often.
            let tenth = duration_us
                .and_then(|us| u64::try_from(us / 10).ok())
                .unwrap_or_default();
            let at = Duration::from_micros(tenth);
            video_thumbnail(ffmpeg, path, at, THUMBNAIL_EDGE, THUMBNAIL_TIME)
        }
        _ => return Err(ThumbnailStatus::Unavailable),
    };
    picture.map_err(|error| {
        tracing::info!(%error, mime, "no thumbnail");
        match error {
            ThumbnailError::Unsupported(_)
            | ThumbnailError::TooLarge
            | ThumbnailError::NoFrame(_) => ThumbnailStatus::Unavailable,
            _ => ThumbnailStatus::Failed,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_cannot_store_is_replaced() {
        let mut value = json!({ "tracks": [{ "codecTag": "a\0b" }], "n": 1 });
        clean(&mut value);
        assert_eq!(
            value,
            json!({ "tracks": [{ "codecTag": "a\u{fffd}b" }], "n": 1 })
        );
    }
}
