//! What a file is, by its bytes alone.

mod json;
mod magic;
pub(crate) mod svg;

use std::io;
use std::path::Path;

use crate::error::ProbeError;
use crate::media_type::MediaType;
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
    let format = match magic::format(&mut source) {
        Ok(Some(format)) => Some(format),
        Ok(None) if magic::looks_like_text(&mut source)? => {
            if svg::is_svg(path)? {
                Some(crate::media_type::Format::Svg)
            } else if json::is_json(path)? {
                Some(crate::media_type::Format::Json)
            } else {
                None
            }
        }
        Ok(None) => None,
        Err(ProbeError::Io(e)) => return Err(e),
        Err(_) => None,
    };
    Ok(format.and_then(MediaType::of_format))
}
