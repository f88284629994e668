//! Clips to upload, and what ffprobe says of them.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A clip and what must be found in it.
pub(super) struct Clip {
    pub(super) name: String,
    pub(super) mime_type: &'static str,
    pub(super) content: Vec<u8>,
    pub(super) expected: Expected,
}

/// What ffprobe says of the picture.
pub(super) struct Expected {
    pub(super) fps: String,
    pub(super) frames_a_second: f64,
    pub(super) resolution: String,
    pub(super) codec: String,
    /// Seconds.
    pub(super) duration: f64,
    /// Bits a second, of everything in the file.
    pub(super) bitrate: f64,
}

/// Clips made by ffmpeg, and real footage if `EYEMOTION_FOOTAGE` names a folder with some. `None`,
/// and a word about it, where there is no ffmpeg; with `EYEMOTION_REQUIRE_FFMPEG` that fails the test.
pub(super) fn all() -> Option<Vec<Clip>> {
    let missing = |program: &str| {
        let version = Command::new(program)
            .arg("-version")
            .stdout(Stdio::null())
            .status();
        !version.is_ok_and(|status| status.success())
    };
    if missing("ffmpeg") || missing("ffprobe") {
        assert!(
            std::env::var_os("EYEMOTION_REQUIRE_FFMPEG").is_none(),
            "ffmpeg is not on PATH"
        );
        skipped("ffmpeg is not on PATH");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut paths = made(folder.path());
    if let Some(footage) = std::env::var_os("EYEMOTION_FOOTAGE") {
        let footage = Path::new(&footage);
        paths.extend(["bigbuckbunny.mp4", "carphone_pristine.mp4"].map(|name| footage.join(name)));
    }
    Some(paths.iter().map(|path| Clip::read(path)).collect())
}

#[expect(clippy::print_stderr, reason = "whoever reads the output shall know")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn made(folder: &Path) -> Vec<PathBuf> {
    let source = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=24000/1001:duration=2",
    ];
    let sound = ["-f", "lavfi", "-i", "sine=duration=2"];
    let fragmented = ["-movflags", "frag_keyframe+empty_moov"];
    let make = |name: &str, options: &[&str]| {
        let path = folder.join(name);
        let mut command = Command::new("ffmpeg");
        command
            .args(["-v", "error"])
            .args(source)
            .args(sound)
            .args(options)
            .arg(&path);
        assert!(command.status().unwrap().success(), "{command:?}");
        path
    };
    vec![
        make("clip.mp4", &["-c:v", "mpeg4", "-c:a", "aac"]),
        make(
            "fragmented.mp4",
            &[&["-c:v", "mpeg4", "-c:a", "aac"], &fragmented[..]].concat(),
        ),
        make("clip.mov", &["-c:v", "prores_ks", "-c:a", "pcm_s16le"]),
        make("clip.mkv", &["-c:v", "mpeg4", "-c:a", "aac"]),
        make(
            "clip.webm",
            &[
                "-c:v",
                "libvpx-vp9",
                "-deadline",
                "realtime",
                "-c:a",
                "libopus",
            ],
        ),
    ]
}

impl Clip {
    fn read(path: &Path) -> Self {
        let mime_type = match path.extension().and_then(OsStr::to_str) {
            Some("mov") => "video/quicktime",
            Some("mkv") => "video/x-matroska",
            Some("webm") => "video/webm",
            _ => "video/mp4",
        };
        Self {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            mime_type,
            content: fs::read(path).unwrap(),
            expected: Expected::of(path),
        }
    }
}

impl Expected {
    fn of(path: &Path) -> Self {
        let output = Command::new("ffprobe")
            .args([
                "-v",
                "error",
                "-select_streams",
                "v:0",
                "-show_streams",
                "-show_format",
            ])
            .args(["-of", "json"])
            .arg(path)
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let stream = &found["streams"][0];
        let fps = stream["r_frame_rate"].as_str().unwrap();
        let (frames, seconds) = fps.split_once('/').unwrap();
        let number = |member: &str| found["format"][member].as_str().unwrap().parse().unwrap();
        Self {
            fps: fps.to_owned(),
            frames_a_second: frames.parse::<f64>().unwrap() / seconds.parse::<f64>().unwrap(),
            resolution: format!("{}x{}", stream["width"], stream["height"]),
            codec: stream["codec_name"].as_str().unwrap().to_owned(),
            duration: number("duration"),
            bitrate: number("bit_rate"),
        }
    }
}
