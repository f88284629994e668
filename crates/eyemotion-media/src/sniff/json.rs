//! JSON is known by being JSON to its end.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::de::IgnoredAny;

/// Levels of arrays and objects; beyond them a parser's own bookkeeping would grow with the file.
const DEPTH: u32 = 512;

/// Whether the file is one JSON array or object (RFC 8259) and nothing else. Memory does not grow with the file.
pub(super) fn is_json(path: &Path) -> io::Result<bool> {
    let reader = ShallowJson {
        inner: File::open(path)?,
        depth: 0,
        state: State::Start,
    };
    match serde_json::from_reader::<_, IgnoredAny>(BufReader::with_capacity(64 * 1024, reader)) {
        Ok(IgnoredAny) => Ok(true),
        Err(e) if e.is_io() && e.io_error_kind() != Some(io::ErrorKind::InvalidData) => {
            Err(e.into())
        }
        Err(_) => Ok(false),
    }
}

#[derive(Clone, Copy)]
enum State {
    Start,
    Outside,
    InString,
    Escaped,
}

/// Passes bytes on, and fails as soon as they nest too deep or do not begin an array or object.
struct ShallowJson<R> {
    inner: R,
    depth: u32,
    state: State,
}

impl<R: Read> Read for ShallowJson<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for &byte in buffer.iter().take(count) {
            self.state = match (self.state, byte) {
                (State::Start, b' ' | b'\t' | b'\r' | b'\n') => State::Start,
                (State::Start | State::Outside, b'[' | b'{') => {
                    self.depth += 1;
                    if self.depth > DEPTH {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    State::Outside
                }
                (State::Start, _) => return Err(io::ErrorKind::InvalidData.into()),
                (State::Outside, b']' | b'}') => {
                    self.depth = self.depth.saturating_sub(1);
                    State::Outside
                }
                (State::Outside, b'"') | (State::Escaped, _) => State::InString,
                (State::InString, b'"') | (State::Outside, _) => State::Outside,
                (State::InString, b'\\') => State::Escaped,
                (State::InString, _) => State::InString,
            };
        }
        Ok(count)
    }
}
