//! Sample descriptions (`stsd`): which codec a track has, and what its configuration says.

use super::boxes::{BoxHeader, Boxes};
use super::{codec, esds};
use crate::codec_config;
use crate::color;
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::{Track, TrackKind};
use crate::rational::Rational;
use crate::source::Source;

/// Most bytes read of one configuration box.
const CONFIGURATION: usize = 64 * 1024;

/// How a timecode track counts (QuickTime File Format, timecode sample description).
#[derive(Clone, Copy, Debug)]
pub(super) struct TimecodeFormat {
    pub(super) drop_frame: bool,
    pub(super) frames_per_second: u32,
}

/// What the first sample description told beside what went into the track.
#[derive(Debug, Default)]
pub(super) struct SampleEntry {
    pub(super) timecode: Option<TimecodeFormat>,
    /// Bytes of one moment of uncompressed sound, all channels.
    pub(super) bytes_per_frame: Option<u32>,
}

/// Reads the first sample description of an `stsd` box into `track`, whose kind is known.
pub(super) fn read(
    source: &mut Source,
    stsd: &BoxHeader,
    track: &mut Track,
) -> Result<SampleEntry, ProbeError> {
    let Some(entry) = stsd.children(8).next(source)? else {
        return Ok(SampleEntry::default());
    };
    track.codec_tag = Some(printable(entry.kind));
    let kind = track.kind;
    codec::name(kind, entry.kind)
        .unwrap_or("unknown")
        .clone_into(&mut track.codec);
    let fields = entry.content(source, 128)?;
    let fields = Fields(fields.get(8..).unwrap_or_default());
    Ok(match kind {
        TrackKind::Video => {
            read_video(source, &entry, fields, track)?;
            SampleEntry::default()
        }
        TrackKind::Audio => read_audio(source, &entry, fields, track)?,
        TrackKind::Timecode => SampleEntry {
            timecode: timecode(fields),
            ..SampleEntry::default()
        },
        TrackKind::Subtitle | TrackKind::Data => SampleEntry::default(),
    })
}

