//! Cut, flipped and crafted files: an error or a value, never a panic, and never without bound.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use eyemotion_media::{
    MediaType, Probe, ProbeError, ThumbnailError, image_thumbnail, probe, sniff,
};
use proptest::prelude::*;

use crate::fixtures;

/// All that a worker does with an upload.
fn process(path: &Path, media_type: &MediaType) -> Result<Probe, ProbeError> {
    let _sniffed = sniff(path).unwrap();
    if media_type.has_builtin_thumbnail() {
        let _thumbnail = image_thumbnail(path, 32);
    }
    probe(path, media_type)
}

fn process_bytes(bytes: &[u8], media_type: &MediaType) -> Result<Probe, ProbeError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    process(file.path(), media_type)
}

fn clips() -> &'static [(Vec<u8>, &'static MediaType)] {
    static CLIPS: OnceLock<Vec<(Vec<u8>, &'static MediaType)>> = OnceLock::new();
    CLIPS.get_or_init(|| {
        let clip = |path: &std::path::PathBuf| (fs::read(path).unwrap(), fixtures::type_of(path));
        fixtures::all().iter().map(clip).collect()
    })
}

#[test]
fn every_beginning_of_a_clip_is_survived() {
    for (bytes, media_type) in clips() {
        // Closely at the start, where the headers are, then in steps.
        let lengths = (0..128)
            .chain((128..).step_by(97))
            .take_while(|&len| len < bytes.len());
        for len in lengths {
            // Some formats are whole enough to be read, most are not; neither may panic.
            let _result = process_bytes(&bytes[..len], media_type);
        }
        let empty = process_bytes(&[], media_type);
        assert!(
            empty.is_err() || media_type.mime == "application/json",
            "{media_type:?}"
        );
    }
}

#[test]
fn a_movie_without_its_end_is_malformed_when_its_header_stands_there() {
    let at_end = fs::read(fixtures::path("h264_23976_timecode.mp4")).unwrap();
    let mp4 = MediaType::of_mime("video/mp4").unwrap();
    let cut = process_bytes(&at_end[..at_end.len() - 1], mp4);
    assert!(matches!(cut, Err(ProbeError::Malformed(_))), "{cut:?}");
    let in_front = fs::read(fixtures::path("h264_25_faststart.mp4")).unwrap();
    let cut = process_bytes(&in_front[..in_front.len() - 100], mp4).unwrap();
    assert_eq!(cut.tracks[0].codec, "h264");
}

/// A change of some bytes: one byte, or a number of 32 bits that formats take for a size or count.
#[derive(Clone, Debug)]
enum Damage {
    Byte(usize, u8),
    Number(usize, u32),
    Removed(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let numbers = prop_oneof![
        Just(0),
        Just(1),
        Just(7),
        Just(8),
        Just(0x7fff_ffff),
        Just(0x8000_0000),
        Just(u32::MAX),
        any::<u32>(),
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (any::<usize>(), numbers).prop_map(|(at, number)| Damage::Number(at, number)),
        (any::<usize>(), 1..64_usize).prop_map(|(at, len)| Damage::Removed(at, len)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let len = bytes.len().max(1);
    match *damage {
        Damage::Byte(at, byte) => {
            if let Some(place) = bytes.get_mut(at % len) {
                *place = byte;
            }
        }
        Damage::Number(at, number) => {
            let start = at % len;
            for (place, byte) in bytes[start.min(len - 1)..]
                .iter_mut()
                .zip(number.to_be_bytes())
            {
                *place = byte;
            }
        }
        Damage::Removed(at, count) => {
            let start = (at % len).min(bytes.len());
            bytes.drain(start..(start + count).min(bytes.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn damage_is_survived(
        clip in 0..clips().len(),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let (bytes, media_type) = &clips()[clip];
        let mut bytes = bytes.clone();
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        let _result = process_bytes(&bytes, media_type);
    }

    #[test]
    fn noise_behind_a_signature_is_survived(
        clip in 0..clips().len(),
        kept in 0..64_usize,
        noise in prop::collection::vec(any::<u8>(), 0..2048),
    ) {
        let (bytes, media_type) = &clips()[clip];
        let mut bytes = bytes[..kept.min(bytes.len())].to_vec();
        bytes.extend(noise);
        let _result = process_bytes(&bytes, media_type);
    }
}

fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), kind, content].concat()
}

fn mp4(boxes: &[u8]) -> Result<Probe, ProbeError> {
    let bytes = [boxed(b"ftyp", b"isom\0\0\0\0isom"), boxes.to_vec()].concat();
    process_bytes(&bytes, MediaType::of_mime("video/mp4").unwrap())
}

#[test]
fn crafted_boxes() {
    // Zero bytes without end, a size smaller than its header, sizes of 64 bits beyond everything.
    assert!(mp4(&[0; 4096]).is_err());
    assert!(mp4(b"\0\0\0\x07moov").is_err());
    assert!(mp4(b"\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    assert!(mp4(b"\0\0\0\x01moov\0\0\0\0\0\0\0\x0f").is_err());
    // Boxes in boxes in boxes, deeper than any stack of calls.
    let mut nested = Vec::new();
    for depth in (1..20_000_u32).rev() {
        let kind = [b"wave", b"trak", b"moov"][usize::try_from(depth % 3).unwrap()];
        nested.splice(
            0..0,
            [&((20_000 - depth) * 8).to_be_bytes(), kind.as_slice()].concat(),
        );
    }
    assert!(mp4(&nested).is_err());
    // More tracks than anyone has.
    let traks = boxed(b"trak", &[]).repeat(100_000);
    assert!(matches!(
        mp4(&boxed(b"moov", &traks)),
        Err(ProbeError::TooComplex)
    ));
}

#[test]
fn tables_with_absurd_counts_are_read_as_far_as_they_are_there() {
    let absurd = [0_u32, u32::MAX, u32::MAX, u32::MAX]
        .map(u32::to_be_bytes)
        .concat();
    let tables = [
        boxed(b"stts", &absurd),
        boxed(b"stsz", &absurd),
        boxed(b"stco", &absurd),
    ]
    .concat();
    let handler = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0vide");
    let media = [handler, boxed(b"minf", &boxed(b"stbl", &tables))].concat();
    let movie = boxed(b"moov", &boxed(b"trak", &boxed(b"mdia", &media)));
    let probe = mp4(&movie).unwrap();
    assert_eq!(probe.tracks.len(), 1);
    assert_eq!(probe.duration_us, None);
}

#[test]
fn a_table_larger_than_any_recording_is_left() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let table: u32 = 1 << 30;
    file.write_all(b"\0\0\0\x10ftypisom\0\0\0\0").unwrap();
    for (kind, more) in [
        (b"moov", 32),
        (b"trak", 24),
        (b"mdia", 16),
        (b"minf", 8),
        (b"stbl", 0),
    ] {
        file.write_all(&(table + more + 8).to_be_bytes()).unwrap();
        file.write_all(kind).unwrap();
    }
    file.write_all(
        &[
            &table.to_be_bytes(),
            b"stts".as_slice(),
            &[0; 4],
            &[0xff; 4],
        ]
        .concat(),
    )
    .unwrap();
    // Sparse, so that it costs no disk.
    file.as_file().set_len(u64::from(table) + 64).unwrap();
    let result = process(file.path(), MediaType::of_mime("video/mp4").unwrap());
    assert!(matches!(result, Err(ProbeError::TooComplex)), "{result:?}");
}

#[test]
fn the_header_of_a_huge_file_is_found_behind_its_media() {
    let clip = fs::read(fixtures::path("h264_23976_timecode.mp4")).unwrap();
    let moov = clip.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let media: u64 = 10 << 30;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01mdat")
        .unwrap();
    file.write_all(&media.to_be_bytes()).unwrap();
    file.as_file().set_len(16 + media).unwrap();
    let mut end = File::options().append(true).open(file.path()).unwrap();
    end.write_all(&clip[moov..]).unwrap();
    let probe = process(file.path(), MediaType::of_mime("video/mp4").unwrap()).unwrap();
    assert_eq!(
        probe.tracks[0].frame_rate.unwrap().to_string(),
        "24000/1001"
    );
}

#[test]
fn a_fragment_that_comes_again_does_not_lengthen_the_film() {
    let path = fixtures::path("h264_2997_fragmented.mp4");
    let bytes = fs::read(&path).unwrap();
    let fragment = bytes.windows(4).position(|kind| kind == b"moof").unwrap() - 4;
    let again = [&bytes, &bytes[fragment..]].concat();
    let (once, twice) = (
        probe(&path, fixtures::type_of(&path)),
        process_bytes(&again, fixtures::type_of(&path)),
    );
    assert_eq!(once.unwrap().duration_us, twice.unwrap().duration_us);
}

#[test]
fn crafted_elements() {
    let header = b"\x1a\x45\xdf\xa3\x80";
    let open_segment = b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff";
    let open_cluster = b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff";
    let checksum = b"\xbf\x84\0\0\0\0";
    for rest in [
        open_cluster.repeat(10_000),
        checksum.repeat(10_000),
        b"\x11\x4d\x9b\x74\x80".repeat(10_000),
        vec![0; 10_000],
        vec![0xff; 10_000],
        b"\x16\x54\xae\x6b\x1f\xff\xff\xff".to_vec(),
    ] {
        let bytes = [header.as_slice(), open_segment, &rest].concat();
        let result = process_bytes(&bytes, MediaType::of_mime("video/webm").unwrap());
        assert!(result.is_err());
    }
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u8::try_from(content.len()).unwrap() | 0x80;
    [id, &[size], content].concat()
}

#[test]
fn a_checksum_is_not_taken_for_elements() {
    let entry = [
        element(b"\xd7", &[1]),
        element(b"\x83", &[2]),
        element(b"\x86", b"A_OPUS"),
    ];
    let tracks = element(b"\x16\x54\xae\x6b", &element(b"\xae", &entry.concat()));
    let name = element(b"\x45\xa3", b"TIMECODE");
    let value = element(b"\x44\x87", b"01:00:00:00");
    let tag = element(b"\x73\x73", &element(b"\x67\xc8", &[name, value].concat()));
    for checksum in [[0; 4], [0x00, 0x40, 0xa1, 0x1d], [0xff; 4], [0x08; 4]] {
        let checksum = element(b"\xbf", &checksum);
        let tags = element(
            b"\x12\x54\xc3\x67",
            &[checksum.clone(), tag.clone()].concat(),
        );
        let segment = [checksum, tracks.clone(), tags].concat();
        let segment = element(b"\x18\x53\x80\x67", &segment);
        let bytes = [b"\x1a\x45\xdf\xa3\x80".to_vec(), segment].concat();
        let probe = process_bytes(&bytes, MediaType::of_mime("video/webm").unwrap()).unwrap();
        assert_eq!(probe.tracks[0].codec, "opus");
        assert_eq!(probe.start_timecode.as_deref(), Some("01:00:00:00"));
    }
}

#[test]
fn pictures_over_the_limits() {
    let mut png = fs::read(fixtures::path("png.png")).unwrap();
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut checksum = u32::MAX;
    for &byte in &png[12..29] {
        checksum ^= u32::from(byte);
        for _ in 0..8 {
            checksum = checksum >> 1 ^ (0xedb8_8320 & (checksum & 1).wrapping_neg());
        }
    }
    png[29..33].copy_from_slice(&(!checksum).to_be_bytes());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), png).unwrap();
    let thumbnail = image_thumbnail(file.path(), 32);
    assert!(
        matches!(thumbnail, Err(ThumbnailError::TooLarge)),
        "{thumbnail:?}"
    );

    fs::write(file.path(), fs::read(fixtures::path("jpeg.jpg")).unwrap()).unwrap();
    file.as_file().set_len(4 << 30).unwrap();
    let thumbnail = image_thumbnail(file.path(), 32);
    assert!(
        matches!(thumbnail, Err(ThumbnailError::TooLarge)),
        "{thumbnail:?}"
    );
    let probe = probe(file.path(), MediaType::of_mime("image/jpeg").unwrap());
    assert!(matches!(probe, Err(ProbeError::TooLarge)), "{probe:?}");
}
