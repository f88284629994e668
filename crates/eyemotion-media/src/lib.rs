//! Looking into media files: which type their bytes are, what tracks they hold, and how they look in small.
//!
//! A support crate without database or HTTP. Every function reads a file and blocks; asynchronous programs call them
//! on a blocking thread. Nothing is believed: what a file declares about itself bounds neither memory nor time.

mod audio;
mod cadence;
mod codec_config;
mod color;
mod error;
mod fields;
mod image;
mod isobmff;
mod matroska;
mod media_type;
mod probe;
mod rational;
mod sniff;
mod source;
mod video;

pub use error::{ProbeError, ThumbnailError};
pub use image::{Thumbnail, image_thumbnail};
pub use media_type::{DeclaredTypeError, MediaKind, MediaType, declared, matches};
pub use probe::{Color, Probe, Track, TrackKind, probe};
pub use rational::{ParseRationalError, Rational};
pub use sniff::sniff;
pub use video::{find_ffmpeg, video_thumbnail};

/// Keeps the README's example compiling.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
