//! The frame rate that a list of frame durations means.

use std::collections::BTreeMap;

use crate::rational::Rational;

/// Different frame durations kept apart; a clip with more is of variable rate whatever else it holds.
const DISTINCT: usize = 64;

/// Frame durations counted as they come, in ticks of a time base.
#[derive(Debug, Default)]
pub(crate) struct Cadence {
    counts: BTreeMap<u64, u64>,
    uncounted: bool,
    frames: u64,
    ticks: u64,
    last: u64,
}

/// What a [`Cadence`] amounts to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameRate {
    /// Rate of the commonest frame duration, or of all when they differ by rounding alone.
    pub(crate) nominal: Option<Rational>,
    /// Frames by time over the whole clip.
    pub(crate) average: Option<Rational>,
    /// Whether frame durations differ by more than rounding.
    pub(crate) is_variable: bool,
}

impl Cadence {
    /// Adds `count` frames that last `ticks` each.
    pub(crate) fn push(&mut self, ticks: u64, count: u64) {
        if count == 0 {
            return;
        }
        self.frames = self.frames.saturating_add(count);
        self.ticks = self.ticks.saturating_add(ticks.saturating_mul(count));
        self.last = ticks;
        if self.counts.len() < DISTINCT || self.counts.contains_key(&ticks) {
            let counted = self.counts.entry(ticks).or_default();
            *counted = counted.saturating_add(count);
        } else {
            self.uncounted = true;
        }
    }

    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Sum of all durations in ticks.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The frame rate for a time base of `timescale` ticks a second, whose times may be off by `rounding` ticks.
    pub(crate) fn frame_rate(&self, timescale: u64, rounding: u64) -> FrameRate {
        // The last frame's duration is what the writer made up, so it says nothing when others speak.
        let mut counts = self.counts.clone();
        if self.frames > 1
            && let Some(count) = counts.get_mut(&self.last)
        {
            *count -= 1;
        }
        counts.retain(|&ticks, &mut count| count > 0 && ticks > 0);
        let Some((&modal, _)) = counts.iter().max_by_key(|&(&ticks, &count)| (count, ticks)) else {
            return FrameRate::default();
        };
        let average = Rational::nearest(timescale.saturating_mul(self.frames), self.ticks);
        let constant = counts.len() == 1 && !self.uncounted;
        // Rounding can explain a difference only where a tick is small beside a frame.
        let rounded = !self.uncounted
            && modal >= rounding.saturating_mul(8)
            && counts.keys().all(|ticks| ticks.abs_diff(modal) <= rounding);
        let nominal = if rounded && !constant {
            Rational::nearest(
                timescale.saturating_mul(self.frames - 1),
                self.ticks.saturating_sub(self.last),
            )
        } else {
            Rational::nearest(timescale, modal)
        };
        FrameRate {
            nominal: nominal.map(Rational::snapped),
            average,
            is_variable: !constant && !rounded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[(u64, u64)], timescale: u64) -> (String, String, bool) {
        let mut cadence = Cadence::default();
        for &(ticks, count) in runs {
            cadence.push(ticks, count);
        }
        let rate = cadence.frame_rate(timescale, 1);
        let text = |rate: Option<Rational>| rate.map(|r| r.to_string()).unwrap_or_default();
        (text(rate.nominal), text(rate.average), rate.is_variable)
    }

    #[test]
    fn a_constant_rate_is_exact_and_its_last_frame_does_not_matter() {
        assert_eq!(
            of(&[(1001, 120)], 24_000),
            ("24000/1001".into(), "24000/1001".into(), false)
        );
        assert_eq!(of(&[(1001, 119), (500, 1)], 24_000).0, "24000/1001");
        assert!(!of(&[(1001, 119), (500, 1)], 24_000).2);
        assert_eq!(of(&[(512, 1)], 12_800).0, "25/1");
    }

    #[test]
    fn rounding_to_milliseconds_is_not_a_variable_rate() {
        let runs: Vec<_> = (0..240)
            .map(|i| ((i + 1) * 1001 / 24 - i * 1001 / 24, 1))
            .collect();
        let (nominal, _, variable) = of(&runs, 1000);
        assert_eq!((nominal.as_str(), variable), ("24000/1001", false));
    }

    #[test]
    fn a_variable_rate_is_named_by_its_commonest_frame() {
        assert_eq!(
            of(&[(1, 20), (3, 13)], 30),
            ("30/1".into(), "990/59".into(), true)
        );
    }

    #[test]
    fn nothing_and_absurd_counts_are_harmless() {
        assert_eq!(of(&[], 1000).0, "");
        assert_eq!(of(&[(0, 5)], 1000).0, "");
        assert!(of(&[(u64::MAX, u64::MAX), (1, u64::MAX)], 1000).2);
    }
}
