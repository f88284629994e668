//! A file that is read at given offsets, under a budget, so that no header can make us read without end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::ProbeError;

/// Bytes that one probe may read from a file. The tables of a recording of ten hours at 60 frames a second fit twice.
const BUDGET: u64 = 64 * 1024 * 1024;

/// An opened file with its length and the bytes that may still be read from it.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    len: u64,
    left: u64,
}

impl Source {
    /// Opens a file with the full budget.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self {
            file,
            len,
            left: BUDGET,
        })
    }

    /// Length of the file in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` from `offset` as far as the file goes and says how many bytes that were.
    pub(crate) fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, ProbeError> {
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        self.left = self
            .left
            .checked_sub(wanted)
            .ok_or(ProbeError::TooComplex)?;
        self.file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(filled)
    }

    /// Exactly `N` bytes at `offset`, or `None` where the file ends before.
    pub(crate) fn array<const N: usize>(
        &mut self,
        offset: u64,
    ) -> Result<Option<[u8; N]>, ProbeError> {
        let mut buffer = [0; N];
        Ok((self.read(offset, &mut buffer)? == N).then_some(buffer))
    }

    /// At most `len` bytes at `offset`, fewer where the file ends before.
    pub(crate) fn up_to(&mut self, offset: u64, len: usize) -> Result<Vec<u8>, ProbeError> {
        let present = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; len.min(present)];
        let filled = self.read(offset, &mut buffer)?;
        buffer.truncate(filled);
        Ok(buffer)
    }
}
