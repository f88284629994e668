//! Thumbnails of video, through ffmpeg where the machine has it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::ThumbnailError;
use crate::image::{Thumbnail, jpeg_dimensions};

/// Most bytes taken of a picture.
const PICTURE: u64 = 16 * 1024 * 1024;

/// Most bytes taken of what ffmpeg has to say.
const MESSAGE: u64 = 4 * 1024;

/// The demuxers that may open a file. Playlists and the like would read other files and addresses.
const DEMUXERS: &str = "mov,matroska,avi,asf,flv,mxf";

/// Environment that ffmpeg needs; it gets no other, since it reads what strangers sent and ours holds secrets.
const ENVIRONMENT: [&str; 5] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TMPDIR",
    "SystemRoot",
];

/// Finds the program `ffmpeg` on PATH.
pub fn find_ffmpeg() -> Option<PathBuf> {
    let name = format!("ffmpeg{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&name))
        .find(|program| is_executable(program))
}

#[cfg(unix)]
fn is_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    program
        .metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(program: &Path) -> bool {
    program.is_file()
}

/// Makes a JPEG of the frame shown at `at`, of at most `max_edge` pixels in width and height.
///
/// Rotation and the shape of pixels are applied. Where there is no frame at that time, the first one is taken. ffmpeg
/// runs with an empty environment, may open this one file only, and is ended after `timeout`. The file should have
/// been sniffed before.
///
/// # Errors
/// ffmpeg cannot be started, finds no picture, or takes too long.
pub fn video_thumbnail(
    ffmpeg: &Path,
    path: impl AsRef<Path>,
    at: Duration,
    max_edge: u32,
    timeout: Duration,
) -> Result<Thumbnail, ThumbnailError> {
    let path = path.as_ref();
    let deadline = Instant::now() + timeout;
    match frame(ffmpeg, path, at, max_edge, deadline) {
        Err(ThumbnailError::NoFrame(_)) if !at.is_zero() => {
            frame(ffmpeg, path, Duration::ZERO, max_edge, deadline)
        }
        result => result,
    }
}

fn frame(
    ffmpeg: &Path,
    path: &Path,
    at: Duration,
    max_edge: u32,
    deadline: Instant,
) -> Result<Thumbnail, ThumbnailError> {
    let mut child = Running(command(ffmpeg, path, at, max_edge.max(1)).spawn()?);
    let picture = collect(child.0.stdout.take(), PICTURE);
    let message = collect(child.0.stderr.take(), MESSAGE);
    let bytes = picture
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .map_err(|_late| ThumbnailError::TimedOut)?;
    if let Some((width, height)) = jpeg_dimensions(&bytes) {
        return Ok(Thumbnail {
            bytes,
            width,
            height,
            mime: "image/jpeg",
        });
    }
    let message = message
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .map_err(|_late| ThumbnailError::TimedOut)?;
    Err(ThumbnailError::NoFrame(
        String::from_utf8_lossy(&message).trim().to_owned(),
    ))
}

fn command(ffmpeg: &Path, path: &Path, at: Duration, max_edge: u32) -> Command {
    // The prefix keeps names that look like options or addresses from being taken for such.
    let mut input = OsString::from("file:");
    input.push(path);
    let filter = format!(
        "scale=w='max(1,trunc(iw*sar))':h=ih,setsar=1,\
         scale=w='min({max_edge},iw)':h='min({max_edge},ih)':force_original_aspect_ratio=decrease"
    );
    let mut command = Command::new(ffmpeg);
    command
        .args([
            "-nostdin",
            "-hide_banner",
            "-loglevel",
            "error",
            "-threads",
            "2",
        ])
        .args(["-protocol_whitelist", "file", "-format_whitelist", DEMUXERS])
        .args(["-ss", &format!("{:.6}", at.as_secs_f64()), "-i"])
        .arg(input)
        .args(["-map", "0:V:0", "-frames:v", "1", "-vf", &filter])
        .args(["-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", "pipe:1"])
        .env_clear()
        .envs(
            ENVIRONMENT
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A program that does not outlive its use.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end, only to wait for.
        let _: io::Result<()> = self.0.kill();
        let _: io::Result<_> = self.0.wait();
    }
}

/// Reads a pipe to its end on a thread of its own, so that a time-out can be kept.
fn collect(pipe: Option<impl Read + Send + 'static>, cap: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What came before a failure is all that there is.
            let _: io::Result<usize> = pipe.take(cap).read_to_end(&mut bytes);
        }
        // Nobody waits any more after a time-out.
        let _: Result<(), _> = sender.send(bytes);
    });
    receiver
}
