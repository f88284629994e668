//! ffmpeg makes the clips, ffprobe says what they are.

use std::path::{Path, PathBuf};
use std::process::Command;

use eyemotion_media::{
    Probe, Rational, Track, TrackKind, declared, find_ffmpeg, matches, probe, sniff,
};
use serde_json::Value;

/// A folder for the clips of one test, on machines with ffmpeg.
pub struct Studio {
    ffmpeg: PathBuf,
    folder: tempfile::TempDir,
}

impl Studio {
    /// `None` where ffmpeg is missing, said loudly; with `EYEMOTION_REQUIRE_FFMPEG` set that fails the test.
    pub fn open() -> Option<Self> {
        let Some(ffmpeg) = find_ffmpeg() else {
            assert!(
                std::env::var_os("EYEMOTION_REQUIRE_FFMPEG").is_none(),
                "ffmpeg is required here, but it is not on PATH"
            );
            eprintln!("!!!! SKIPPED: ffmpeg is not on PATH, nothing was tested here !!!!");
            return None;
        };
        Some(Self {
            ffmpeg,
            folder: tempfile::tempdir().unwrap(),
        })
    }

    pub fn ffmpeg(&self) -> &Path {
        &self.ffmpeg
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs ffmpeg with arguments as one would type them, and gives the file it made.
    pub fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let output = Command::new(&self.ffmpeg)
            .args(["-v", "error", "-nostdin", "-y"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ffmpeg {arguments}: {said}");
        path
    }

    /// What ffprobe prints for a file.
    fn ffprobe(&self, path: &Path) -> Value {
        let output = Command::new(self.ffmpeg.with_file_name("ffprobe"))
            .args([
                "-v",
                "error",
                "-of",
                "json",
                "-show_format",
                "-show_streams",
            ])
            .arg(path)
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Probes a clip as an upload would be, and compares all that ffprobe prints for it.
    pub fn compare(&self, path: &Path, but: Except) -> Probe {
        let name = path.file_name().unwrap().to_str().unwrap();
        let sniffed = sniff(path)
            .unwrap()
            .unwrap_or_else(|| panic!("{name} is not recognised"));
        assert!(
            matches(declared("", name).unwrap(), sniffed),
            "{name} is {sniffed:?}"
        );
        let ours = probe(path, sniffed).unwrap();
        let theirs = self.ffprobe(path);
        let format = &theirs["format"];
        let streams = theirs["streams"].as_array().unwrap();
        let context = format!("{name}\nours: {ours:#?}\ntheirs: {theirs:#}");
        assert_eq!(ours.tracks.len(), streams.len(), "tracks of {context}");
        if but != Except::Lengths {
            assert_eq!(
                ours.duration_us,
                microseconds(&format["duration"]),
                "length of {context}"
            );
            assert_eq!(
                ours.bit_rate,
                number(&format["bit_rate"]),
                "bit rate of {context}"
            );
        }
        let timecode = streams.iter().map(|stream| &stream["tags"]["timecode"]);
        let timecode = timecode.chain([&format["tags"]["timecode"], &format["tags"]["TIMECODE"]]);
        let timecode = timecode.filter_map(Value::as_str).next();
        assert_eq!(
            ours.start_timecode.as_deref(),
            timecode,
            "timecode of {context}"
        );
        for (track, stream) in ours.tracks.iter().zip(streams) {
            assert_eq!(difference(track, stream, but), None, "{context}");
        }
        ours
    }
}

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

/// The first field in which a track differs from ffprobe's stream.
fn difference(track: &Track, stream: &Value, but: Except) -> Option<String> {
    let text = |name: &str| stream[name].as_str().filter(|text| *text != "unknown");
    let kind = match track.kind {
        TrackKind::Video => "video",
        TrackKind::Audio => "audio",
        TrackKind::Subtitle => "subtitle",
        TrackKind::Timecode | TrackKind::Data => "data",
    };
    let mut checks = vec![
        (
            "index",
            Some(track.index.to_string()),
            Some(stream["index"].to_string()),
        ),
        (
            "kind",
            Some(kind.to_owned()),
            text("codec_type").map(str::to_owned),
        ),
        ("language", track.language.clone(), language(stream)),
    ];
    let mut check = |name, ours: Option<String>, theirs: Option<String>| {
        checks.push((name, ours, theirs));
    };
    if track.kind == TrackKind::Timecode {
        check(
            "tag",
            track.codec_tag.clone(),
            text("codec_tag_string").map(str::to_owned),
        );
    } else {
        check(
            "codec",
            Some(track.codec.clone()),
            text("codec_name").map(str::to_owned),
        );
    }
    if but != Except::Lengths {
        let theirs = microseconds(&stream["duration"]).map(|n| n.to_string());
        if theirs.is_some() {
            check("duration", track.duration_us.map(|n| n.to_string()), theirs);
        }
        let theirs = number(&stream["bit_rate"]).map(|n| n.to_string());
        if but != Except::TrackBitRates && theirs.is_some() && track.kind != TrackKind::Timecode {
            // ffprobe rounds that of fragments to the nearest and all others down.
            let near = number(&stream["bit_rate"])
                .zip(track.bit_rate)
                .is_some_and(|(a, b)| a.abs_diff(b) < 2);
            if !near {
                check("bit rate", track.bit_rate.map(|n| n.to_string()), theirs);
            }
        }
    }
    match track.kind {
        TrackKind::Video => {
            let size = |name: &str| number(&stream[name]).map(|n| n.to_string());
            check("width", track.width.map(|n| n.to_string()), size("width"));
            check(
                "height",
                track.height.map(|n| n.to_string()),
                size("height"),
            );
            check(
                "rotation",
                Some(track.rotation.to_string()),
                Some(rotation(stream)),
            );
            if track.frame_rate.is_some() {
                let average = text("avg_frame_rate").and_then(|rate| rate.parse().ok());
                check_rate(
                    "average rate",
                    track.average_frame_rate,
                    average,
                    &mut check,
                );
                if but != Except::NominalRate {
                    let nominal = text("r_frame_rate").and_then(|rate| rate.parse().ok());
                    check_rate("nominal rate", track.frame_rate, nominal, &mut check);
                }
            }
            let color = track.color.clone().unwrap_or_default();
            for (name, ours) in [
                ("color_primaries", color.primaries),
                ("color_transfer", color.transfer),
                ("color_space", color.matrix),
                ("color_range", color.range),
            ] {
                if ours.is_some() {
                    check(name, ours, text(name).map(str::to_owned));
                }
            }
            let ratio = track
                .sample_aspect_ratio
                .map(|ratio| ratio.to_string().replace('/', ":"));
            check(
                "pixel",
                ratio,
                text("sample_aspect_ratio")
                    .filter(|r| *r != "1:1")
                    .map(str::to_owned),
            );
        }
        TrackKind::Audio => {
            let theirs = number(&stream["sample_rate"]).map(|n| n.to_string());
            check(
                "sample rate",
                track.sample_rate.map(|n| n.to_string()),
                theirs,
            );
            let theirs = number(&stream["channels"]).map(|n| n.to_string());
            check("channels", track.channels.map(|n| n.to_string()), theirs);
        }
        _ => {}
    }
    if track.profile.is_some() {
        check(
            "profile",
            track.profile.clone(),
            text("profile").map(str::to_owned),
        );
    }
    checks
        .into_iter()
        .find(|(_, ours, theirs)| ours != theirs)
        .map(|(name, ours, theirs)| format!("{name}: ours {ours:?}, theirs {theirs:?}"))
}

/// Matroska's nanoseconds leave ffprobe with fractions such as 19001/317 for what is 60000/1001.
fn check_rate(
    name: &'static str,
    ours: Option<Rational>,
    theirs: Option<Rational>,
    check: &mut impl FnMut(&'static str, Option<String>, Option<String>),
) {
    let near = |(a, b): (Rational, Rational)| (a.as_f64() / b.as_f64() - 1.0).abs() < 1e-6;
    if !ours.zip(theirs).is_some_and(near) {
        check(
            name,
            ours.map(|rate| rate.to_string()),
            theirs.map(|rate| rate.to_string()),
        );
    }
}

fn language(stream: &Value) -> Option<String> {
    stream["tags"]["language"]
        .as_str()
        .filter(|name| *name != "und")
        .map(str::to_owned)
}

/// ffprobe counts degrees against the clock, we with it.
fn rotation(stream: &Value) -> String {
    let sides = stream["side_data_list"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let degrees = sides
        .iter()
        .find_map(|side| side["rotation"].as_i64())
        .unwrap_or(0);
    (-degrees).rem_euclid(360).to_string()
}

/// A number that ffprobe prints as a number or as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Seconds with six decimals in microseconds.
fn microseconds(value: &Value) -> Option<u64> {
    let (whole, decimals) = value.as_str()?.split_once('.')?;
    Some(whole.parse::<u64>().ok()? * 1_000_000 + decimals.parse::<u64>().ok()?)
}
