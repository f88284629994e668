//! Clips made on the spot, compared with ffprobe field by field.

use eyemotion_media::{Probe, TrackKind};

use crate::ffmpeg::Studio;
use crate::ffprobe::Except;

/// Moving test pictures of a rate, two seconds long.
fn video(rate: &str) -> String {
    format!("-f lavfi -i testsrc2=s=320x180:r={rate}:d=2")
}

/// Two seconds of a tone in stereo.
const AUDIO: &str = "-f lavfi -i sine=f=440:r=48000:d=2,pan=stereo|c0=c0|c1=c0";
const H264: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p";

/// Makes a clip and compares it, where ffmpeg is present.
fn compare(name: &str, but: Except, arguments: &str) -> Option<Probe> {
    let studio = Studio::open()?;
    let path = studio.make(name, arguments);
    Some(studio.compare(&path, but))
}

fn rates(probe: &Probe) -> (String, bool) {
    let track = probe.first(TrackKind::Video).unwrap();
    (track.frame_rate.unwrap().to_string(), track.is_vfr)
}

#[test]
fn h264_at_24000_1001_with_timecode() {
    let arguments = format!(
        "{} {AUDIO} {H264} -c:a aac -timecode 01:02:03:04 -shortest",
        video("24000/1001")
    );
    if let Some(probe) = compare("a.mp4", Except::Nothing, &arguments) {
        assert_eq!(rates(&probe), ("24000/1001".into(), false));
        assert_eq!(probe.start_timecode.as_deref(), Some("01:02:03:04"));
        assert_eq!(probe.container, "mp4");
        assert_eq!(probe.tracks[2].kind, TrackKind::Timecode);
    }
}

#[test]
fn drop_frame_timecode() {
    let arguments = format!("{} {H264} -timecode 01:00:00;02", video("30000/1001"));
    if let Some(probe) = compare("a.mov", Except::Nothing, &arguments) {
        assert_eq!(probe.start_timecode.as_deref(), Some("01:00:00;02"));
    }
}

#[test]
fn movie_header_in_front() {
    let arguments = format!(
        "{} {AUDIO} {H264} -c:a aac -movflags +faststart",
        video("25")
    );
    compare("a.mp4", Except::Nothing, &arguments);
}

#[test]
fn fragmented_at_30000_1001() {
    let flags = "-movflags frag_keyframe+empty_moov -g 15";
    let arguments = format!("{} {AUDIO} {H264} -c:a aac {flags}", video("30000/1001"));
    if let Some(probe) = compare("a.mp4", Except::Nothing, &arguments) {
        assert_eq!(rates(&probe), ("30000/1001".into(), false));
    }
}

#[test]
fn fragmented_with_an_index() {
    let flags = "-movflags dash+global_sidx+frag_keyframe+empty_moov -g 15";
    let arguments = format!("{} {AUDIO} {H264} -c:a aac {flags}", video("60"));
    compare("a.mp4", Except::TrackBitRates, &arguments);
}

#[test]
fn prores_with_pcm() {
    for (profile, name, pcm) in [
        ("0", "Proxy", "pcm_s16le"),
        ("3", "HQ", "pcm_s24le"),
        ("4", "4444", "pcm_s32le"),
    ] {
        let arguments = format!(
            "{} {AUDIO} -c:v prores_ks -profile:v {profile} -c:a {pcm} -timecode 10:00:00:00",
            video("25")
        );
        if let Some(probe) = compare("a.mov", Except::Nothing, &arguments) {
            assert_eq!(probe.tracks[0].profile.as_deref(), Some(name));
            assert_eq!(probe.tracks[1].codec, pcm);
            assert_eq!(probe.container, "mov");
        }
    }
}

#[test]
fn sound_of_quicktime_in_all_its_forms() {
    for codec in [
        "pcm_s16be",
        "pcm_s24be",
        "pcm_f32le",
        "pcm_f64be",
        "pcm_u8",
        "alac",
        "pcm_alaw",
    ] {
        compare(
            "a.mov",
            Except::TrackBitRates,
            &format!("{AUDIO} -c:a {codec}"),
        );
    }
    // More than 16 bits can count need QuickTime's second, longer form.
    compare(
        "b.mov",
        Except::Nothing,
        &format!("{AUDIO} -ar 192000 -c:a pcm_s24le"),
    );
}

