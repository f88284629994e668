//! What can go wrong while a file is looked at.

use std::io;

/// Why a file could not be probed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The type is on the allow-list, but this crate cannot read its structure. Names the type.
    #[error("probing {0} is not available")]
    Unsupported(&'static str),
    /// The bytes break the rules of their format, or end too early. Says which rule.
    #[error("malformed file: {0}")]
    Malformed(&'static str),
    /// The structure would take more reading than any honest file needs.
    #[error("the file's structure is too complex to be read")]
    TooComplex,
    /// An image's dimensions or its decoding need more than the limits allow.
    #[error("the image is too large to be read")]
    TooLarge,
    /// The file could not be read.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
}

/// Why a thumbnail could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThumbnailError {
    /// No picture can be made of this type here (for instance SVG). Holds what was found.
    #[error("no thumbnail can be made of {0}")]
    Unsupported(String),
    /// The picture is over the limit of pixels, file size or memory.
    #[error("the image is too large for a thumbnail")]
    TooLarge,
    /// The picture's bytes could not be decoded.
    #[error("the image could not be decoded: {0}")]
    Malformed(String),
    /// ffmpeg ran, but gave no picture. Holds the end of what it said.
    #[error("ffmpeg gave no picture: {0}")]
    NoFrame(String),
    /// ffmpeg did not finish in time and was ended.
    #[error("ffmpeg did not finish in time")]
    TimedOut,
    /// A file could not be read or ffmpeg not be started.
    #[error("reading the file or starting ffmpeg failed")]
    Io(#[from] io::Error),
}
