//! A ZIP archive (APPNOTE 6.3) that is handed out while it is being written: no file, and no more
//! memory than what has been written since it was last taken.

use crate::error::AuthError;
use bytes::Bytes;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use zip::CompressionMethod;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};

pub(super) struct Archive {
    writer: ZipWriter<StreamWriter<Written>>,
    written: Written,
}

/// What the writer has put out and nobody has taken yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Bytes::from(std::mem::take(&mut *bytes))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(error: &dyn std::error::Error) -> AuthError {
    AuthError::Archive(error.to_string())
}

impl From<ZipError> for AuthError {
    fn from(error: ZipError) -> Self {
        failed(&error)
    }
}

impl Archive {
    pub(super) fn new() -> Self {
        let written = Written::default();
        Self {
            writer: ZipWriter::new_stream(written.clone()),
            written,
        }
    }

    /// Begins the next file; what follows goes into it.
    pub(super) fn begin(&mut self, name: &str) -> Result<(), AuthError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        Ok(self.writer.start_file(name, options)?)
    }

    /// Adds a text and a line's end.
    pub(super) fn line(&mut self, text: &str) -> Result<(), AuthError> {
        let writer = &mut self.writer;
        let written = writer
            .write_all(text.as_bytes())
            .and_then(|()| writer.write_all(b"\n"));
        written.map_err(|error| failed(&error))
    }

    /// What can be handed out by now; nothing, as long as it is being compressed.
    pub(super) fn take(&self) -> Bytes {
        self.written.take()
    }

    /// Ends the archive; its last bytes.
    pub(super) fn finish(self) -> Result<Bytes, AuthError> {
        self.writer.finish()?;
        Ok(self.written.take())
    }
}