#[test]
fn dnxhd_and_mjpeg() {
    let arguments = "-f lavfi -i testsrc2=s=1280x720:r=25:d=0.4 -c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p";
    compare("a.mov", Except::Nothing, arguments);
    compare(
        "b.mov",
        Except::Nothing,
        &format!("{} -c:v mjpeg -pix_fmt yuvj422p", video("24")),
    );
}

#[test]
fn hevc_hdr_at_60000_1001() {
    let color = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc";
    let codec = "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1";
    let arguments = format!(
        "{} {codec} -pix_fmt yuv420p10le {color}",
        video("60000/1001")
    );
    if let Some(probe) = compare("a.mp4", Except::Nothing, &arguments) {
        assert_eq!(rates(&probe), ("60000/1001".into(), false));
        let color = probe.tracks[0].color.clone().unwrap();
        assert_eq!(color.transfer.as_deref(), Some("smpte2084"));
        assert_eq!(probe.tracks[0].profile.as_deref(), Some("Main 10"));
    }
}

#[test]
fn av1_and_vp9_in_mp4() {
    let codec = "-c:v libsvtav1 -preset 12";
    compare(
        "a.mp4",
        Except::Nothing,
        &format!("{} {codec}", video("24")),
    );
    let codec = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8";
    compare(
        "b.mp4",
        Except::Nothing,
        &format!("{} {AUDIO} {codec} -c:a libopus", video("50")),
    );
}

#[test]
fn sound_of_mp4_in_all_its_forms() {
    for codec in ["libmp3lame", "ac3", "eac3", "flac -strict -2", "alac"] {
        compare(
            "a.mp4",
            Except::Nothing,
            &format!("{} {AUDIO} {H264} -c:a {codec}", video("25")),
        );
    }
}

#[test]
fn rotated() {
    let Some(studio) = Studio::open() else { return };
    let source = studio.make("source.mp4", &format!("{} {H264}", video("25")));
    for degrees in [90, 180, 270] {
        let arguments = format!(
            "-i {} -c copy -metadata:s:v rotate={degrees}",
            source.to_str().unwrap()
        );
        let path = studio.make("rotated.mp4", &arguments);
        let probe = studio.compare(&path, Except::Nothing);
        assert_ne!(probe.tracks[0].rotation, 0, "{degrees}");
        assert_eq!(
            (probe.tracks[0].width, probe.tracks[0].height),
            (Some(320), Some(180))
        );
    }
}

#[test]
fn anamorphic() {
    for name in ["a.mp4", "a.mkv"] {
        let arguments = format!("{} {H264} -vf scale=720:576,setsar=64/45", video("25"));
        compare(name, Except::Nothing, &arguments);
    }
}

#[test]
fn variable_rate() {
    let arguments = format!(
        "{} -vf select='not(mod(n,3))+lt(n,20)' -fps_mode vfr {H264}",
        video("30")
    );
    for name in ["a.mp4", "a.mkv"] {
        let but = if name == "a.mp4" {
            Except::NominalRate
        } else {
            Except::Lengths
        };
        if let Some(probe) = compare(name, but, &arguments) {
            assert!(rates(&probe).1, "{name}");
        }
    }
}

#[test]
fn sound_that_begins_late_and_subtitles() {
    let Some(studio) = Studio::open() else { return };
    std::fs::write(
        studio.path("a.srt"),
        "1\n00:00:00,000 --> 00:00:01,000\nSawasdee\n",
    )
    .unwrap();
    let srt = studio.path("a.srt").to_str().unwrap().to_owned();
    let inputs = format!(
        "{} -itsoffset 0.5 {AUDIO} -i {srt} -map 0 -map 1 -map 2",
        video("25")
    );
    let language = "-metadata:s:s:0 language=tha";
    let path = studio.make(
        "a.mp4",
        &format!("{inputs} {H264} -c:a aac -c:s mov_text {language}"),
    );
    studio.compare(&path, Except::Nothing);
    let path = studio.make(
        "a.mkv",
        &format!("{inputs} {H264} -c:a aac -c:s subrip {language}"),
    );
    let probe = studio.compare(&path, Except::Nothing);
    assert_eq!(probe.tracks[2].language.as_deref(), Some("tha"));
}

