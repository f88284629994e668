//! Tracks compared with ffprobe's streams, field by field.

use std::fmt::Display;

use eyemotion_media::{Rational, Track, TrackKind};
use serde_json::Value;

/// What a comparison leaves out, because ffprobe guesses or we know better.
#[derive(Clone, Copy, PartialEq)]
pub enum Except {
    Nothing,
    /// Of a track: ffprobe reads its bit rate from the first fragments or from the coded frames.
    TrackBitRates,
    /// Of file and tracks: ffprobe estimates them.
    Lengths,
    /// ffprobe's nominal rate of a variable one is a common multiple, ours the commonest.
    NominalRate,
}

/// Remembers the first field that differs.
#[derive(Default)]
struct Comparison {
    difference: Option<String>,
}

impl Comparison {
    fn same(&mut self, name: &str, ours: Option<impl Display>, theirs: Option<impl Display>) {
        let ours = ours.map(|value| value.to_string());
        let theirs = theirs.map(|value| value.to_string());
        if ours != theirs {
            let difference = || format!("{name}: ours {ours:?}, theirs {theirs:?}");
            self.difference.get_or_insert_with(difference);
        }
    }

    /// Matroska's nanoseconds leave ffprobe with fractions such as 19001/317 for what is 60000/1001.
    fn same_rate(&mut self, name: &str, ours: Option<Rational>, theirs: Option<&str>) {
        let theirs = theirs.and_then(|rate| rate.parse::<Rational>().ok());
        let near = |(a, b): (Rational, Rational)| (a.as_f64() / b.as_f64() - 1.0).abs() < 1e-6;
        if !ours.zip(theirs).is_some_and(near) {
            self.same(name, ours, theirs);
        }
    }
}

/// The first field in which a track differs from ffprobe's stream.
pub fn difference(track: &Track, stream: &Value, but: Except) -> Option<String> {
    let text = |name: &str| stream[name].as_str().filter(|text| *text != "unknown");
    let mut fields = Comparison::default();
    let kind = match track.kind {
        TrackKind::Video => "video",
        TrackKind::Audio => "audio",
        TrackKind::Subtitle => "subtitle",
        TrackKind::Timecode | TrackKind::Data => "data",
    };
    fields.same("index", Some(track.index), number(&stream["index"]));
    fields.same("kind", Some(kind), text("codec_type"));
    let language = stream["tags"]["language"]
        .as_str()
        .filter(|name| *name != "und");
    fields.same("language", track.language.as_deref(), language);
    if track.kind == TrackKind::Timecode {
        fields.same("tag", track.codec_tag.as_deref(), text("codec_tag_string"));
    } else {
        fields.same("codec", Some(&track.codec), text("codec_name"));
    }
    if track.profile.is_some() {
        fields.same("profile", track.profile.as_deref(), text("profile"));
    }
    if but != Except::Lengths {
        compare_lengths(&mut fields, track, stream, but);
    }
    match track.kind {
        TrackKind::Video => compare_pictures(&mut fields, track, stream, but),
        TrackKind::Audio => {
            fields.same(
                "sample rate",
                track.sample_rate,
                number(&stream["sample_rate"]),
            );
            fields.same("channels", track.channels, number(&stream["channels"]));
        }
        _ => {}
    }
    fields.difference
}

fn compare_lengths(fields: &mut Comparison, track: &Track, stream: &Value, but: Except) {
    if let Some(theirs) = microseconds(&stream["duration"]) {
        fields.same("duration", track.duration_us, Some(theirs));
    }
    let theirs = number(&stream["bit_rate"]).filter(|_| but != Except::TrackBitRates);
    if let Some(theirs) = theirs.filter(|_| track.kind != TrackKind::Timecode) {
        // ffprobe rounds that of fragments to the nearest and all others down.
        if track.bit_rate.is_none_or(|ours| ours.abs_diff(theirs) > 1) {
            fields.same("bit rate", track.bit_rate, Some(theirs));
        }
    }
}

fn compare_pictures(fields: &mut Comparison, track: &Track, stream: &Value, but: Except) {
    let text = |name: &str| stream[name].as_str().filter(|text| *text != "unknown");
    fields.same("width", track.width, number(&stream["width"]));
    fields.same("height", track.height, number(&stream["height"]));
    fields.same("rotation", Some(track.rotation), Some(rotation(stream)));
    if track.frame_rate.is_some() {
        fields.same_rate(
            "average rate",
            track.average_frame_rate,
            text("avg_frame_rate"),
        );
        if but != Except::NominalRate {
            fields.same_rate("nominal rate", track.frame_rate, text("r_frame_rate"));
        }
    }
    // Where the container is silent, ffprobe asks the coded frames.
    let color = track.color.clone().unwrap_or_default();
    for (name, ours) in [
        ("color_primaries", color.primaries),
        ("color_transfer", color.transfer),
        ("color_space", color.matrix),
        ("color_range", color.range),
    ] {
        if ours.is_some() {
            fields.same(name, ours, text(name));
        }
    }
    let ratio = track
        .sample_aspect_ratio
        .map(|ratio| ratio.to_string().replace('/', ":"));
    let theirs = text("sample_aspect_ratio").filter(|ratio| *ratio != "1:1");
    fields.same("shape of a pixel", ratio, theirs);
}

/// ffprobe counts degrees against the clock, we with it.
fn rotation(stream: &Value) -> i64 {
    let sides = stream["side_data_list"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let degrees = sides
        .iter()
        .find_map(|side| side["rotation"].as_i64())
        .unwrap_or(0);
    (-degrees).rem_euclid(360)
}

/// A number that ffprobe prints as a number or as text.
pub fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Seconds with six decimals in microseconds.
pub fn microseconds(value: &Value) -> Option<u64> {
    let (whole, decimals) = value.as_str()?.split_once('.')?;
    Some(whole.parse::<u64>().ok()? * 1_000_000 + decimals.parse::<u64>().ok()?)
}
