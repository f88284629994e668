//! Secret files: made once, readable by their owner alone, never half-written.

use crate::keys::KeysError;
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// The file's text, or what `make` gives, written there first. Whoever comes second reads what
/// the first one wrote.
pub(crate) fn read_or_create(
    path: &Path,
    make: impl FnOnce() -> Result<SecretString, KeysError>,
) -> Result<SecretString, KeysError> {
    let failed = |source| KeysError::File {
        path: path.to_owned(),
        source,
    };
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        known => return known.map_err(failed),
    }
    create(path, &make()?).map_err(failed)?;
    read(path).map_err(failed)
}

fn read(path: &Path) -> io::Result<SecretString> {
    let text = fs::read_to_string(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others can read this key; chmod 600 it");
    }
    Ok(text.into())
}

fn create(path: &Path, secret: &SecretString) -> io::Result<()> {
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    // A temporary file is made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => File::open(dir)?.sync_all(),
    }
}

/// The bytes as a PEM block (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(48) {
        text.push_str(&BASE64.encode(line));
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}
