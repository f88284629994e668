//! The log that PostgreSQL's programs write.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::error::{IoContext, LocalError};

/// The log is started anew at the next start once it is this large, in bytes; one old log is kept.
const LIMIT: u64 = 8 << 20;

/// The server's log: opened by us, so that it may lie where the server's user may not write.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Where this start's lines begin.
    start: u64,
}

impl Log {
    pub(super) fn open(path: PathBuf) -> Result<Self, LocalError> {
        let file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .context("opening", &path)?;
        let start = file.metadata().context("examining", &path)?.len();
        Ok(Self { path, file, start })
    }

    /// Starts a new file if this one is large. Wants the lock on the file, and takes that of the
    /// new one.
    pub(super) fn rotate(&mut self) -> Result<(), LocalError> {
        if self.start < LIMIT {
            return Ok(());
        }
        fs::rename(&self.path, self.path.with_extension("log.1"))
            .context("renaming", &self.path)?;
        *self = Self::open(self.path.clone())?;
        self.file.lock().context("locking", &self.path)
    }

    /// The open file, to lock or to hand to a program together with its lock.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The last lines since the start.
    pub(super) fn tail(&self) -> String {
        const LINES: usize = 20;
        const BYTES: u64 = 8 << 10;
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.path)?;
            let begin = self.start.max(file.metadata()?.len().saturating_sub(BYTES));
            file.seek(SeekFrom::Start(begin))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(LINES)..)
            .unwrap_or_default()
            .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_tail_begins_with_this_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        fs::write(&path, "of an earlier run\n").unwrap();
        let log = Log::open(path).unwrap();
        assert_eq!(log.tail(), "");
        let lines: Vec<String> = (0..30).map(|line| format!("line {line}")).collect();
        writeln!(log.file(), "{}", lines.join("\n")).unwrap();
        assert_eq!(log.tail(), lines[10..].join("\n"));
    }

    #[test]
    fn a_large_log_is_put_aside_and_the_new_one_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        fs::write(&path, "small").unwrap();
        Log::open(path.clone()).unwrap().rotate().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"small");

        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(LIMIT)
            .unwrap();
        let mut log = Log::open(path.clone()).unwrap();
        log.rotate().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert_eq!(
            fs::metadata(folder.path().join("postgres.log.1"))
                .unwrap()
                .len(),
            LIMIT
        );
        assert!(File::open(&path).unwrap().try_lock().is_err());
        assert_eq!(log.tail(), "");
    }
}
