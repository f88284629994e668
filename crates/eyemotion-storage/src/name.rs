//! File names, as people give them. They are shown and sent back, and never become a path of ours.

use crate::error::StorageError;
use eyemotion_media::{DeclaredTypeError, MediaType, declared};

/// Checks a name: 1 to 255 characters, not blank, no separators, no control characters.
pub(crate) fn check(name: &str, pointer: &str) -> Result<(), StorageError> {
    let length = name.chars().count();
    let fault = if !(1..=255).contains(&length) || name.trim().is_empty() {
        "must have 1 to 255 characters"
    } else if name.contains(['/', '\\']) || matches!(name, "." | "..") {
        "must be a file's name, without a path"
    } else if name.chars().any(char::is_control) {
        "must not have control characters"
    } else {
        return Ok(());
    };
    Err(StorageError::invalid(pointer, fault))
}

/// The type that name and MIME type agree on.
pub(crate) fn media_type(mime: &str, name: &str) -> Result<&'static MediaType, StorageError> {
    declared(mime, name)
        .map_err(|error: DeclaredTypeError| StorageError::UnsupportedType(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_not_paths() {
        for good in ["a.mp4", "ภาพยนตร์ ๑.mov", "…", &"x".repeat(255)] {
            check(good, "/fileName").unwrap();
        }
        let long = "x".repeat(256);
        for bad in [
            "",
            "  ",
            ".",
            "..",
            "a/b.mp4",
            "..\\a.mp4",
            "a\0.mp4",
            "a\n.mp4",
            &long,
        ] {
            assert!(
                matches!(check(bad, "/fileName"), Err(StorageError::Invalid(_))),
                "{bad:?}"
            );
        }
    }
}
