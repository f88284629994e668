//! One track of a movie (`trak`): its header, edit list and sample tables.

use super::boxes::BoxHeader;
use super::sample_entry::{self, SampleEntry};
use super::{language, table};
use crate::cadence::Cadence;
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::{Track, TrackKind, micros};
use crate::source::Source;

/// A track while its tables and fragments are being added up.
#[derive(Debug, Default)]
pub(super) struct Trak {
    pub(super) id: u32,
    pub(super) track: Track,
    /// Ticks a second of this track's times.
    pub(super) timescale: u64,
    pub(super) cadence: Cadence,
    /// Bytes of all samples.
    bytes: u64,
    pub(super) entry: SampleEntry,
    /// Offset of the first chunk, for a timecode's one sample.
    pub(super) first_chunk: Option<u64>,
    /// Time of the first sample shown, in ticks.
    start: u64,
    /// Where the edit list begins in the media, in ticks.
    media_time: u64,
    declared_ticks: u64,
    /// Whether samples came in fragments; these times are in ticks: where the first begins, the next, and the last ends.
    is_fragmented: bool,
    first: u64,
    position: u64,
    end: u64,
    /// Sum of the edits in ticks of the movie; zero where an edit runs to the end.
    edited: Option<u64>,
}

impl Trak {
    /// Reads a `trak` box.
    pub(super) fn read(source: &mut Source, trak: &BoxHeader) -> Result<Self, ProbeError> {
        let mut this = Self::default();
        let (mut edits, mut media) = (None, None);
        let mut boxes = trak.children(0);
        while let Some(child) = boxes.next(source)? {
            match &child.kind {
                b"tkhd" => this.read_header(&child.content(source, 96)?),
                b"edts" => edits = child.children(0).find(source, *b"elst")?,
                b"mdia" => media = Some(child),
                _ => {}
            }
        }
        if let Some(media) = media {
            this.read_media(source, &media)?;
        }
        if let Some(edits) = edits {
            this.read_edits(source, &edits)?;
        }
        this.end = this.cadence.ticks();
        Ok(this)
    }

    fn read_header(&mut self, content: &[u8]) {
        let mut fields = Fields(content);
        let long = fields.u32().is_some_and(|version| version >> 24 == 1);
        fields.skip(if long { 16 } else { 8 });
        self.id = fields.u32().unwrap_or(0);
        fields.skip(if long { 28 } else { 24 });
        self.track.rotation = rotation(fields).unwrap_or(0);
    }

