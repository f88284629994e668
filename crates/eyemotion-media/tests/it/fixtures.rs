//! The committed clips and the values written beside them: needs no ffmpeg.

use std::fs;
use std::path::{Path, PathBuf};

use eyemotion_media::{MediaType, Probe, declared, probe, sniff};

use crate::ffmpeg::Studio;
use crate::ffprobe::Except;

/// Every committed clip.
pub fn all() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with(".expected.json"))
        .filter(|path| path.extension().is_some_and(|extension| extension != "sh"))
        .collect();
    paths.sort();
    assert!(paths.len() > 20, "the fixtures are there");
    paths
}

pub fn path(name: &str) -> PathBuf {
    all().into_iter().find(|path| path.ends_with(name)).unwrap()
}

/// The type that a fixture's name declares.
pub fn type_of(path: &Path) -> &'static MediaType {
    declared("", path.file_name().unwrap().to_str().unwrap()).unwrap()
}

#[test]
fn each_is_what_is_written_beside_it() {
    for path in all() {
        let sniffed = sniff(&path).unwrap();
        assert_eq!(sniffed, Some(type_of(&path)), "{}", path.display());
        let found = probe(&path, type_of(&path)).unwrap();
        let expected = path.with_extension(format!(
            "{}.expected.json",
            path.extension().unwrap().to_str().unwrap()
        ));
        if std::env::var_os("BLESS").is_some() {
            fs::write(
                &expected,
                serde_json::to_string_pretty(&found).unwrap() + "\n",
            )
            .unwrap();
        }
        let expected: Probe = serde_json::from_slice(&fs::read(expected).unwrap()).unwrap();
        assert_eq!(found, expected, "{}", path.display());
    }
}

#[test]
fn ffprobe_agrees_with_what_is_written() {
    let Some(studio) = Studio::open() else { return };
    for path in all() {
        let but = match path.extension().unwrap().to_str().unwrap() {
            "json" | "svg" => continue,
            "jpg" | "png" | "gif" | "bmp" | "tiff" | "webp" | "aac" => Except::Lengths,
            _ if path.ends_with("variable.mp4") => Except::NominalRate,
            _ => Except::Nothing,
        };
        studio.compare(&path, but);
    }
}
