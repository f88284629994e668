//! Four-character codes of MP4 and QuickTime, in ffprobe's codec names.

use crate::probe::TrackKind;

/// Codec of a sample description, `None` when it is not known or its configuration has to tell.
pub(super) fn name(kind: TrackKind, code: [u8; 4]) -> Option<&'static str> {
    match kind {
        TrackKind::Video => video(code),
        TrackKind::Audio => audio(code),
        TrackKind::Subtitle => subtitle(code),
        TrackKind::Timecode | TrackKind::Data => None,
    }
}

fn video(code: [u8; 4]) -> Option<&'static str> {
    Some(match &code {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" | b"ai12" | b"ai15" | b"ai1q"
        | b"ai52" | b"ai55" | b"ai5q" => "h264",
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "hevc",
        b"vvc1" | b"vvi1" => "vvc",
        b"ap4h" | b"ap4x" | b"apch" | b"apcn" | b"apco" | b"apcs" | b"aprn" | b"aprh" => "prores",
        b"AVdn" | b"AVdh" => "dnxhd",
        b"av01" | b"dav1" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"mp4v" => "mpeg4",
        b"jpeg" | b"mjpa" | b"AVDJ" => "mjpeg",
        b"mjpb" => "mjpegb",
        b"mjp2" => "jpeg2000",
        b"CFHD" => "cfhd",
        b"dvc " | b"dvcp" | b"dvpp" | b"dv5n" | b"dv5p" | b"dvh2" | b"dvh3" | b"dvh4" | b"dvh5"
        | b"dvh6" | b"dvhp" | b"dvhq" => "dvvideo",
        b"m2v1" | b"mpg2" | b"xdv1" | b"xdv2" | b"xdv3" | b"xdv4" | b"xdv5" | b"xdv6" | b"xdv7"
        | b"xdv8" | b"xdv9" | b"xdva" | b"xdvb" | b"xdvc" | b"xdvd" | b"xdve" | b"xdvf"
        | b"xd54" | b"xd55" | b"xd59" | b"xd5a" | b"xd5b" | b"xd5c" | b"xd5d" | b"xd5e"
        | b"xd5f" | b"hdv1" | b"hdv2" | b"hdv3" | b"hdv4" | b"hdv5" | b"hdv6" | b"hdv7"
        | b"hdv8" | b"hdv9" | b"hdva" | b"mx5n" | b"mx5p" | b"mx4n" | b"mx4p" | b"mx3n"
        | b"mx3p" => "mpeg2video",
        b"mpeg" | b"m1v1" | b"m1v " => "mpeg1video",
        b"s263" | b"h263" | b"H263" => "h263",
        b"SVQ1" => "svq1",
        b"SVQ3" => "svq3",
        b"rle " => "qtrle",
        b"png " => "png",
        b"tiff" => "tiff",
        b"v210" => "v210",
        b"v308" => "v308",
        b"v408" => "v408",
        b"v410" => "v410",
        b"r210" => "r210",
        b"raw " | b"2vuy" | b"yuv2" | b"yuvs" | b"b16g" | b"b48r" | b"b64a" | b"BGRA" => "rawvideo",
        b"Hap1" | b"Hap5" | b"HapY" | b"HapA" | b"HapM" => "hap",
        b"icod" => "aic",
        b"FFV1" => "ffv1",
        b"cvid" => "cinepak",
        _ => return None,
    })
}

fn audio(code: [u8; 4]) -> Option<&'static str> {
    Some(match &code {
        b"mp4a" => "aac",
        b".mp3" | b"mp3 " | b"ms\0\x55" => "mp3",
        b".mp2" | b"ms\0\x50" => "mp2",
        b"ac-3" | b"AC-3" | b"sac3" | b"ms\x20\0" => "ac3",
        b"ec-3" => "eac3",
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => "dts",
        b"mlpa" => "truehd",
        b"alac" => "alac",
        b"fLaC" => "flac",
        b"Opus" => "opus",
        b"samr" => "amr_nb",
        b"sawb" => "amr_wb",
        b"ulaw" => "pcm_mulaw",
        b"alaw" => "pcm_alaw",
        b"ima4" => "adpcm_ima_qt",
        b"QDM2" => "qdm2",
        b"spex" => "speex",
        _ => return None,
    })
}

fn subtitle(code: [u8; 4]) -> Option<&'static str> {
    Some(match &code {
        b"tx3g" | b"text" => "mov_text",
        b"c608" => "eia_608",
        b"wvtt" => "webvtt",
        b"stpp" | b"dfxp" => "ttml",
        b"mp4s" => "dvd_subtitle",
        _ => return None,
    })
}

/// Flavour of ProRes by its code (Apple ProRes white paper).
pub(super) fn prores_profile(code: [u8; 4]) -> Option<&'static str> {
    Some(match &code {
        b"apco" => "Proxy",
        b"apcs" => "LT",
        b"apcn" => "Standard",
        b"apch" => "HQ",
        b"ap4h" => "4444",
        b"ap4x" => "XQ",
        _ => return None,
    })
}

/// A form of uncompressed sound.
pub(super) struct Pcm {
    pub(super) name: &'static str,
    /// Bytes of one sample of one channel.
    pub(super) bytes: u32,
}

/// Uncompressed sound: QuickTime's codes, and `ipcm`/`fpcm` of ISO/IEC 23003-5. `flags` are those of a version 2
/// sound description (1 float, 2 big-endian, 4 signed).
pub(super) fn pcm(
    code: [u8; 4],
    bits: u32,
    little_endian: bool,
    flags: Option<u32>,
) -> Option<Pcm> {
    let has = |flag: u32| flags.is_some_and(|flags| flags & flag != 0);
    let (float, signed, little, bits) = match &code {
        b"sowt" => (false, true, true, bits),
        b"twos" => (false, true, false, bits),
        b"in24" => (false, true, little_endian, 24),
        b"in32" => (false, true, little_endian, 32),
        b"fl32" => (true, true, little_endian, 32),
        b"fl64" => (true, true, little_endian, 64),
        b"ipcm" => (false, true, little_endian, bits),
        b"fpcm" => (true, true, little_endian, bits),
        b"lpcm" => (has(1), has(4), !has(2), bits),
        b"raw " | b"NONE" | [0, 0, 0, 0] => (false, bits > 8, false, bits),
        _ => return None,
    };
    let name = match (float, signed, little, bits) {
        (true, _, true, 32) => "pcm_f32le",
        (true, _, false, 32) => "pcm_f32be",
        (true, _, true, 64) => "pcm_f64le",
        (true, _, false, 64) => "pcm_f64be",
        (false, true, _, 8) => "pcm_s8",
        (false, false, _, 8) => "pcm_u8",
        (false, _, true, 16) => "pcm_s16le",
        (false, _, false, 16) => "pcm_s16be",
        (false, _, true, 24) => "pcm_s24le",
        (false, _, false, 24) => "pcm_s24be",
        (false, _, true, 32) => "pcm_s32le",
        (false, _, false, 32) => "pcm_s32be",
        _ => return None,
    };
    Some(Pcm {
        name,
        bytes: bits / 8,
    })
}
