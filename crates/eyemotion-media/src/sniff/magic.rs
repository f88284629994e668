//! Signatures at the start of a file.

use std::io;

use crate::audio::mpeg;
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::isobmff::boxes::Boxes;
use crate::matroska::ebml;
use crate::media_type::Format;
use crate::source::Source;

/// Bytes read of a Windows Media header, which may hold cover art before its streams.
const ASF_HEADER: usize = 1024 * 1024;

/// ASF_Video_Media, the type of a stream of pictures (ASF specification, 10.4).
const ASF_VIDEO: [u8; 16] = [
    0xc0, 0xef, 0x19, 0xbc, 0x4d, 0x5b, 0xcf, 0x11, 0xa8, 0xfd, 0x00, 0x80, 0x5f, 0x5c, 0x44, 0x2b,
];

/// The format whose signature the file carries.
pub(super) fn format(source: &mut Source) -> Result<Option<Format>, ProbeError> {
    let head = source.up_to(0, 64)?;
    let is = |signature: &[u8]| head.starts_with(signature);
    let at = |offset: usize, signature: &[u8]| {
        head.get(offset..)
            .is_some_and(|tail| tail.starts_with(signature))
    };
    Ok(if is(&[0xff, 0xd8, 0xff]) {
        Some(Format::Jpeg)
    } else if is(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if is(b"GIF87a") || is(b"GIF89a") {
        Some(Format::Gif)
    } else if is(b"BM") && is_bmp(&head) {
        Some(Format::Bmp)
    } else if (is(b"II\x2a\0") || is(b"MM\0\x2a")) && !at(8, b"CR") {
        // "CR" marks Canon's raw files, which only look like TIFF.
        Some(Format::Tiff)
    } else if is(b"RIFF") && at(8, b"WEBP") {
        Some(Format::WebP)
    } else if is(b"RIFF") && at(8, b"AVI ") {
        Some(Format::Avi)
    } else if (is(b"RIFF") || is(b"RF64") || is(b"BW64")) && at(8, b"WAVE") {
        Some(Format::Wav)
    } else if is(b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        Some(Format::Aiff)
    } else if is(b"fLaC") {
        Some(Format::Flac)
    } else if is(b"OggS") {
        ogg(&head)
    } else if is(&[0x1a, 0x45, 0xdf, 0xa3]) {
        match ebml::doc_type(source)?.as_deref() {
            Some("matroska") => Some(Format::Matroska),
            Some("webm") => Some(Format::WebM),
            _ => None,
        }
    } else if is(&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11]) {
        let header = source.up_to(0, ASF_HEADER)?;
        let has_video = header
            .windows(ASF_VIDEO.len())
            .any(|bytes| bytes == ASF_VIDEO);
        Some(if has_video { Format::Wmv } else { Format::Wma })
    } else if is(b"FLV\x01") {
        Some(Format::Flv)
    } else if is(&[
        0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0d, 0x01, 0x02, 0x01, 0x01, 0x02,
    ]) {
        Some(Format::Mxf)
    } else if let Some(format) = isobmff(source)? {
        Some(format)
    } else {
        audio_frames(source)?
    })
}

/// Whether a file without a signature may be text: no zero byte at its start.
pub(super) fn looks_like_text(source: &mut Source) -> io::Result<bool> {
    match source.up_to(0, 512) {
        Ok(head) => Ok(!head.is_empty() && !head.contains(&0)),
        Err(ProbeError::Io(e)) => Err(e),
        Err(_) => Ok(false),
    }
}

/// A bitmap says the size of its second header, which keeps text that begins with "BM" out.
fn is_bmp(head: &[u8]) -> bool {
    let mut fields = Fields(head);
    fields.skip(14);
    matches!(
        fields.u32_le(),
        Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
    )
}

/// The first page's packet names the codec: only those of sound are wanted.
fn ogg(head: &[u8]) -> Option<Format> {
    let packet = head.get(28..)?;
    let sound: [&[u8]; 4] = [b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   "];
    sound
        .iter()
        .any(|magic| packet.starts_with(magic))
        .then_some(Format::Ogg)
}

/// MP4, MOV and M4A: a file type box, or the boxes of a QuickTime file older than that box.
fn isobmff(source: &mut Source) -> Result<Option<Format>, ProbeError> {
    let Some(first) = source.array::<12>(0)? else {
        return Ok(None);
    };
    let [_, _, _, _, kind @ .., b0, b1, b2, b3] = first;
    match &kind {
        b"ftyp" => Ok(match &[b0, b1, b2, b3] {
            b"qt  " => Some(Format::QuickTime),
            b"M4A " | b"M4B " | b"F4A " => Some(Format::M4a),
            // Still pictures and a camera's raw files share the structure, but are not on the list.
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1"
            | b"avif" | b"avis" | b"crx " | b"jp2 " | b"jpx " | b"jpm " => None,
            _ => Some(Format::Mp4),
        }),
        b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot" => {
            let mut boxes = Boxes::of_file(source);
            while let Some(found) = boxes.next(source)? {
                if found.kind == *b"moov" {
                    return Ok(Some(Format::QuickTime));
                }
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Streams without a container: MP3 and ADTS, either behind ID3 tags.
fn audio_frames(source: &mut Source) -> Result<Option<Format>, ProbeError> {
    let start = mpeg::behind_id3(source)?;
    if start > 0 && source.array::<4>(start)? == Some(*b"fLaC") {
        return Ok(Some(Format::Flac));
    }
    let frame = if start > 0 {
        // Writers pad between tag and sound.
        mpeg::find_stream(source, start)?.map(|(_, frame)| frame)
    } else if mpeg::is_stream(source, 0)? {
        mpeg::frame_at(source, 0)?
    } else {
        None
    };
    Ok(frame.map(|frame| {
        if frame.codec == "aac" {
            Format::Adts
        } else {
            Format::MpegAudio
        }
    }))
}
