//! Integration tests: real clips against ffprobe, committed fixtures, foreign and hostile files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failing helper fails its test, and skipped tests must be heard"
)]

mod clips;
mod ffmpeg;
mod ffprobe;
mod fixtures;
mod hostile;
mod sniffing;
mod thumbnails;
