//! MP4, MOV and M4A: the ISO base media file format and the QuickTime format it came from.
//!
//! Walks the boxes by their headers, wherever the movie header stands, and streams the sample tables. The crates that
//! parse this format hold whole movies in memory, fail a file for one box they do not like, and know no ProRes, no
//! QuickTime sound descriptions or no timecode; hence this reader of the few boxes that matter.

pub(crate) mod boxes;
mod codec;
mod esds;
mod fragments;
mod language;
mod sample_entry;
mod table;
mod timecode;
mod trak;

use boxes::{BoxHeader, Boxes};
use fragments::Extends;
use trak::Trak;

use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::{Probe, TrackKind, micros};
use crate::source::Source;

/// Most tracks a file may have.
const TRACKS: usize = 256;

/// The movie header box (`moov`) as far as it matters.
#[derive(Default)]
struct Movie {
    timescale: u64,
    ticks: u64,
    traks: Vec<Trak>,
    extends: Option<Extends>,
}

/// Reads the tracks of a movie.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let mut boxes = Boxes::of_file(source);
    let mut container = "mov";
    let mut movie = loop {
        let Some(found) = boxes.next(source)? else {
            return Err(ProbeError::Malformed(
                "there is no movie header; the file may be cut off",
            ));
        };
        match &found.kind {
            b"ftyp" => container = container_of(source.array(found.start)?.unwrap_or_default()),
            b"moov" if found.is_cut => {
                return Err(ProbeError::Malformed("the movie header is cut off"));
            }
            b"moov" => break read_movie(source, &found)?,
            _ => {}
        }
    };
    if movie.traks.is_empty() {
        return Err(ProbeError::Malformed("the movie has no tracks"));
    }
    let mut declared = Some(movie.ticks).filter(|&ticks| ticks > 0);
    let mut is_counted = true;
    if let Some(extends) = movie.extends.take() {
        declared = None;
        match extends.add_fragments(source, boxes, &mut movie.traks) {
            Ok(()) => {}
            // A recording of many hours: its sums are not known, but what was declared is.
            Err(ProbeError::TooComplex) => {
                declared = extends.duration;
                is_counted = false;
            }
            Err(e) => return Err(e),
        }
    }
    let start_timecode = start_timecode(source, &movie.traks)?;
    let mut probe = Probe {
        container: container.into(),
        start_timecode,
        ..Probe::default()
    };
    let (mut first, mut last) = (u64::MAX, 0);
    for trak in movie.traks {
        let (mut track, end) = trak.finish(movie.timescale);
        if let (Some(us), Some(end)) = (track.duration_us, end) {
            (first, last) = (first.min(end - us), last.max(end));
        }
        if !is_counted {
            (track.duration_us, track.bit_rate) = (None, None);
        }
        probe.tracks.push(track);
    }
    probe.duration_us = match declared.and_then(|ticks| micros(ticks, movie.timescale)) {
        Some(us) => Some(us),
        None if is_counted => last.checked_sub(first).filter(|&us| us > 0),
        None => None,
    };
    Ok(probe)
}

fn container_of(brand: [u8; 4]) -> &'static str {
    match &brand {
        b"qt  " => "mov",
        b"M4A " | b"M4B " => "m4a",
        _ => "mp4",
    }
}

fn read_movie(source: &mut Source, moov: &BoxHeader) -> Result<Movie, ProbeError> {
    let mut movie = Movie::default();
    let mut boxes = moov.children(0);
    while let Some(child) = boxes.next(source)? {
        match &child.kind {
            b"mvhd" => {
                let content = child.content(source, 32)?;
                let mut fields = Fields(&content);
                let long = fields.u32().is_some_and(|version| version >> 24 == 1);
                fields.skip(if long { 16 } else { 8 });
                movie.timescale = fields.u32().map_or(0, u64::from);
                let ticks = if long {
                    fields.u64().filter(|&ticks| ticks != u64::MAX)
                } else {
                    fields
                        .u32()
                        .filter(|&ticks| ticks != u32::MAX)
                        .map(u64::from)
                };
                movie.ticks = ticks.unwrap_or(0);
            }
            b"trak" => {
                if movie.traks.len() == TRACKS {
                    return Err(ProbeError::TooComplex);
                }
                movie.traks.push(Trak::read(source, &child)?);
            }
            b"mvex" => movie.extends = Some(Extends::read(source, &child)?),
            _ => {}
        }
    }
    Ok(movie)
}

/// The timecode of the first timecode track: its one sample is the number of the first frame.
fn start_timecode(source: &mut Source, traks: &[Trak]) -> Result<Option<String>, ProbeError> {
    for trak in traks
        .iter()
        .filter(|trak| trak.track.kind == TrackKind::Timecode)
    {
        if let (Some(format), Some(offset)) = (trak.entry.timecode, trak.first_chunk)
            && let Some(frame) = source.array(offset)?
        {
            return Ok(Some(timecode::at(u32::from_be_bytes(frame), format)));
        }
    }
    Ok(None)
}
