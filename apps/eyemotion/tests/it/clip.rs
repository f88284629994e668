//! A clip to upload, made by ffmpeg.

use std::process::{Command, Stdio};

/// Two seconds of MP4 at 24000/1001 frames a second. `None`, and a word about it, without ffmpeg;
/// with `EYEMOTION_REQUIRE_FFMPEG` that fails the test.
pub(crate) fn made() -> Option<Vec<u8>> {
    let is_there = |program: &str| {
        let version = Command::new(program)
            .arg("-version")
            .stdout(Stdio::null())
            .status();
        version.is_ok_and(|status| status.success())
    };
    if !is_there("ffmpeg") || !is_there("ffprobe") {
        assert!(
            std::env::var_os("EYEMOTION_REQUIRE_FFMPEG").is_none(),
            "ffmpeg is not on PATH"
        );
        skipped_in_part("ffmpeg is not on PATH");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let status = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=24000/1001:duration=2",
        ])
        .args([
            "-f",
            "lavfi",
            "-i",
            "sine=duration=2",
            "-c:v",
            "mpeg4",
            "-c:a",
            "aac",
        ])
        .args(["-movflags", "+faststart"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    Some(std::fs::read(path).unwrap())
}

#[expect(clippy::print_stderr, reason = "whoever reads the output shall know")]
fn skipped_in_part(why: &str) {
    eprintln!("SKIPPED in part: {why}");
}