#[test]
fn matroska_with_two_languages() {
    let languages = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=tha";
    let arguments = format!(
        "{} {AUDIO} {AUDIO} -map 0 -map 1 -map 2 {languages} {H264} -c:a:0 aac -c:a:1 pcm_s24le",
        video("24000/1001")
    );
    if let Some(probe) = compare("a.mkv", Except::Nothing, &arguments) {
        assert_eq!(rates(&probe), ("24000/1001".into(), false));
        assert_eq!(probe.tracks[2].language.as_deref(), Some("tha"));
        assert_eq!(probe.container, "matroska");
    }
}

#[test]
fn matroska_with_a_timecode() {
    let arguments = format!("{} {H264} -metadata timecode=02:00:00:00", video("24"));
    if let Some(probe) = compare("a.mkv", Except::Nothing, &arguments) {
        assert_eq!(probe.start_timecode.as_deref(), Some("02:00:00:00"));
    }
}

#[test]
fn matroska_with_other_codecs() {
    for (v, a) in [
        ("mpeg4", "ac3"),
        ("mjpeg", "flac"),
        ("ffv1", "libvorbis"),
        ("mpeg2video", "mp2"),
    ] {
        let arguments = format!("{} {AUDIO} -c:v {v} -c:a {a}", video("25"));
        compare("a.mkv", Except::TrackBitRates, &arguments);
    }
}

#[test]
fn webm_with_vp9_and_opus() {
    let codec = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus";
    if let Some(probe) = compare(
        "a.webm",
        Except::Nothing,
        &format!("{} {AUDIO} {codec}", video("30")),
    ) {
        assert_eq!(probe.container, "webm");
    }
    let codec = "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis";
    compare(
        "b.webm",
        Except::Nothing,
        &format!("{} {AUDIO} {codec}", video("60000/1001")),
    );
}

#[test]
fn webm_of_a_live_recording_has_neither_sizes_nor_length() {
    let codec = "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1";
    let arguments = format!("{} {AUDIO} {codec}", video("30"));
    if let Some(probe) = compare("a.webm", Except::Lengths, &arguments) {
        let us = probe.duration_us.unwrap();
        assert!((1_950_000..=2_050_000).contains(&us), "{us}");
        assert_eq!(rates(&probe), ("30/1".into(), false));
    }
}

#[test]
fn sound_files() {
    for (name, codec) in [
        ("a.m4a", "-c:a aac"),
        ("b.m4a", "-c:a alac"),
        ("a.wav", "-c:a pcm_s16le"),
        ("b.wav", "-c:a pcm_s24le"),
        ("c.wav", "-c:a pcm_f32le -ar 96000"),
        ("d.wav", "-c:a pcm_s16le -rf64 always"),
        ("e.wav", "-c:a pcm_u8"),
        ("f.wav", "-c:a adpcm_ms"),
        ("a.flac", "-c:a flac"),
        ("a.aiff", "-c:a pcm_s16be"),
        ("b.aiff", "-c:a pcm_s24be"),
        ("c.aiff", "-c:a pcm_s16le"),
        ("a.mp3", "-c:a libmp3lame -b:a 128k"),
        ("b.mp3", "-c:a libmp3lame -q:a 4"),
        ("c.mp3", "-c:a libmp3lame -ar 22050 -ac 1"),
        ("a.ogg", "-c:a libvorbis"),
        ("b.ogg", "-c:a libopus"),
        ("c.ogg", "-c:a flac"),
    ] {
        compare(name, Except::Nothing, &format!("{AUDIO} {codec}"));
    }
}

#[test]
fn streams_without_a_header_of_numbers() {
    for (name, codec) in [
        ("a.mp3", "-c:a libmp3lame -write_xing 0"),
        ("a.aac", "-c:a aac"),
    ] {
        if let Some(probe) = compare(name, Except::Lengths, &format!("{AUDIO} {codec}")) {
            let us = probe.duration_us.unwrap();
            assert!((1_990_000..=2_080_000).contains(&us), "{name} {us}");
        }
    }
}

#[test]
fn pictures() {
    for name in ["a.jpg", "a.png", "a.gif", "a.bmp", "a.tiff", "a.webp"] {
        let arguments = "-f lavfi -i testsrc2=s=640x360:d=1 -frames:v 1";
        compare(name, Except::Lengths, arguments);
    }
    compare(
        "b.tiff",
        Except::Lengths,
        "-f lavfi -i testsrc2=s=64x36:d=1 -frames:v 1 -pix_fmt rgb48le",
    );
}
