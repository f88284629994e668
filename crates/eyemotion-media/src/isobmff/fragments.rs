//! Movie fragments (ISO/IEC 14496-12, 8.8): samples announced piecewise behind the movie header.

use super::boxes::{BoxHeader, Boxes};
use super::table;
use super::trak::{Trak, count_at};
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::source::Source;

/// What samples of a track are when a fragment does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    track_id: u32,
    duration: u32,
    size: u32,
}

/// Movie extends: the announcement that fragments follow.
#[derive(Debug, Default)]
pub(super) struct Extends {
    defaults: Vec<Defaults>,
    /// Length of the whole movie with its fragments in ticks of the movie, where the writer knew it.
    pub(super) duration: Option<u64>,
}

impl Extends {
    /// Reads an `mvex` box; more defaults than there may be tracks are left out.
    pub(super) fn read(source: &mut Source, mvex: &BoxHeader) -> Result<Self, ProbeError> {
        let mut this = Self::default();
        let mut boxes = mvex.children(0);
        while let Some(child) = boxes.next(source)? {
            let content = child.content(source, 24)?;
            let mut fields = Fields(&content);
            match &child.kind {
                b"trex" if this.defaults.len() < super::TRACKS => {
                    fields.skip(4);
                    if let (Some(track_id), _, Some(duration), Some(size)) =
                        (fields.u32(), fields.u32(), fields.u32(), fields.u32())
                    {
                        this.defaults.push(Defaults {
                            track_id,
                            duration,
                            size,
                        });
                    }
                }
                b"mehd" => {
                    let long = fields.u32().is_some_and(|version| version >> 24 == 1);
                    let ticks = if long {
                        fields.u64()
                    } else {
                        fields.u32().map(u64::from)
                    };
                    this.duration = ticks.filter(|&ticks| ticks > 0);
                }
                _ => {}
            }
        }
        Ok(this)
    }

    /// Adds the samples of every fragment behind `boxes` to the tracks.
    pub(super) fn add_fragments(
        &self,
        source: &mut Source,
        mut boxes: Boxes,
        traks: &mut [Trak],
    ) -> Result<(), ProbeError> {
        while let Some(found) = boxes.next(source)? {
            if found.kind != *b"moof" {
                continue;
            }
            let mut fragments = found.children(0);
            while let Some(child) = fragments.next(source)? {
                if child.kind == *b"traf" {
                    self.add_fragment(source, &child, traks)?;
                }
            }
        }
        Ok(())
    }

    fn add_fragment(
        &self,
        source: &mut Source,
        traf: &BoxHeader,
        traks: &mut [Trak],
    ) -> Result<(), ProbeError> {
        let (mut defaults, mut owner): (_, Option<&mut Trak>) = (None, None);
        let mut boxes = traf.children(0);
        while let Some(child) = boxes.next(source)? {
            match &child.kind {
                b"tfhd" => {
                    let found = self.header(&child.content(source, 32)?);
                    owner = found.and_then(|d| traks.iter_mut().find(|t| t.id == d.track_id));
                    defaults = found;
                    if let Some(trak) = owner.as_deref_mut() {
                        trak.go_to(None);
                    }
                }
                b"tfdt" => {
                    let content = child.content(source, 12)?;
                    let mut fields = Fields(&content);
                    let long = fields.u32().is_some_and(|version| version >> 24 == 1);
                    let time = if long {
                        fields.u64()
                    } else {
                        fields.u32().map(u64::from)
                    };
                    if let Some(trak) = owner.as_deref_mut() {
                        trak.go_to(time);
                    }
                }
                b"trun" => {
                    if let (Some(defaults), Some(trak)) = (defaults, owner.as_deref_mut()) {
                        add_run(source, &child, defaults, trak)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The defaults of a fragment: its own before those of the movie.
    fn header(&self, content: &[u8]) -> Option<Defaults> {
        let mut fields = Fields(content);
        let flags = fields.u32()?;
        let track_id = fields.u32()?;
        let movie = self
            .defaults
            .iter()
            .find(|defaults| defaults.track_id == track_id);
        let mut defaults = movie.copied().unwrap_or(Defaults {
            track_id,
            duration: 0,
            size: 0,
        });
        if flags & 0x01 != 0 {
            fields.skip(8)?;
        }
        if flags & 0x02 != 0 {
            fields.skip(4)?;
        }
        if flags & 0x08 != 0 {
            defaults.duration = fields.u32()?;
        }
        if flags & 0x10 != 0 {
            defaults.size = fields.u32()?;
        }
        Some(defaults)
    }
}

fn add_run(
    source: &mut Source,
    trun: &BoxHeader,
    defaults: Defaults,
    trak: &mut Trak,
) -> Result<(), ProbeError> {
    let flags = count_at(source, trun, 0)?;
    let count = count_at(source, trun, 4)?;
    let has = |flag: u32| flags & flag != 0;
    let optional = |flag: u32| if has(flag) { 4_u32 } else { 0 };
    let skip = 8 + u64::from(optional(0x001) + optional(0x004));
    let entry = optional(0x100) + optional(0x200) + optional(0x400) + optional(0x800);
    if entry == 0 {
        trak.add_samples(count, defaults.duration, defaults.size, 0);
        return Ok(());
    }
    table::for_each(source, trun, skip, entry, count, |mut fields| {
        let mut next = |flag: u32| if has(flag) { fields.u32() } else { None };
        let duration = next(0x100).unwrap_or(defaults.duration);
        let size = next(0x200).unwrap_or(defaults.size);
        next(0x400);
        let offset = next(0x800).unwrap_or(0).cast_signed();
        trak.add_samples(1, duration, size, offset);
    })
}
