//! Times of blocks, read from their headers alone.

use super::ebml::{Elements, variable};
use super::track::Entry;
use crate::cadence::Cadence;
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::TrackKind;
use crate::rational::Rational;
use crate::source::Source;

const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const BLOCK_GROUP: u32 = 0xa0;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK: u32 = 0xa1;

/// Frames of a track that are enough to tell its rate.
const FRAMES: usize = 512;

/// Frames that a decoder may reorder: at the end of what was read some in between may be missing.
const REORDERED: usize = 16;

/// Blocks looked at to find those frames, among the blocks of other tracks.
const BLOCKS: usize = 16 * 1024;

/// A block's track number and time in ticks of the segment.
struct Block {
    track: u64,
    ticks: u64,
}

/// The blocks of all clusters. Clusters and groups are entered, not descended into, so those without a size do no harm.
struct Blocks {
    elements: Elements,
    cluster_ticks: u64,
}

impl Blocks {
    fn next(&mut self, source: &mut Source) -> Result<Option<Block>, ProbeError> {
        while let Some(element) = self.elements.next(source)? {
            match element.id {
                CLUSTER | BLOCK_GROUP => self.elements.enter(&element),
                TIMESTAMP => self.cluster_ticks = element.unsigned(source)?,
                SIMPLE_BLOCK | BLOCK => {
                    let head = source.up_to(element.start, 10)?;
                    let Some((track, len, _)) = variable(&head, false, 8) else {
                        continue;
                    };
                    let mut fields = Fields(head.get(len..).unwrap_or_default());
                    let Some(offset) = fields.u16() else { continue };
                    let offset = i64::from(offset.cast_signed());
                    let ticks = self.cluster_ticks.saturating_add_signed(offset);
                    return Ok(Some(Block { track, ticks }));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

/// Sets the frame rates of video tracks: from the declared duration of a frame where there is one, else from blocks.
pub(super) fn time_frames(
    source: &mut Source,
    clusters: Elements,
    tick_ns: u64,
    entries: &mut [Entry],
) -> Result<(), ProbeError> {
    let mut videos: Vec<(&mut Entry, Vec<u64>)> = entries
        .iter_mut()
        .filter(|entry| entry.track.kind == TrackKind::Video)
        .map(|entry| (entry, Vec::new()))
        .collect();
    if videos.is_empty() {
        return Ok(());
    }
    let mut blocks = Blocks {
        elements: clusters,
        cluster_ticks: 0,
    };
    for _ in 0..BLOCKS {
        if videos.iter().all(|(_, ticks)| ticks.len() == FRAMES) {
            break;
        }
        let Some(block) = blocks.next(source)? else {
            break;
        };
        let video = videos
            .iter_mut()
            .find(|(entry, _)| entry.number == block.track);
        if let Some((_, ticks)) = video.filter(|(_, ticks)| ticks.len() < FRAMES) {
            ticks.push(block.ticks);
        }
    }
    for (entry, mut ticks) in videos {
        let is_partial = ticks.len() == FRAMES;
        ticks.sort_unstable();
        if is_partial {
            ticks.truncate(FRAMES - REORDERED);
        }
        let between = ticks.windows(2).filter_map(|pair| match pair {
            [before, after] => Some(after.saturating_sub(*before).saturating_mul(tick_ns)),
            _ => None,
        });
        set_rate(entry, between, tick_ns);
    }
    Ok(())
}

fn set_rate(entry: &mut Entry, between_ns: impl Iterator<Item = u64>, tick_ns: u64) {
    let track = &mut entry.track;
    if let Some(frame_ns) = entry.frame_ns {
        track.frame_rate = Rational::nearest(1_000_000_000, frame_ns).map(Rational::snapped);
        track.average_frame_rate = track.frame_rate;
        track.is_vfr = between_ns
            .into_iter()
            .any(|ns| ns.abs_diff(frame_ns) > tick_ns);
        return;
    }
    let mut cadence = Cadence::default();
    for ns in between_ns {
        cadence.push(ns, 1);
    }
    let rate = cadence.frame_rate(1_000_000_000, tick_ns);
    track.frame_rate = rate.nominal;
    track.average_frame_rate = rate.average.map(Rational::snapped);
    track.is_vfr = rate.is_variable;
}

/// The time of the last block in ticks, for recordings whose writer did not come back to note their length.
pub(super) fn last_ticks(
    source: &mut Source,
    clusters: Elements,
) -> Result<Option<u64>, ProbeError> {
    let mut blocks = Blocks {
        elements: clusters,
        cluster_ticks: 0,
    };
    let mut last = None;
    loop {
        match blocks.next(source) {
            Ok(Some(block)) => last = last.max(Some(block.ticks)),
            Ok(None) => return Ok(last),
            // Too many blocks to walk, or damage in the middle: the length stays unknown.
            Err(ProbeError::TooComplex | ProbeError::Malformed(_)) => return Ok(None),
            Err(e) => return Err(e),
        }
    }
}
