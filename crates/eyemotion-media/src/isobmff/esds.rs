//! The MPEG-4 elementary stream descriptor (ISO/IEC 14496-1, 7.2.6).

use crate::codec_config::{self, AacConfig};
use crate::fields::Fields;

/// What an `esds` box says of its track.
#[derive(Debug, Default)]
pub(super) struct EsConfig {
    pub(super) codec: Option<&'static str>,
    pub(super) aac: Option<AacConfig>,
}

/// Reads the content of an `esds` box.
pub(super) fn read(content: &[u8]) -> Option<EsConfig> {
    let mut fields = Fields(content);
    fields.skip(4)?;
    let mut stream = descriptor(&mut fields, 0x03)?;
    stream.skip(2)?;
    let flags = stream.u8()?;
    if flags & 0x80 != 0 {
        stream.skip(2)?;
    }
    if flags & 0x40 != 0 {
        let len = usize::from(stream.u8()?);
        stream.skip(len)?;
    }
    if flags & 0x20 != 0 {
        stream.skip(2)?;
    }
    let mut decoder = descriptor(&mut stream, 0x04)?;
    let codec = codec(decoder.u8()?);
    decoder.skip(12)?;
    let aac = descriptor(&mut decoder, 0x05).and_then(|own| codec_config::aac(own.0));
    Some(EsConfig { codec, aac })
}

/// The content of the descriptor at the front, when its tag is the expected one.
fn descriptor<'a>(fields: &mut Fields<'a>, tag: u8) -> Option<Fields<'a>> {
    if fields.u8()? != tag {
        return None;
    }
    let mut len = 0_usize;
    for _ in 0..4 {
        let byte = fields.u8()?;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    // A cut descriptor is read as far as it goes.
    fields.take(len.min(fields.0.len())).map(Fields)
}

/// Registered object types (MP4 registration authority).
fn codec(object_type: u8) -> Option<&'static str> {
    Some(match object_type {
        0x20 => "mpeg4",
        0x21 => "h264",
        0x23 => "hevc",
        0x40 | 0x66..=0x68 => "aac",
        0x60..=0x65 => "mpeg2video",
        0x69 | 0x6b => "mp3",
        0x6a => "mpeg1video",
        0x6c => "mjpeg",
        0x6d => "png",
        0x6e => "jpeg2000",
        0xa5 => "ac3",
        0xa6 => "eac3",
        0xa9 => "dts",
        0xad => "opus",
        0xdd => "vorbis",
        _ => return None,
    })
}
