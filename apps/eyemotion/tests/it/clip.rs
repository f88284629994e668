//! A clip to upload, made by ffmpeg.

use std::process::{Command, Stdio};

/// Two seconds of MP4 at 24000/1001 frames a second; `None` without ffmpeg.
pub(crate) fn made() -> Option<Vec<u8>> {
    if is_missing("ffmpeg") || is_missing("ffprobe") {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let picture = "testsrc2=size=640x360:rate=24000/1001:duration=2";
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", picture])
        .args(["-f", "lavfi", "-i", "sine=duration=2"])
        .args(["-c:v", "mpeg4", "-c:a", "aac", "-movflags", "+faststart"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    Some(std::fs::read(path).unwrap())
}

/// Whether a program is not on PATH, which is said; with `EYEMOTION_REQUIRE_FFMPEG` set, where
/// nothing may be skipped, it fails the test.
#[expect(clippy::print_stderr, reason = "whoever reads the output shall know")]
pub(crate) fn is_missing(program: &str) -> bool {
    let mut command = Command::new(program);
    let is_missing = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err();
    if is_missing {
        let required = std::env::var_os("EYEMOTION_REQUIRE_FFMPEG").is_some();
        assert!(!required, "{program} is not on PATH");
        eprintln!("SKIPPED in part: {program} is not on PATH");
    }
    is_missing
}
