//! SVG is known by being well-formed XML whose root is `svg`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Largest SVG that is read, in bytes: a parser holds one piece of text at a time, which may be all of it.
const LIMIT: u64 = 32 * 1024 * 1024;

/// Levels of elements.
const DEPTH: u32 = 1024;

/// Namespace of SVG (SVG 2, 5.2).
const NAMESPACE: &[u8] = b"http://www.w3.org/2000/svg";

/// What the root element says of the picture's size.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SvgSize {
    /// Width in pixels.
    pub(crate) width: u32,
    /// Height in pixels.
    pub(crate) height: u32,
}

/// Whether the whole file is one `svg` element. It may still hold scripts: never serve it inline.
pub(super) fn is_svg(path: &Path) -> io::Result<bool> {
    Ok(read(path)?.is_some())
}

/// The size of the picture, `None` when this is no SVG; zeros when it does not say.
pub(crate) fn read(path: &Path) -> io::Result<Option<SvgSize>> {
    let file = File::open(path)?;
    if file.metadata()?.len() > LIMIT {
        return Ok(None);
    }
    let mut text = BufReader::new(file.take(LIMIT));
    // Anything that does not begin with markup is left without being read on.
    if !starts_with_markup(&mut text)? {
        return Ok(None);
    }
    let mut reader = Reader::from_reader(text);
    let mut buffer = Vec::new();
    let (mut depth, mut size) = (0_u32, None);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => {
                if !accepts(&element, depth, &mut size) || depth == DEPTH {
                    return Ok(None);
                }
                depth += 1;
            }
            Ok(Event::Empty(element)) if !accepts(&element, depth, &mut size) => return Ok(None),
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Text(text)) if depth == 0 && !text.iter().all(u8::is_ascii_whitespace) => {
                return Ok(None);
            }
            Ok(Event::CData(_)) if depth == 0 => return Ok(None),
            Ok(Event::Eof) => return Ok(size.filter(|_| depth == 0)),
            Ok(_) => {}
            Err(quick_xml::Error::Io(e)) => return Err(io::Error::new(e.kind(), e)),
            Err(_) => return Ok(None),
        }
    }
}

fn starts_with_markup(text: &mut impl BufRead) -> io::Result<bool> {
    let head = text.fill_buf()?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    Ok(head.trim_ascii_start().starts_with(b"<"))
}

/// The root must be `svg`, once; and a web page inside makes the file something else than a picture.
fn accepts(element: &BytesStart, depth: u32, size: &mut Option<SvgSize>) -> bool {
    let name = element.local_name();
    if depth > 0 {
        return !name.as_ref().eq_ignore_ascii_case(b"html");
    }
    if size.is_some() || name.as_ref() != b"svg" {
        return false;
    }
    *size = Some(size_of(element));
    let namespaces = element.attributes().flatten().filter(|attribute| {
        let key = attribute.key.as_ref();
        match element.name().prefix() {
            Some(prefix) => key.strip_prefix(b"xmlns:") == Some(prefix.as_ref()),
            None => key == b"xmlns",
        }
    });
    // Without a namespace it is still meant as SVG, by old and hand-written files.
    namespaces
        .last()
        .is_none_or(|namespace| namespace.value.as_ref() == NAMESPACE)
}

/// Width and height in plain numbers or pixels; where they are missing or relative, the view box.
fn size_of(element: &BytesStart) -> SvgSize {
    let value = |name: &str| {
        let attribute = element.try_get_attribute(name).ok().flatten()?;
        std::str::from_utf8(&attribute.value)
            .ok()
            .map(str::to_owned)
    };
    let pixels = |name| value(name).and_then(|text| whole(text.trim().trim_end_matches("px")));
    let view_box = value("viewBox").unwrap_or_default();
    let mut corners = view_box
        .split([' ', ','])
        .filter(|part| !part.is_empty())
        .skip(2)
        .map(whole);
    let (box_width, box_height) = (corners.next().flatten(), corners.next().flatten());
    match (pixels("width"), pixels("height")) {
        (Some(width), Some(height)) => SvgSize { width, height },
        _ => SvgSize {
            width: box_width.unwrap_or_default(),
            height: box_height.unwrap_or_default(),
        },
    }
}

/// A decimal number rounded down, within 1 to 999,999.
fn whole(text: &str) -> Option<u32> {
    let digits = text.split('.').next()?;
    digits
        .parse()
        .ok()
        .filter(|number| (1..1_000_000).contains(number))
}
