//! What a file is, by its bytes alone.

mod json;
mod magic;
pub(crate) mod svg;

use std::io;
use std::path::Path;

use crate::error::ProbeError;
use crate::media_type::{Format, MediaType};
use crate::source::Source;

/// Recognises a file's type by its content; neither its name nor what was declared plays a part.
///
/// `None` means that it is nothing that may be uploaded: a PDF, a program, HTML, text, an archive, a picture format
/// that is not listed, or an empty file. JSON and SVG are read to their end, since only that shows what they are; of
/// all others only the first bytes are read, so damage further on is for [`probe`](crate::probe) to find.
///
/// # Errors
/// The file cannot be read.
pub fn sniff(path: impl AsRef<Path>) -> Result<Option<&'static MediaType>, io::Error> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    let signature = match magic::format(&mut source) {
        Err(ProbeError::Io(e)) => return Err(e),
        // Structures that cannot be read are none of ours.
        Err(_) => return Ok(None),
        Ok(signature) => signature,
    };
    let format = if signature.is_some() || !magic::looks_like_text(&mut source)? {
        signature
    } else if svg::is_svg(path)? {
        Some(Format::Svg)
    } else if json::is_json(path)? {
        Some(Format::Json)
    } else {
        None
    };
    Ok(format.and_then(MediaType::of_format))
}
