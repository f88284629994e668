//! Still pictures: their size, and small copies of them.

mod tiff;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
};

use crate::error::{ProbeError, ThumbnailError};
use crate::media_type::{Format, MediaType};
use crate::probe::{Probe, Track, TrackKind};
use crate::sniff;

/// Most pixels that are decoded: 100 megapixels.
const PIXELS: u64 = 100_000_000;

/// Most bytes that decoding may take: 100 megapixels of four bytes and some room.
const MEMORY: u64 = 512 * 1024 * 1024;

/// Largest file of a format whose decoder takes the file into memory whole.
const WHOLE_FILE: u64 = 128 * 1024 * 1024;

/// JPEG quality of thumbnails, of 100.
const QUALITY: u8 = 82;

/// A small picture, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// Width in pixels, rotation applied.
    pub width: u32,
    /// Height in pixels, rotation applied.
    pub height: u32,
    /// MIME type of `bytes`, `image/jpeg`.
    pub mime: &'static str,
}

/// Makes a JPEG of at most `max_edge` pixels in width and height; smaller pictures keep their size.
///
/// The EXIF orientation is applied, an animation gives its first frame, transparency turns white. Decoding takes up to
/// 512 MiB for the largest pictures, so callers bound how many run at once.
///
/// # Errors
/// The file is no picture or SVG, has more than 100 megapixels or is damaged.
pub fn image_thumbnail(path: impl AsRef<Path>, max_edge: u32) -> Result<Thumbnail, ThumbnailError> {
    let path = path.as_ref();
    let found = sniff(path)?;
    let format = found
        .and_then(|found| image_format(found.format))
        .ok_or_else(|| {
            ThumbnailError::Unsupported(found.map_or("this file", |found| found.mime).to_owned())
        })?;
    let mut decoder = open(path, format)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(Failure::from)?;
    let mut picture = shrink(picture, max_edge.max(1));
    picture.apply_orientation(orientation);
    let picture = on_white(&picture);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&picture)
        .map_err(Failure::from)?;
    let (width, height) = picture.dimensions();
    Ok(Thumbnail {
        bytes,
        width,
        height,
        mime: "image/jpeg",
    })
}

/// Size, codec and rotation of a picture.
pub(crate) fn probe(path: &Path, format: Format) -> Result<Probe, ProbeError> {
    let (name, codec) = names(format);
    let mut track = Track {
        kind: TrackKind::Video,
        codec: codec.to_owned(),
        ..Track::default()
    };
    let (width, height, orientation) = match image_format(format) {
        // The decoder refuses a file for pixels it cannot decode, but their number can still be told.
        Some(ImageFormat::Tiff) => {
            let header = tiff::read(path)?;
            (
                header.width,
                header.height,
                Orientation::from_exif(header.orientation),
            )
        }
        Some(format) => {
            let mut decoder = open(path, format)?;
            let (width, height) = decoder.dimensions();
            (width, height, decoder.orientation().ok())
        }
        None => {
            let size = sniff::svg::read(path)?.ok_or(ProbeError::Malformed("this is no SVG"))?;
            (size.width, size.height, None)
        }
    };
    track.width = Some(width).filter(|&width| width > 0);
    track.height = Some(height).filter(|&height| height > 0);
    track.rotation = match orientation.unwrap_or(Orientation::NoTransforms) {
        Orientation::NoTransforms | Orientation::FlipHorizontal => 0,
        Orientation::Rotate90 | Orientation::Rotate90FlipH => 90,
        Orientation::Rotate180 | Orientation::FlipVertical => 180,
        Orientation::Rotate270 | Orientation::Rotate270FlipH => 270,
    };
    Ok(Probe {
        container: name.to_owned(),
        tracks: vec![track],
        ..Probe::default()
    })
}

/// Opens a picture and reads its headers, within the limits.
fn open<'a>(path: &Path, format: ImageFormat) -> Result<impl ImageDecoder + 'a, Failure> {
    let file = File::open(path)?;
    let is_taken_whole = matches!(format, ImageFormat::Jpeg | ImageFormat::WebP);
    if is_taken_whole && file.metadata()?.len() > WHOLE_FILE {
        return Err(Failure::TooLarge);
    }
    let mut reader = ImageReader::with_format(BufReader::new(file), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS {
        return Err(Failure::TooLarge);
    }
    Ok(decoder)
}

/// Fits a picture into a square: in one coarse step down to about twice the size, then in one fine step.
fn shrink(picture: DynamicImage, max_edge: u32) -> DynamicImage {
    let edge = picture.width().max(picture.height());
    if edge <= max_edge {
        return picture;
    }
    let coarse = max_edge.saturating_mul(2);
    let picture = if edge > coarse.saturating_mul(2) {
        picture.thumbnail(coarse, coarse)
    } else {
        picture
    };
    picture.resize(max_edge, max_edge, image::imageops::FilterType::CatmullRom)
}

fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (to, from) in flat.pixels_mut().zip(picture.pixels()) {
        let [colors @ .., alpha] = from.0;
        let alpha = u16::from(alpha);
        *to = Rgb(colors.map(|color| {
            let mixed = (u16::from(color) * alpha + 255 * (255 - alpha)) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        }));
    }
    flat
}

fn image_format(format: Format) -> Option<ImageFormat> {
    Some(match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::Gif => ImageFormat::Gif,
        Format::Bmp => ImageFormat::Bmp,
        Format::Tiff => ImageFormat::Tiff,
        Format::WebP => ImageFormat::WebP,
        _ => return None,
    })
}

/// Names of container and codec.
fn names(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::Jpeg => ("jpeg", "mjpeg"),
        Format::Png => ("png", "png"),
        Format::Gif => ("gif", "gif"),
        Format::Bmp => ("bmp", "bmp"),
        Format::Tiff => ("tiff", "tiff"),
        Format::WebP => ("webp", "webp"),
        _ => ("svg", "svg"),
    }
}

/// What the decoders' many errors come to.
enum Failure {
    TooLarge,
    Unsupported(String),
    Malformed(String),
    Io(std::io::Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            ImageError::Unsupported(what) => Self::Unsupported(what.to_string()),
            // Decoders say of a file that ends early or leads nowhere that reading failed.
            ImageError::IoError(e)
                if !matches!(e.kind(), UnexpectedEof | InvalidData | InvalidInput) =>
            {
                Self::Io(e)
            }
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl From<Failure> for ThumbnailError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooLarge => Self::TooLarge,
            Failure::Unsupported(what) => Self::Unsupported(what),
            Failure::Malformed(reason) => Self::Malformed(reason),
            Failure::Io(e) => Self::Io(e),
        }
    }
}

impl From<Failure> for ProbeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooLarge => Self::TooLarge,
            Failure::Unsupported(_) => Self::Unsupported("a picture of this coding"),
            Failure::Malformed(_) => Self::Malformed("the picture's headers are not valid"),
            Failure::Io(e) => Self::Io(e),
        }
    }
}

/// Size of a JPEG that another program made.
pub(crate) fn jpeg_dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let reader = ImageReader::with_format(std::io::Cursor::new(bytes), ImageFormat::Jpeg);
    reader.into_dimensions().ok()
}

impl MediaType {
    /// Whether [`image_thumbnail`] knows this type.
    pub fn has_builtin_thumbnail(&self) -> bool {
        image_format(self.format).is_some()
    }
}
