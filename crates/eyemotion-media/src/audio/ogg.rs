//! Ogg pages (RFC 3533) with Vorbis, Opus (RFC 7845), FLAC or Speex in them.

use crate::codec_config;
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::{Probe, Track, TrackKind, micros};
use crate::source::Source;

/// Bytes searched at the end for each stream's last page; a page has at most 65,307.
const TAIL: usize = 256 * 1024;

/// Most streams a file may have.
const STREAMS: usize = 64;

/// A stream as its first page tells it.
struct Stream {
    serial: u32,
    track: Track,
    /// Granules a second.
    clock: u32,
}

/// Header of a page.
struct Page {
    is_first: bool,
    granule: u64,
    serial: u32,
    header_len: usize,
    body_len: usize,
}

impl Page {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if &fields.array::<4>()? != b"OggS" || fields.u8()? != 0 {
            return None;
        }
        let is_first = fields.u8()? & 0x02 != 0;
        let granule = fields.u64_le()?;
        let serial = fields.u32_le()?;
        fields.skip(8)?;
        let segments = usize::from(fields.u8()?);
        let body_len = fields
            .take(segments)?
            .iter()
            .map(|&len| usize::from(len))
            .sum();
        Some(Self {
            is_first,
            granule,
            serial,
            header_len: 27 + segments,
            body_len,
        })
    }
}

/// Reads the streams of an Ogg file and where they end.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let mut streams = first_pages(source)?;
    if streams.is_empty() {
        return Err(ProbeError::Malformed("there is no known stream"));
    }
    let tail_start = source
        .len()
        .saturating_sub(u64::try_from(TAIL).unwrap_or(0));
    let tail = source.up_to(tail_start, TAIL)?;
    for stream in &mut streams {
        let last = last_granule(&tail, stream.serial);
        // Opus counts the few milliseconds at the start that are not played, and so does ffprobe.
        stream.track.duration_us = last
            .and_then(|samples| micros(samples, u64::from(stream.clock)))
            .filter(|&us| us > 0);
    }
    Ok(Probe {
        container: "ogg".into(),
        duration_us: streams
            .iter()
            .filter_map(|stream| stream.track.duration_us)
            .max(),
        tracks: streams.into_iter().map(|stream| stream.track).collect(),
        ..Probe::default()
    })
}

/// The pages that open a stream stand together at the start.
fn first_pages(source: &mut Source) -> Result<Vec<Stream>, ProbeError> {
    let (mut streams, mut at) = (Vec::new(), 0);
    for _ in 0..STREAMS {
        let bytes = source.up_to(at, 27 + 255 + 64)?;
        let Some(page) = Page::read(&bytes).filter(|page| page.is_first) else {
            break;
        };
        if let Some(packet) = bytes.get(page.header_len..)
            && let Some(stream) = open(page.serial, packet)
        {
            streams.push(stream);
        }
        at += u64::try_from(page.header_len + page.body_len).unwrap_or(0);
    }
    Ok(streams)
}

fn open(serial: u32, packet: &[u8]) -> Option<Stream> {
    let mut track = Track {
        kind: TrackKind::Audio,
        ..Track::default()
    };
    let mut fields = Fields(packet);
    let codec = if packet.starts_with(b"\x01vorbis") {
        fields.skip(11)?;
        track.channels = fields.u8().map(u32::from);
        track.sample_rate = fields.u32_le();
        fields.skip(4)?;
        track.bit_rate = fields
            .u32_le()
            .filter(|&rate| rate > 0 && rate < 1 << 31)
            .map(u64::from);
        "vorbis"
    } else if packet.starts_with(b"OpusHead") {
        fields.skip(9)?;
        track.channels = fields.u8().map(u32::from);
        track.sample_rate = Some(48_000);
        "opus"
    } else if packet.starts_with(b"\x7fFLAC") {
        let info = codec_config::flac_stream_info(packet.get(17..)?)?;
        (track.sample_rate, track.channels) = (Some(info.sample_rate), Some(info.channels));
        "flac"
    } else if packet.starts_with(b"Speex   ") {
        fields.skip(36)?;
        track.sample_rate = fields.u32_le();
        fields.skip(8)?;
        track.channels = fields.u32_le();
        "speex"
    } else {
        return None;
    };
    codec.clone_into(&mut track.codec);
    let clock = track.sample_rate.filter(|&rate| rate > 0)?;
    Some(Stream {
        serial,
        track,
        clock,
    })
}

/// Position at the end of a stream's last page; pages on which no packet ends have none.
fn last_granule(tail: &[u8], serial: u32) -> Option<u64> {
    let mut end = tail.len();
    while let Some(at) = tail
        .get(..end)?
        .windows(4)
        .rposition(|bytes| bytes == b"OggS")
    {
        let page = tail.get(at..).and_then(Page::read);
        if let Some(page) = page.filter(|page| page.serial == serial && page.granule != u64::MAX) {
            return Some(page.granule);
        }
        end = at + 3;
    }
    None
}
