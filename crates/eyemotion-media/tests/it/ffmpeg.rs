//! Clips made by ffmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;

use eyemotion_media::{Probe, declared, find_ffmpeg, matches, probe, sniff};
use serde_json::Value;

use crate::ffprobe::{Except, difference, microseconds, number};

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
        let timecode = timecode.into_iter().find_map(Value::as_str);
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
