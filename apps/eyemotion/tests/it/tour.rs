//! `examples/tour.sh`, which shows a newcomer the whole way, against the real binary.

use crate::clip;
use crate::server::{Launch, folder};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use tokio::process::Command;

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/tour.sh");

async fn tour(base: &str, clip: &Path) -> Output {
    Command::new("sh")
        .arg(TOUR)
        .arg(base)
        .arg(clip)
        .output()
        .await
        .unwrap()
}

/// What ffprobe says, in the tour's words.
fn expected(clip: &Path) -> Vec<String> {
    let output = std::process::Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_streams",
            "-of",
            "json",
        ])
        .arg(clip)
        .output()
        .unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stream = &found["streams"][0];
    let text = |member: &str| stream[member].as_str().unwrap();
    vec![
        format!("codec: {}", text("codec_name")),
        format!("fps: {}", text("r_frame_rate")),
        format!("resolution: {}x{}", stream["width"], stream["height"]),
    ]
}

#[tokio::test]
async fn the_tour_leads_to_a_processed_clip() {
    if clip::is_missing("curl") {
        return;
    }
    let folder = folder();
    let mut clips: Vec<PathBuf> = Vec::new();
    if let Some(content) = clip::made() {
        let path = folder.path().join("ตัวอย่าง 1.mp4");
        std::fs::write(&path, content).unwrap();
        assert!(expected(&path).contains(&"fps: 24000/1001".to_owned()));
        clips.push(path);
    }
    if let Some(footage) = std::env::var_os("EYEMOTION_FOOTAGE") {
        let footage = Path::new(&footage);
        clips.extend(["bigbuckbunny.mp4", "carphone_pristine.mp4"].map(|name| footage.join(name)));
    }
    let server = Launch::in_folder(folder.path()).start().await;
    for clip in &clips {
        let output = tour(server.base(), clip).await;
        let (said, wrong) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "{}:\n{said}\n{wrong}",
            clip.display()
        );
        assert!(
            said.contains("\nthumbnail: JPEG, "),
            "{}: {said}",
            clip.display()
        );
        for line in expected(clip) {
            assert!(
                said.lines().any(|said| said == line),
                "{}: {line}\n{said}",
                clip.display()
            );
        }
    }
    // It does not call a failure a success.
    let text = folder.path().join("text.mp4");
    std::fs::write(&text, "no clip at all ".repeat(100)).unwrap();
    let output = tour(server.base(), &text).await;
    assert!(
        !output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(wrong.contains("rejected"), "{wrong}");
    server.stop().await;
}
