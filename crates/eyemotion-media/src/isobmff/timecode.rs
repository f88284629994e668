//! SMPTE timecode (ST 12-1) of a frame counted from midnight.

use super::sample_entry::TimecodeFormat;

/// `hh:mm:ss:ff`, or `hh:mm:ss;ff` when frame numbers are dropped to keep pace with the clock at 29.97 and 59.94.
pub(super) fn at(frame: u32, format: TimecodeFormat) -> String {
    let fps = u64::from(format.frames_per_second.max(1));
    let mut frame = u64::from(frame);
    let drops = format.drop_frame && fps.is_multiple_of(30);
    if drops {
        // Two numbers (four at 60) are left out each minute, but not each tenth.
        let dropped = fps / 15;
        let (tens, rest) = (
            frame / (fps * 600 - dropped * 9),
            frame % (fps * 600 - dropped * 9),
        );
        let minutes = rest.saturating_sub(dropped) / (fps * 60 - dropped);
        frame += dropped * (9 * tens + minutes);
    }
    let (seconds, frames) = (frame / fps, frame % fps);
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mark = if drops { ';' } else { ':' };
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: u32, frames_per_second: u32, drop_frame: bool) -> String {
        at(
            frame,
            TimecodeFormat {
                drop_frame,
                frames_per_second,
            },
        )
    }

    #[test]
    fn frames_become_hours_minutes_seconds() {
        assert_eq!(text(86_400, 24, false), "01:00:00:00");
        assert_eq!(text(24 * 3600 * 25, 25, false), "00:00:00:00");
        assert_eq!(text(0, 0, false), "00:00:00:00");
    }

    #[test]
    fn drop_frame_leaves_out_two_numbers_each_minute_but_the_tenth() {
        assert_eq!(text(1799, 30, true), "00:00:59;29");
        assert_eq!(text(1800, 30, true), "00:01:00;02");
        assert_eq!(text(17_982, 30, true), "00:10:00;00");
        assert_eq!(text(107_892, 30, true), "01:00:00;00");
        assert_eq!(text(3600, 60, true), "00:01:00;04");
    }
}
