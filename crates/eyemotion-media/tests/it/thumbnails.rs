//! Small pictures of pictures and of films.

use std::fs;
use std::path::Path;
use std::time::Duration;

use eyemotion_media::{Thumbnail, ThumbnailError, image_thumbnail, video_thumbnail};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use crate::ffmpeg::Studio;
use crate::fixtures;

const MINUTE: Duration = Duration::from_mins(1);

fn decoded(thumbnail: &Thumbnail) -> RgbImage {
    assert_eq!(thumbnail.mime, "image/jpeg");
    let picture = image::load_from_memory_with_format(&thumbnail.bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!(
        (picture.width(), picture.height()),
        (thumbnail.width, thumbnail.height)
    );
    picture.to_rgb8()
}

fn is_near(pixel: Rgb<u8>, expected: [u8; 3]) -> bool {
    pixel
        .0
        .iter()
        .zip(expected)
        .all(|(a, b)| a.abs_diff(b) < 40)
}

/// A picture whose left half is red and whose right half is blue.
fn two_halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 {
            Rgb([255, 0, 0])
        } else {
            Rgb([0, 0, 255])
        }
    })
}

#[test]
fn every_picture_format_gets_one() {
    for name in [
        "jpeg.jpg",
        "png.png",
        "animated.gif",
        "bmp.bmp",
        "tiff.tiff",
        "webp.webp",
    ] {
        let thumbnail = image_thumbnail(fixtures::path(name), 12).unwrap();
        decoded(&thumbnail);
        assert_eq!((thumbnail.width, thumbnail.height), (12, 7), "{name}");
    }
}

#[test]
fn small_pictures_keep_their_size_and_long_ones_keep_an_edge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    for ((width, height), expected) in [
        ((10, 8), (10, 8)),
        ((3000, 2000), (300, 200)),
        ((4000, 1), (300, 1)),
        ((1, 1), (1, 1)),
    ] {
        two_halves(width, height).save(&path).unwrap();
        let thumbnail = image_thumbnail(&path, 300).unwrap();
        assert_eq!((thumbnail.width, thumbnail.height), expected);
        decoded(&thumbnail);
    }
    two_halves(100, 50).save(&path).unwrap();
    assert_eq!(image_thumbnail(&path, 0).unwrap().width, 1);
}

#[test]
fn exif_orientation_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    two_halves(64, 32).save(&path).unwrap();
    let plain = fs::read(&path).unwrap();
    // "Turn by 90 degrees with the clock", in the shortest EXIF there is, behind the first marker.
    let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let exif = [b"\xff\xe1\0\x22Exif\0\0".as_slice(), tiff].concat();
    fs::write(&path, [&plain[..2], &exif, &plain[2..]].concat()).unwrap();
    let picture = decoded(&image_thumbnail(&path, 32).unwrap());
    assert_eq!((picture.width(), picture.height()), (16, 32));
    assert!(
        is_near(*picture.get_pixel(8, 4), [255, 0, 0]),
        "red is above"
    );
    assert!(
        is_near(*picture.get_pixel(8, 28), [0, 0, 255]),
        "blue is below"
    );
    let probe = eyemotion_media::probe(&path, fixtures::type_of(&path)).unwrap();
    let track = &probe.tracks[0];
    assert_eq!(
        (track.width, track.height, track.rotation),
        (Some(64), Some(32), 90)
    );
}

#[test]
fn transparency_turns_white_and_deep_colours_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0]))
        .save(&path)
        .unwrap();
    let picture = decoded(&image_thumbnail(&path, 10).unwrap());
    assert!(is_near(*picture.get_pixel(5, 5), [255, 255, 255]));
    let deep = DynamicImage::ImageRgb8(two_halves(20, 20)).to_rgb16();
    DynamicImage::ImageRgb16(deep).save(&path).unwrap();
    let picture = decoded(&image_thumbnail(&path, 10).unwrap());
    assert!(is_near(*picture.get_pixel(8, 5), [0, 0, 255]));
}