    fn read_media(&mut self, source: &mut Source, media: &BoxHeader) -> Result<(), ProbeError> {
        let mut information = None;
        let mut boxes = media.children(0);
        while let Some(child) = boxes.next(source)? {
            match &child.kind {
                b"mdhd" => self.read_media_header(&child.content(source, 36)?),
                b"hdlr" => {
                    let handler = child.content(source, 12)?;
                    self.track.kind = kind(handler.get(8..12).unwrap_or_default());
                }
                b"minf" => information = Some(child),
                _ => {}
            }
        }
        let Some(information) = information else {
            return Ok(());
        };
        let Some(tables) = information.children(0).find(source, *b"stbl")? else {
            return Ok(());
        };
        let mut boxes = tables.children(0);
        while let Some(child) = boxes.next(source)? {
            match &child.kind {
                b"stsd" => self.entry = sample_entry::read(source, &child, &mut self.track)?,
                b"stts" => self.read_durations(source, &child)?,
                b"stsz" => self.read_sizes(source, &child)?,
                b"stco" => {
                    let offset = source.array(child.start + 8)?.map(u32::from_be_bytes);
                    self.first_chunk = offset.map(u64::from);
                }
                b"co64" => {
                    self.first_chunk = source.array(child.start + 8)?.map(u64::from_be_bytes);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_media_header(&mut self, content: &[u8]) {
        let mut fields = Fields(content);
        let long = fields.u32().is_some_and(|version| version >> 24 == 1);
        fields.skip(if long { 16 } else { 8 });
        self.timescale = fields.u32().map_or(0, u64::from);
        self.declared_ticks = duration(&mut fields, long).unwrap_or(0);
        self.track.language = fields.u16().and_then(language::of);
    }

    fn read_durations(&mut self, source: &mut Source, stts: &BoxHeader) -> Result<(), ProbeError> {
        let count = count_at(source, stts, 4)?;
        table::for_each(source, stts, 8, 8, count, |mut entry| {
            if let (Some(samples), Some(ticks)) = (entry.u32(), entry.u32()) {
                self.cadence.push(u64::from(ticks), u64::from(samples));
            }
        })
    }

    fn read_sizes(&mut self, source: &mut Source, stsz: &BoxHeader) -> Result<(), ProbeError> {
        let each = count_at(source, stsz, 4)?;
        let count = count_at(source, stsz, 8)?;
        if each > 0 {
            self.bytes = u64::from(each) * u64::from(count);
            return Ok(());
        }
        table::for_each(source, stsz, 12, 4, count, |mut entry| {
            self.bytes = self.bytes.saturating_add(entry.u32().map_or(0, u64::from));
        })
    }

    fn read_edits(&mut self, source: &mut Source, elst: &BoxHeader) -> Result<(), ProbeError> {
        let long = count_at(source, elst, 0)? >> 24 == 1;
        let count = count_at(source, elst, 4)?;
        let (mut total, mut begins) = (Some(0_u64), None);
        table::for_each(
            source,
            elst,
            8,
            if long { 20 } else { 12 },
            count,
            |mut entry| {
                let length = duration(&mut entry, long).unwrap_or(0);
                // A media time of -1 is a pause, which lengthens the movie but not the track.
                let time = if long {
                    entry.u64()
                } else {
                    entry.i32().map(i64::from).map(i64::cast_unsigned)
                };
                let Some(time) = time.filter(|&time| time < u64::MAX / 2) else {
                    return;
                };
                begins.get_or_insert(time);
                total = total
                    .filter(|_| length > 0)
                    .and_then(|sum| sum.checked_add(length));
            },
        )?;
        self.media_time = begins.unwrap_or(0);
        self.edited = total.filter(|&ticks| ticks > 0);
        Ok(())
    }

    /// Goes on behind the samples so far, or at the decoding time that a fragment names, in ticks.
    pub(super) fn go_to(&mut self, decode_time: Option<u64>) {
        self.position = decode_time.unwrap_or(self.end);
    }

    /// Adds samples of a fragment that last `ticks` each, take `bytes` each and are shown `offset` ticks late.
    pub(super) fn add_samples(&mut self, count: u32, ticks: u32, bytes: u32, offset: i32) {
        let (count, ticks) = (u64::from(count), u64::from(ticks));
        if self.cadence.frames() == 0 {
            self.first = self.position;
            self.start = self.position.saturating_add_signed(i64::from(offset));
        }
        self.is_fragmented = true;
        self.cadence.push(ticks, count);
        self.bytes = self.bytes.saturating_add(count * u64::from(bytes));
        self.position = self.position.saturating_add(count * ticks);
        self.end = self.end.max(self.position);
    }

    /// Length in ticks: what fragments span, else what the tables or the header say, whichever is less.
    fn length(&self) -> u64 {
        let summed = self.cadence.ticks();
        if self.is_fragmented {
            self.end.saturating_sub(self.first)
        } else if self.declared_ticks > 0 && (summed == 0 || self.declared_ticks < summed) {
            self.declared_ticks
        } else {
            summed
        }
    }

    /// Whether this is sound stored as a plain run of samples, whose table holds one tick for each.
    fn is_plain_sound(&self) -> bool {
        self.entry.bytes_per_frame.is_some()
            && self.cadence.ticks() == self.cadence.frames()
            && self.cadence.frames() > 0
    }

    /// Turns the sums into the track's rates and lengths. Gives the track and its end in microseconds.
    pub(super) fn finish(mut self, movie_timescale: u64) -> (Track, Option<u64>) {
        let length = self.length();
        let track = &mut self.track;
        if track.kind == TrackKind::Video {
            let rate = self.cadence.frame_rate(self.timescale, 1);
            track.frame_rate = rate.nominal;
            track.average_frame_rate = rate.average;
            track.is_vfr = rate.is_variable;
        }
        if track.kind == TrackKind::Audio && track.sample_rate.is_none() {
            track.sample_rate = u32::try_from(self.timescale).ok().filter(|&rate| rate > 1);
        }
        let summed = if self.is_fragmented {
            self.cadence.ticks()
        } else {
            length
        };
        track.bit_rate = bit_rate(self.bytes, summed, self.timescale);
        let plain = self.is_plain_sound();
        let track = &mut self.track;
        if plain && let (Some(bytes), Some(rate)) = (self.entry.bytes_per_frame, track.sample_rate)
        {
            track.bit_rate = Some(u64::from(bytes) * u64::from(rate) * 8);
        }
        let whole = micros(length, self.timescale);
        let edited = self.edited.and_then(|ticks| micros(ticks, movie_timescale));
        track.duration_us = match (whole, edited) {
            (Some(whole), Some(edited)) if !self.is_fragmented => Some(whole.min(edited)),
            (whole, _) => whole,
        }
        .filter(|&us| us > 0);
        let start = micros(self.start.saturating_sub(self.media_time), self.timescale);
        let end = track
            .duration_us
            .map(|us| us.saturating_add(start.unwrap_or(0)));
        (self.track, end)
    }
}

/// Bits a second of samples, rounded down.
fn bit_rate(bytes: u64, ticks: u64, timescale: u64) -> Option<u64> {
    let bits = u128::from(bytes) * 8 * u128::from(timescale);
    bits.checked_div(u128::from(ticks))
        .and_then(|rate| u64::try_from(rate).ok())
        .filter(|&r| r > 0)
}

/// A duration of 32 or 64 bits; all ones mean unknown.
fn duration(fields: &mut Fields<'_>, long: bool) -> Option<u64> {
    if long {
        fields.u64().filter(|&ticks| ticks != u64::MAX)
    } else {
        fields
            .u32()
            .filter(|&ticks| ticks != u32::MAX)
            .map(u64::from)
    }
}

/// The number of 32 bits `skip` bytes into a box, 0 where the box ends before.
pub(super) fn count_at(
    source: &mut Source,
    table: &BoxHeader,
    skip: u64,
) -> Result<u32, ProbeError> {
    if table.len() < skip + 4 {
        return Ok(0);
    }
    Ok(source
        .array(table.start + skip)?
        .map_or(0, u32::from_be_bytes))
}

/// Degrees clockwise of a display matrix (ISO/IEC 14496-12, 6.2.2) that turns by quarters.
fn rotation(mut matrix: Fields<'_>) -> Option<u16> {
    let (a, b) = (matrix.i32()?, matrix.i32()?);
    matrix.skip(4)?;
    let (c, d) = (matrix.i32()?, matrix.i32()?);
    Some(match (a.signum(), b.signum(), c.signum(), d.signum()) {
        (0, 1, -1, 0) => 90,
        (-1, 0, 0, -1) => 180,
        (0, -1, 1, 0) => 270,
        _ => 0,
    })
}

fn kind(handler: &[u8]) -> TrackKind {
    match handler {
        b"vide" => TrackKind::Video,
        b"soun" => TrackKind::Audio,
        b"sbtl" | b"subt" | b"subp" | b"text" | b"clcp" => TrackKind::Subtitle,
        b"tmcd" => TrackKind::Timecode,
        _ => TrackKind::Data,
    }
}
