//! Matroska and WebM (RFC 9559).
//!
//! The one crate that demuxes Matroska can loop for ever over a crafted seek head and takes what a length field says,
//! so these few elements are read here, under the same budget as every other format.

mod blocks;
mod codec;
pub(crate) mod ebml;
mod track;

use ebml::{Element, Elements};
use track::Entry;

use crate::error::ProbeError;
use crate::probe::Probe;
use crate::source::Source;

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TAGS: u32 = 0x1254_c367;
const CLUSTER: u32 = 0x1f43_b675;

/// Most tracks a file may have.
const MAX_TRACKS: usize = 256;

/// What the segment's top level holds.
struct Segment {
    tick_ns: u64,
    /// In ticks, as the writer noted it.
    duration: Option<f64>,
    entries: Vec<Entry>,
    timecode: Option<String>,
    /// Where the clusters are, up to the segment's end.
    clusters: Option<(u64, u64)>,
}

/// Reads the tracks of a segment.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let Some(container) = ebml::doc_type(source)? else {
        return Err(ProbeError::Malformed("there is no EBML header"));
    };
    let mut elements = Elements::of_file(source);
    let segment = loop {
        match elements.next(source)? {
            Some(element) if element.id == SEGMENT => break element,
            Some(_) => {}
            None => return Err(ProbeError::Malformed("there is no segment")),
        }
    };
    let mut segment = Segment::read(source, &segment)?;
    if segment.entries.is_empty() {
        return Err(ProbeError::Malformed("the segment has no tracks"));
    }
    let mut duration_us = segment
        .duration
        .and_then(|ticks| micros(ticks, segment.tick_ns));
    if let Some((at, end)) = segment.clusters {
        let clusters = Elements::between(at, end);
        match blocks::time_frames(source, clusters, segment.tick_ns, &mut segment.entries) {
            // Damage among the clusters takes nothing from what the headers say.
            Ok(()) | Err(ProbeError::TooComplex | ProbeError::Malformed(_)) => {}
            Err(e) => return Err(e),
        }
        if duration_us.is_none() {
            let last = blocks::last_ticks(source, Elements::between(at, end))?;
            duration_us = last.map(|ticks| ticks.saturating_mul(segment.tick_ns) / 1000);
        }
    }
    Ok(Probe {
        container,
        duration_us: duration_us.filter(|&us| us > 0),
        tracks: segment
            .entries
            .into_iter()
            .map(|entry| entry.track)
            .collect(),
        start_timecode: segment.timecode,
        ..Probe::default()
    })
}

impl Segment {
    fn read(source: &mut Source, segment: &Element) -> Result<Self, ProbeError> {
        let mut this = Self {
            tick_ns: 1_000_000,
            duration: None,
            entries: Vec::new(),
            timecode: None,
            clusters: None,
        };
        let mut elements = segment.children();
        loop {
            let at = elements.position();
            let element = match elements.next(source) {
                Ok(Some(element)) => element,
                Ok(None) => break,
                // Behind the first cluster everything wanted may have been seen already.
                Err(ProbeError::TooComplex | ProbeError::Malformed(_))
                    if this.clusters.is_some() =>
                {
                    break;
                }
                Err(e) => return Err(e),
            };
            match element.id {
                INFO => this.read_info(source, &element)?,
                TRACKS => this.read_tracks(source, &element)?,
                TAGS => this.timecode = timecode(source, &element)?,
                CLUSTER => {
                    this.clusters.get_or_insert((at, segment.end));
                    if element.is_open {
                        break;
                    }
                }
                _ => {}
            }
        }
        Ok(this)
    }

    fn read_info(&mut self, source: &mut Source, info: &Element) -> Result<(), ProbeError> {
        let mut fields = info.children();
        while let Some(field) = fields.next(source)? {
            match field.id {
                0x002a_d7b1 => self.tick_ns = field.unsigned(source)?.max(1),
                0x4489 => self.duration = Some(field.float(source)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_tracks(&mut self, source: &mut Source, tracks: &Element) -> Result<(), ProbeError> {
        let mut elements = tracks.children();
        while let Some(element) = elements.next(source)? {
            if element.id == TRACK_ENTRY {
                if self.entries.len() == MAX_TRACKS {
                    return Err(ProbeError::TooComplex);
                }
                self.entries.push(Entry::read(source, &element)?);
            }
        }
        Ok(())
    }
}

/// The tag TIMECODE of the segment or of a track.
fn timecode(source: &mut Source, tags: &Element) -> Result<Option<String>, ProbeError> {
    const TAG: u32 = 0x7373;
    const SIMPLE_TAG: u32 = 0x67c8;
    let mut elements = tags.children();
    while let Some(tag) = elements.next(source)? {
        if tag.id != TAG {
            continue;
        }
        let mut parts = tag.children();
        while let Some(part) = parts.next(source)? {
            if part.id == SIMPLE_TAG
                && let Some(value) = timecode_of(source, &part)?
            {
                return Ok(Some(value));
            }
        }
    }
    Ok(None)
}

/// The value of a tag that is called TIMECODE.
fn timecode_of(source: &mut Source, tag: &Element) -> Result<Option<String>, ProbeError> {
    const NAME: u32 = 0x45a3;
    const STRING: u32 = 0x4487;
    let (mut name, mut value) = (String::new(), None);
    let mut fields = tag.children();
    while let Some(field) = fields.next(source)? {
        match field.id {
            NAME => name = field.text(source)?,
            STRING => value = Some(field.text(source)?),
            _ => {}
        }
    }
    Ok(value.filter(|_| name.eq_ignore_ascii_case("timecode")))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the format's own numbers are doubles; the cast saturates, and nonsense is left out"
)]
fn micros(ticks: f64, tick_ns: u64) -> Option<u64> {
    let us = ticks * tick_ns as f64 / 1000.0;
    (1.0..1e18).contains(&us).then_some(us as u64)
}
