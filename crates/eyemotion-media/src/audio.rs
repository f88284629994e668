//! Sound files: each format's few headers, in samples rather than milliseconds so that lengths are exact.

pub(crate) mod aiff;
mod chunks;
pub(crate) mod flac;
pub(crate) mod frames;
pub(crate) mod mpeg;
pub(crate) mod ogg;
pub(crate) mod wav;

use crate::probe::{Probe, Track, TrackKind, micros};

/// A probe of one audio track with `samples` of each channel.
fn of_one_track(
    container: &str,
    codec: &str,
    sample_rate: u32,
    channels: u32,
    samples: Option<u64>,
) -> Probe {
    let duration_us = samples
        .and_then(|samples| micros(samples, u64::from(sample_rate)))
        .filter(|&us| us > 0);
    let track = Track {
        kind: TrackKind::Audio,
        codec: codec.to_owned(),
        sample_rate: Some(sample_rate),
        channels: Some(channels),
        duration_us,
        ..Track::default()
    };
    Probe {
        container: container.to_owned(),
        duration_us,
        tracks: vec![track],
        ..Probe::default()
    }
}
