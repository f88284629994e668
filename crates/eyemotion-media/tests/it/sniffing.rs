//! Names lie, bytes do not.

use std::fs;
use std::path::PathBuf;

use eyemotion_media::{MediaType, declared, matches, sniff};

use crate::fixtures;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn sniff(&self, name: &str, bytes: impl AsRef<[u8]>) -> Option<&'static str> {
        sniff(self.file(name, bytes))
            .unwrap()
            .map(|found: &MediaType| found.mime)
    }
}

#[test]
fn a_listed_type_under_another_name_is_told_but_does_not_match() {
    let folder = Folder::new();
    for (fixture, name) in [
        ("animated.gif", "a.jpg"),
        ("png.png", "a.jpg"),
        ("jpeg.jpg", "a.mp4"),
        ("mp3.mp3", "a.wav"),
        ("vp9_opus_30.webm", "a.mp4"),
        ("scenes.json", "a.svg"),
    ] {
        let path = fixtures::path(fixture);
        let copy = folder.file(name, fs::read(&path).unwrap());
        let sniffed = sniff(copy).unwrap().unwrap();
        assert_eq!(sniffed, fixtures::type_of(&path), "{name}");
        assert!(!matches(declared("", name).unwrap(), sniffed), "{name}");
    }
}

#[test]
fn what_may_not_be_uploaded_is_nothing() {
    let folder = Folder::new();
    let program: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0@";
    let heic: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let avif: &[u8] = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf";
    let canon_raw: &[u8] = b"II\x2a\0\x10\0\0\0CR\x02\0";
    let theora: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora";
    for (name, bytes) in [
        ("document.mp4", b"%PDF-1.7\n1 0 obj\n".as_slice()),
        (
            "page.svg",
            b"<!DOCTYPE html><html><body>hello</body></html>",
        ),
        ("page.json", b"<html></html>"),
        ("notes.mp4", b"Just some text, which is no film."),
        (
            "notes.mp3",
            b"\xff\xfe just bytes that begin like a frame or UTF-16",
        ),
        (
            "car.bmp",
            b"BMW is a maker of cars, and this is a text about them.",
        ),
        ("program.png", program),
        ("script.png", b"#!/bin/sh\necho hello\n"),
        ("linux.mov", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"),
        ("archive.mov", b"PK\x03\x04\x14\0\0\0\x08\0"),
        ("phone.jpg", heic),
        ("web.png", avif),
        ("raw.tiff", canon_raw),
        ("film.ogg", theora),
        ("empty.mp4", b""),
        ("one.mp4", b"\0"),
        ("playlist.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    ] {
        assert_eq!(folder.sniff(name, bytes), None, "{name}");
    }
}

#[test]
fn svg_is_xml_whose_root_is_svg_and_nothing_else() {
    let folder = Folder::new();
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\" height=\"3\"><path/></svg>";
    let prefixed = "<s:svg xmlns:s=\"http://www.w3.org/2000/svg\"></s:svg>";
    for text in [
        svg.to_owned(),
        "<svg/>".to_owned(),
        prefixed.to_owned(),
        format!("\u{feff}  \n<!-- <html> -->\n<!DOCTYPE svg PUBLIC \"a\" \"b\">{svg}\n"),
        format!("<?xml version=\"1.0\"?><?xml-stylesheet href=\"a\"?>{svg}<!-- end -->"),
    ] {
        assert_eq!(
            folder.sniff("a.svg", &text),
            Some("image/svg+xml"),
            "{text}"
        );
    }
    for text in [
        format!("<html><body>{svg}</body></html>"),
        format!("{svg}<html><script>alert(1)</script></html>"),
        format!("{svg}{svg}"),
        format!("{svg} and some words"),
        format!("words {svg}"),
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><html><script/></html></svg>".to_owned(),
        "<svg xmlns=\"http://www.w3.org/1999/xhtml\"><script/></svg>".to_owned(),
        "<svg><path></svg>".to_owned(),
        "<svg>".to_owned(),
        "<svgx/>".to_owned(),
        "<".repeat(1000),
        "<svg>".repeat(100_000),
    ] {
        assert_eq!(
            folder.sniff("a.svg", &text),
            None,
            "{}",
            text.get(..80).unwrap_or(&text)
        );
    }
}

#[test]
fn json_is_parsed_to_its_end() {
    let folder = Folder::new();
    let long = format!("[{}1]", "{\"a\": [true, \"\\\"]\"]},".repeat(50_000));
    for text in [
        "{}",
        " \n[1, 2.5e3, \"]\"]\n",
        "{\"a\": {\"b\": null}}",
        &long,
    ] {
        assert_eq!(folder.sniff("a.json", text), Some("application/json"));
    }
    let deep = "[".repeat(1_000_000);
    let nested = format!("{}{}", "[".repeat(600), "]".repeat(600));
    for text in [
        "{", "{} {}", "{'a': 1}", "123", "\"text\"", "[1,]", "", "  ", &deep, &nested,
    ] {
        assert_eq!(
            folder.sniff("a.json", text),
            None,
            "{}",
            text.get(..20).unwrap_or(text)
        );
    }
}

#[test]
fn types_that_are_not_probed_yet_are_told_by_their_bytes() {
    let folder = Folder::new();
    let guid = [
        0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0, 0xaa, 0, 0x62, 0xce, 0x6c,
    ];
    let key = [6, 0x0e, 0x2b, 0x34, 2, 5, 1, 1, 0x0d, 1, 2, 1, 1, 2, 4, 0];
    for (name, bytes, expected) in [
        (
            "a.avi",
            b"RIFF\x24\0\0\0AVI LIST".as_slice(),
            "video/x-msvideo",
        ),
        ("a.flv", b"FLV\x01\x05\0\0\0\x09\0\0\0\0", "video/x-flv"),
        ("a.wma", &guid, "audio/x-ms-wma"),
        ("a.mxf", &key, "application/mxf"),
    ] {
        let path = folder.file(name, bytes);
        let sniffed = sniff(&path).unwrap().unwrap();
        assert_eq!(sniffed.mime, expected);
        let refused = eyemotion_media::probe(&path, sniffed).unwrap_err();
        assert!(
            matches!(refused, eyemotion_media::ProbeError::Unsupported(_)),
            "{refused:?}"
        );
    }
}

#[test]
fn tags_before_the_sound_are_stepped_over() {
    let folder = Folder::new();
    let tag = [b"ID3\x04\0\0\0\0\x01\0".as_slice(), &[0; 128]].concat();
    for (fixture, expected) in [
        ("adts.aac", "audio/aac"),
        ("flac.flac", "audio/flac"),
        ("mp3.mp3", "audio/mpeg"),
    ] {
        let bytes = fs::read(fixtures::path(fixture)).unwrap();
        assert_eq!(
            folder.sniff(fixture, [&tag, bytes.as_slice()].concat()),
            Some(expected)
        );
    }
}

#[test]
fn a_missing_file_is_an_error_of_the_system() {
    assert_eq!(
        sniff("no/such/file").unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
}
