//! Integration tests: real clips against ffprobe, committed fixtures, foreign and hostile files.

mod clips;
mod ffmpeg;
mod fixtures;
mod hostile;
mod sniffing;
mod thumbnails;
