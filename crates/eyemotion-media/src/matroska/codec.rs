//! Matroska codec ids (the Matroska codec registry) in ffprobe's codec names.

use crate::audio::wav;
use crate::fields::Fields;

/// The codec of a track; `private` is its CodecPrivate, `bits` its bit depth.
pub(super) fn name(id: &str, private: &[u8], bits: u32) -> &'static str {
    match id {
        "V_MPEG4/ISO/AVC" => "h264",
        "V_MPEGH/ISO/HEVC" => "hevc",
        "V_MPEGI/ISO/VVC" => "vvc",
        "V_AV1" => "av1",
        "V_VP8" => "vp8",
        "V_VP9" => "vp9",
        "V_PRORES" => "prores",
        "V_MJPEG" => "mjpeg",
        "V_MPEG1" => "mpeg1video",
        "V_MPEG2" => "mpeg2video",
        "V_MPEG4/ISO/SP" | "V_MPEG4/ISO/ASP" | "V_MPEG4/ISO/AP" => "mpeg4",
        "V_MPEG4/MS/V3" => "msmpeg4v3",
        "V_THEORA" => "theora",
        "V_FFV1" => "ffv1",
        "V_DIRAC" => "dirac",
        "V_UNCOMPRESSED" => "rawvideo",
        "V_MS/VFW/FOURCC" => bitmap_info(private),
        "A_OPUS" => "opus",
        "A_VORBIS" => "vorbis",
        "A_FLAC" => "flac",
        "A_ALAC" => "alac",
        "A_MPEG/L3" => "mp3",
        "A_MPEG/L2" => "mp2",
        "A_MPEG/L1" => "mp1",
        "A_EAC3" => "eac3",
        "A_TRUEHD" => "truehd",
        "A_MLP" => "mlp",
        "A_TTA1" => "tta",
        "A_WAVPACK4" => "wavpack",
        "A_PCM/INT/LIT" => pcm(bits, ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le"]),
        "A_PCM/INT/BIG" => pcm(bits, ["pcm_u8", "pcm_s16be", "pcm_s24be", "pcm_s32be"]),
        "A_PCM/FLOAT/IEEE" if bits == 64 => "pcm_f64le",
        "A_PCM/FLOAT/IEEE" => "pcm_f32le",
        "A_MS/ACM" => wave_format(private, bits),
        "S_TEXT/UTF8" | "S_TEXT/ASCII" => "subrip",
        "S_TEXT/ASS" | "S_TEXT/SSA" | "S_ASS" | "S_SSA" => "ass",
        "S_TEXT/WEBVTT" | "D_WEBVTT/SUBTITLES" | "D_WEBVTT/CAPTIONS" => "webvtt",
        "S_VOBSUB" => "dvd_subtitle",
        "S_DVBSUB" => "dvb_subtitle",
        "S_HDMV/PGS" => "hdmv_pgs_subtitle",
        "S_HDMV/TEXTST" => "hdmv_text_subtitle",
        _ if id.starts_with("A_AAC") => "aac",
        _ if id.starts_with("A_AC3") => "ac3",
        _ if id.starts_with("A_DTS") => "dts",
        _ if id.starts_with("V_REAL/RV40") => "rv40",
        _ => "unknown",
    }
}

fn pcm(bits: u32, [b8, b16, b24, b32]: [&'static str; 4]) -> &'static str {
    match bits {
        8 => b8,
        16 => b16,
        24 => b24,
        32 => b32,
        _ => "unknown",
    }
}

/// The compression of a Windows BITMAPINFOHEADER.
fn bitmap_info(private: &[u8]) -> &'static str {
    let mut fields = Fields(private);
    fields.skip(16);
    match fields
        .array::<4>()
        .map(|code| code.map(|byte| byte.to_ascii_uppercase()))
        .as_ref()
    {
        Some(b"H264" | b"X264" | b"AVC1") => "h264",
        Some(b"HEVC" | b"H265" | b"HVC1") => "hevc",
        Some(b"XVID" | b"DIVX" | b"DX50" | b"FMP4" | b"MP4V") => "mpeg4",
        Some(b"DIV3" | b"MP43") => "msmpeg4v3",
        Some(b"MJPG") => "mjpeg",
        Some(b"WMV3") => "wmv3",
        Some(b"WVC1") => "vc1",
        Some(b"FFV1") => "ffv1",
        Some(b"APCH" | b"APCN" | b"APCS" | b"APCO") => "prores",
        _ => "unknown",
    }
}

/// The codec of a Windows WAVEFORMATEX.
fn wave_format(private: &[u8], bits: u32) -> &'static str {
    let tag = Fields(private).u16_le().unwrap_or(0);
    wav::codec(tag, bits).unwrap_or("unknown")
}