#[test]
fn what_is_no_picture_is_refused() {
    for name in [
        "drawing.svg",
        "scenes.json",
        "pcm.wav",
        "h264_25_faststart.mp4",
    ] {
        let refused = image_thumbnail(fixtures::path(name), 32).unwrap_err();
        assert!(
            matches!(refused, ThumbnailError::Unsupported(_)),
            "{name}: {refused:?}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    fs::write(&path, &fs::read(fixtures::path("png.png")).unwrap()[..40]).unwrap();
    let refused = image_thumbnail(&path, 32).unwrap_err();
    assert!(
        matches!(refused, ThumbnailError::Malformed(_)),
        "{refused:?}"
    );
}

#[test]
fn films_get_the_frame_asked_for() {
    let Some(studio) = Studio::open() else { return };
    let red_then_blue = "-f lavfi -i color=red:s=640x360:d=1 -f lavfi -i color=blue:s=640x360:d=1 \
                         -filter_complex concat=n=2:v=1 -pix_fmt yuv420p";
    for name in ["a.mp4", "a.webm", "a.mkv"] {
        let path = studio.make(name, red_then_blue);
        let at = |ms| {
            let at = Duration::from_millis(ms);
            video_thumbnail(studio.ffmpeg(), &path, at, 320, MINUTE).unwrap()
        };
        let (first, later, beyond) = (at(0), at(1500), at(60_000));
        assert_eq!((first.width, first.height), (320, 180));
        assert!(
            is_near(*decoded(&first).get_pixel(100, 100), [255, 0, 0]),
            "{name}"
        );
        assert!(
            is_near(*decoded(&later).get_pixel(100, 100), [0, 0, 255]),
            "{name}"
        );
        assert!(
            is_near(*decoded(&beyond).get_pixel(100, 100), [255, 0, 0]),
            "{name}"
        );
    }
}

#[test]
fn films_are_turned_and_stretched_as_players_do() {
    let Some(studio) = Studio::open() else { return };
    let path = studio.make(
        "a.mp4",
        "-f lavfi -i testsrc2=s=720x576:d=0.2 -vf setsar=64/45",
    );
    let thumbnail = video_thumbnail(studio.ffmpeg(), &path, Duration::ZERO, 512, MINUTE).unwrap();
    assert_eq!((thumbnail.width, thumbnail.height), (512, 288));
    let turned = fixtures::path("rotated.mp4");
    let thumbnail = video_thumbnail(studio.ffmpeg(), &turned, Duration::ZERO, 640, MINUTE).unwrap();
    assert_eq!(
        (thumbnail.width, thumbnail.height),
        (36, 64),
        "never enlarged"
    );
}

#[test]
fn files_without_pictures_or_of_other_formats_give_none() {
    let Some(studio) = Studio::open() else { return };
    let sound = fixtures::path("aac.m4a");
    let playlist = studio.path("playlist.mp4");
    let film = fixtures::path("h264_25_faststart.mp4");
    let entry = format!(
        "#EXTM3U\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n",
        film.display()
    );
    fs::write(&playlist, entry).unwrap();
    let concat = studio.path("concat.mp4");
    fs::write(
        &concat,
        format!("ffconcat version 1.0\nfile {}\n", film.display()),
    )
    .unwrap();
    let options = Path::new("-version");
    for path in [
        &sound,
        &playlist,
        &concat,
        &studio.path("absent.mp4"),
        options,
    ] {
        let result = video_thumbnail(studio.ffmpeg(), path, Duration::ZERO, 64, MINUTE);
        assert!(
            matches!(&result, Err(ThumbnailError::NoFrame(said)) if !said.is_empty()),
            "{result:?}"
        );
    }
}

#[test]
#[cfg(unix)]
fn a_program_that_hangs_is_ended() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ffmpeg");
    let note = folder.path().join("pid");
    fs::write(
        &program,
        format!(
            "#!/bin/sh\necho $$ > {}\nexec /bin/sleep 1000\n",
            note.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let film = fixtures::path("h264_25_faststart.mp4");
    let timeout = Duration::from_secs(2);
    let result = video_thumbnail(&program, film, Duration::ZERO, 64, timeout);
    assert!(
        matches!(result, Err(ThumbnailError::TimedOut)),
        "{result:?}"
    );
    let pid = fs::read_to_string(note).unwrap();
    assert!(
        !Path::new("/proc").join(pid.trim()).exists(),
        "the program is gone"
    );
}

#[test]
fn a_program_that_is_missing_is_an_error_of_the_system() {
    let film = fixtures::path("h264_25_faststart.mp4");
    let result = video_thumbnail(Path::new("no/ffmpeg"), film, Duration::ZERO, 64, MINUTE);
    assert!(matches!(result, Err(ThumbnailError::Io(_))), "{result:?}");
}
