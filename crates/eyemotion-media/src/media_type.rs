//! The types of file that may be uploaded, in one table.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a file is for: the value of its `file_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Moving pictures.
    Video,
    /// Sound alone.
    Audio,
    /// A still picture.
    Image,
    /// Anything else, which today is JSON.
    Data,
}

impl MediaKind {
    /// The name as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Image => "image",
            Self::Data => "data",
        }
    }
}

/// The container formats that the table's types come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Mp4,
    QuickTime,
    M4a,
    Avi,
    Matroska,
    WebM,
    Wmv,
    Wma,
    Flv,
    Mxf,
    MpegAudio,
    Wav,
    Adts,
    Flac,
    Ogg,
    Aiff,
    Jpeg,
    Png,
    Gif,
    Bmp,
    Tiff,
    WebP,
    Svg,
    Json,
}

/// One type that may be uploaded. All of them are in [`MediaType::ALL`].
#[derive(Debug, PartialEq, Eq)]
pub struct MediaType {
    /// The MIME type under which the file is stored and served.
    pub mime: &'static str,
    /// Other MIME types by which clients declare the same.
    pub aliases: &'static [&'static str],
    /// What the file is for.
    pub kind: MediaKind,
    /// File name extensions without the dot, in lower case.
    pub extensions: &'static [&'static str],
    pub(crate) format: Format,
}

/// Why a declared type is refused before any byte is sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclaredTypeError {
    /// Neither the MIME type nor the extension is one that may be uploaded. Holds the MIME type.
    #[error("files of type {0:?} cannot be uploaded")]
    NotAllowed(String),
    /// The MIME type may be uploaded, but not under this file name.
    #[error("a file of type {mime:?} cannot have the extension {extension:?}")]
    Disagree {
        /// The declared MIME type.
        mime: String,
        /// The file name's extension, in lower case; empty when it has none.
        extension: String,
    },
}

const fn media(
    format: Format,
    kind: MediaKind,
    mime: &'static str,
    aliases: &'static [&'static str],
    extensions: &'static [&'static str],
) -> MediaType {
    MediaType {
        mime,
        aliases,
        kind,
        extensions,
        format,
    }
}

use Format as F;
use MediaKind::{Audio, Data, Image, Video};

// Where a MIME type or extension is listed twice, the first row that fits both is taken.
#[rustfmt::skip]
static TABLE: [MediaType; 24] = [
    media(F::Mp4,       Video, "video/mp4",        &["video/x-m4v", "application/mp4"], &["mp4", "m4v"]),
    media(F::QuickTime, Video, "video/quicktime",  &["video/x-quicktime"], &["mov", "qt"]),
    media(F::Avi,       Video, "video/x-msvideo",  &["video/avi", "video/msvideo", "video/vnd.avi"], &["avi"]),
    media(F::Matroska,  Video, "video/x-matroska", &["video/matroska", "application/x-matroska"], &["mkv"]),
    media(F::Wmv,       Video, "video/x-ms-wmv",   &["video/x-ms-asf"], &["wmv"]),
    media(F::Flv,       Video, "video/x-flv",      &["video/flv"], &["flv"]),
    media(F::WebM,      Video, "video/webm",       &[], &["webm"]),
    media(F::Mxf,       Video, "application/mxf",  &["video/mxf", "video/x-mxf"], &["mxf"]),
    media(F::MpegAudio, Audio, "audio/mpeg",       &["audio/mp3", "audio/x-mp3", "audio/mpeg3", "audio/x-mpeg"], &["mp3"]),
    media(F::Wav,       Audio, "audio/wav",        &["audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"], &["wav", "wave"]),
    media(F::Adts,      Audio, "audio/aac",        &["audio/x-aac", "audio/aacp", "audio/x-hx-aac-adts", "audio/vnd.dlna.adts"], &["aac"]),
    media(F::M4a,       Audio, "audio/mp4",        &["audio/x-m4a", "audio/m4a", "audio/aac"], &["m4a", "mp4"]),
    media(F::Flac,      Audio, "audio/flac",       &["audio/x-flac"], &["flac"]),
    media(F::Ogg,       Audio, "audio/ogg",        &["application/ogg", "audio/vorbis", "audio/opus"], &["ogg", "oga", "opus"]),
    media(F::Wma,       Audio, "audio/x-ms-wma",   &["video/x-ms-asf"], &["wma"]),
    media(F::Aiff,      Audio, "audio/aiff",       &["audio/x-aiff"], &["aiff", "aif", "aifc"]),
    media(F::Jpeg,      Image, "image/jpeg",       &["image/jpg", "image/pjpeg"], &["jpg", "jpeg"]),
    media(F::Png,       Image, "image/png",        &["image/x-png"], &["png"]),
    media(F::Gif,       Image, "image/gif",        &[], &["gif"]),
    media(F::Bmp,       Image, "image/bmp",        &["image/x-ms-bmp", "image/x-bmp"], &["bmp"]),
    media(F::Tiff,      Image, "image/tiff",       &["image/x-tiff"], &["tiff", "tif"]),
    media(F::WebP,      Image, "image/webp",       &[], &["webp"]),
    media(F::Svg,       Image, "image/svg+xml",    &[], &["svg"]),
    media(F::Json,      Data,  "application/json", &["text/json"], &["json"]),
];

impl MediaType {
    /// Every type that may be uploaded.
    pub const ALL: &'static [Self] = &TABLE;