fn read_video(
    source: &mut Source,
    entry: &BoxHeader,
    mut fields: Fields<'_>,
    track: &mut Track,
) -> Result<(), ProbeError> {
    fields.skip(16);
    track.width = fields.u16().filter(|&n| n > 0).map(u32::from);
    track.height = fields.u16().filter(|&n| n > 0).map(u32::from);
    track.profile = codec::prores_profile(entry.kind).map(str::to_owned);
    let mut boxes = entry.children(78);
    while let Some(child) = boxes.next(source)? {
        match &child.kind {
            b"avcC" => {
                let content = child.content(source, 4)?;
                track.profile = codec_config::avc_profile(&content).map(str::to_owned);
            }
            b"hvcC" => {
                let content = child.content(source, 8)?;
                track.profile = codec_config::hevc_profile(&content).map(str::to_owned);
            }
            b"esds" => {
                let content = child.content(source, CONFIGURATION)?;
                if let Some(name) = esds::read(&content).and_then(|config| config.codec) {
                    name.clone_into(&mut track.codec);
                }
            }
            b"colr" => track.color = color::from_colr(&child.content(source, 11)?),
            b"pasp" => {
                let content = child.content(source, 8)?;
                let mut fields = Fields(&content);
                track.sample_aspect_ratio = fields
                    .u32()
                    .zip(fields.u32())
                    .and_then(|(h, v)| Rational::new(h, v))
                    .filter(|ratio| ratio.num() != ratio.den());
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_audio(
    source: &mut Source,
    entry: &BoxHeader,
    mut fields: Fields<'_>,
    track: &mut Track,
) -> Result<SampleEntry, ProbeError> {
    let version = fields.u16().unwrap_or(0);
    fields.skip(6);
    track.channels = fields.u16().map(u32::from);
    let mut bits = fields.u16().map_or(0, u32::from);
    fields.skip(4);
    track.sample_rate = fields
        .u32()
        .map(|fixed| fixed >> 16)
        .filter(|&rate| rate > 0);
    let mut format_flags = None;
    // QuickTime's longer forms (QuickTime File Format, sound sample description version 1 and 2).
    let skip = match version {
        1 => 28 + 16,
        2 => {
            fields.skip(4);
            track.sample_rate = fields.u64().and_then(whole_hertz);
            track.channels = fields.u32();
            fields.skip(4);
            bits = fields.u32().unwrap_or(bits);
            format_flags = fields.u32();
            28 + 36
        }
        _ => 28,
    };
    let mut sound = Sound {
        bits,
        little_endian: false,
    };
    read_sound_boxes(source, entry.children(skip), true, track, &mut sound)?;
    if track.codec == "opus" {
        track.sample_rate = Some(48_000);
    }
    let Some(pcm) = codec::pcm(entry.kind, sound.bits, sound.little_endian, format_flags) else {
        return Ok(SampleEntry::default());
    };
    pcm.name.clone_into(&mut track.codec);
    let bytes_per_frame = track
        .channels
        .and_then(|channels| channels.checked_mul(pcm.bytes));
    Ok(SampleEntry {
        bytes_per_frame,
        ..SampleEntry::default()
    })
}

/// How uncompressed samples are laid out, as far as boxes say.
struct Sound {
    bits: u32,
    little_endian: bool,
}

/// Reads the boxes behind a sound description; QuickTime keeps them one level down, in `wave`.
fn read_sound_boxes(
    source: &mut Source,
    mut boxes: Boxes,
    is_outer: bool,
    track: &mut Track,
    sound: &mut Sound,
) -> Result<(), ProbeError> {
    while let Some(child) = boxes.next(source)? {
        match &child.kind {
            b"wave" if is_outer => {
                read_sound_boxes(source, child.children(0), false, track, sound)?;
            }
            b"enda" => {
                sound.little_endian = child.content(source, 2)?.last().is_some_and(|&b| b != 0);
            }
            b"esds" => read_esds(&child.content(source, CONFIGURATION)?, track),
            b"dfLa" => read_stream_info(&child.content(source, 64)?, track),
            b"pcmC" => {
                let content = child.content(source, 6)?;
                sound.little_endian = content.get(4).is_some_and(|flags| flags & 1 == 1);
                sound.bits = content.get(5).map_or(sound.bits, |&bits| u32::from(bits));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_esds(content: &[u8], track: &mut Track) {
    let Some(config) = esds::read(content) else {
        return;
    };
    if let Some(name) = config.codec {
        name.clone_into(&mut track.codec);
    }
    if let Some(aac) = config.aac.filter(|_| track.codec == "aac") {
        track.profile = aac.profile.map(str::to_owned);
        track.sample_rate = Some(aac.sample_rate);
        track.channels = aac.channels.or(track.channels);
    }
}

/// FLAC's own stream information is truer than the box's 16 bits (FLAC in ISOBMFF, 3.3.2).
fn read_stream_info(content: &[u8], track: &mut Track) {
    if let Some(info) = content.get(8..).and_then(codec_config::flac_stream_info) {
        track.sample_rate = Some(info.sample_rate);
        track.channels = Some(info.channels);
    }
}

fn timecode(mut fields: Fields<'_>) -> Option<TimecodeFormat> {
    fields.skip(4)?;
    let flags = fields.u32()?;
    fields.skip(8)?;
    let frames_per_second = u32::from(fields.u8()?);
    (frames_per_second > 0).then_some(TimecodeFormat {
        drop_frame: flags & 1 == 1,
        frames_per_second,
    })
}

/// A sample rate given as a double of 64 bits, when it can be one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and what is no plausible rate is left out"
)]
fn whole_hertz(bits: u64) -> Option<u32> {
    Some(f64::from_bits(bits) as u32).filter(|hertz| (1..=1_000_000).contains(hertz))
}

fn printable(kind: [u8; 4]) -> String {
    kind.iter()
        .flat_map(|byte| std::ascii::escape_default(*byte))
        .map(char::from)
        .collect()
}