    /// The type of a stored MIME type, aliases included; parameters and case do not matter.
    pub fn of_mime(mime: &str) -> Option<&'static Self> {
        let mime = essence(mime);
        TABLE
            .iter()
            .find(|t| t.mime == mime)
            .or_else(|| TABLE.iter().find(|t| t.is_called(&mime)))
    }

    pub(crate) fn of_format(format: Format) -> Option<&'static Self> {
        TABLE.iter().find(|t| t.format == format)
    }

    fn is_called(&self, mime: &str) -> bool {
        self.mime == mime || self.aliases.contains(&mime)
    }
}

/// The type that a client declares by MIME type and file name, which must agree.
///
/// An empty MIME type and `application/octet-stream` mean that the client does not know (browsers say so of MXF and
/// MKV): the extension alone decides then.
///
/// # Errors
/// The type is not on the list, or MIME type and extension disagree.
pub fn declared(mime: &str, file_name: &str) -> Result<&'static MediaType, DeclaredTypeError> {
    let mime = essence(mime);
    let extension = Path::new(file_name)
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let unknown = mime.is_empty() || mime == "application/octet-stream";
    let found = TABLE
        .iter()
        .find(|t| t.extensions.contains(&extension.as_str()) && (unknown || t.is_called(&mime)));
    found.ok_or_else(|| {
        if unknown || !TABLE.iter().any(|t| t.is_called(&mime)) {
            DeclaredTypeError::NotAllowed(mime)
        } else {
            DeclaredTypeError::Disagree { mime, extension }
        }
    })
}

/// Whether a file that was declared as one type may hold the bytes of another.
///
/// The same type always; within MP4, MOV and M4A any (one structure, and writers are careless with brands); WebM in a
/// file declared as Matroska, of which it is a subset. Windows Media video and audio are told apart by their streams.
pub fn matches(declared: &MediaType, sniffed: &MediaType) -> bool {
    let is_isobmff = |t: &MediaType| matches!(t.format, F::Mp4 | F::QuickTime | F::M4a);
    declared.format == sniffed.format
        || (is_isobmff(declared) && is_isobmff(sniffed))
        || (declared.format == F::Matroska && sniffed.format == F::WebM)
}

/// A MIME type without parameters, in lower case.
fn essence(mime: &str) -> String {
    mime.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_own_names() {
        for row in MediaType::ALL {
            for extension in row.extensions {
                let found = declared(row.mime, &format!("Clip.{}", extension.to_uppercase()));
                assert_eq!(found.unwrap().mime, row.mime, "{extension}");
            }
            assert_eq!(MediaType::of_mime(row.mime).unwrap().mime, row.mime);
            assert!(matches(row, row));
            assert!(std::ptr::eq(MediaType::of_format(row.format).unwrap(), row));
        }
    }

    #[test]
    fn aliases_and_parameters_are_understood() {
        for (mime, name, expected) in [
            ("audio/x-wav", "a.wav", "audio/wav"),
            ("video/matroska", "a.mkv", "video/x-matroska"),
            ("image/jpg", "a.b.JPEG", "image/jpeg"),
            ("Video/MP4; codecs=\"avc1\"", "a.m4v", "video/mp4"),
            ("audio/mp4", "a.mp4", "audio/mp4"),
            ("audio/aac", "a.m4a", "audio/mp4"),
            ("video/x-ms-asf", "a.wma", "audio/x-ms-wma"),
            ("", "a.mxf", "application/mxf"),
            ("application/octet-stream", "a.mp4", "video/mp4"),
        ] {
            assert_eq!(
                declared(mime, name).map(|t| t.mime),
                Ok(expected),
                "{mime} {name}"
            );
        }
    }

    #[test]
    fn what_is_not_listed_or_disagrees_is_refused() {
        for (mime, name) in [
            ("text/html", "a.html"),
            ("text/html", "a.mp4"),
            ("application/pdf", "a.pdf"),
            ("", "a.exe"),
            ("", ""),
            ("application/octet-stream", "mp4"),
        ] {
            let refused = declared(mime, name).unwrap_err();
            assert!(
                matches!(refused, DeclaredTypeError::NotAllowed(_)),
                "{mime} {name}"
            );
        }
        for (mime, name) in [
            ("video/mp4", "a.mov"),
            ("video/mp4", "a.mp4.exe"),
            ("image/png", "png"),
            ("image/png", ".png"),
            ("image/svg+xml", "a.png"),
        ] {
            let refused = declared(mime, name).unwrap_err();
            assert!(
                matches!(refused, DeclaredTypeError::Disagree { .. }),
                "{mime} {name}"
            );
        }
    }

    #[test]
    fn families_match_and_strangers_do_not() {
        let of = |mime| MediaType::of_mime(mime).unwrap();
        for (declared, sniffed, expected) in [
            ("video/mp4", "video/quicktime", true),
            ("audio/mp4", "video/mp4", true),
            ("video/x-matroska", "video/webm", true),
            ("video/webm", "video/x-matroska", false),
            ("video/x-ms-wmv", "audio/x-ms-wma", false),
            ("image/jpeg", "image/gif", false),
            ("audio/aac", "audio/mp4", false),
        ] {
            assert_eq!(
                matches(of(declared), of(sniffed)),
                expected,
                "{declared} {sniffed}"
            );
        }
    }
}
