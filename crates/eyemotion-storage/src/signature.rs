//! URLs that carry their own authority for a while.

use crate::model::{Disposition, Rendition};
use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use eyemotion_core::FileId;
use std::fmt;

/// Signs and checks URLs with HMAC-SHA-256 (RFC 2104). The same key on every replica.
pub struct UrlSigner {
    key: hmac::Key,
}

impl fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlSigner(..)")
    }
}

/// What the holder of a URL may do. Every field is part of what is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Permission<'a> {
    Upload {
        file: FileId,
        size: u64,
        mime_type: &'a str,
    },
    Download {
        file: FileId,
        /// Of the original: new content ends the URLs of the old.
        sha256: &'a [u8; 32],
        rendition: Rendition,
        disposition: Disposition,
    },
}

impl Permission<'_> {
    /// One field a line. No field can hold a line break, so no two permissions read the same.
    fn message(&self, expires: i64) -> String {
        match self {
            Self::Upload {
                file,
                size,
                mime_type,
            } => {
                format!("PUT\n{file}\n{size}\n{mime_type}\n{expires}")
            }
            Self::Download {
                file,
                sha256,
                rendition,
                disposition,
            } => format!(
                "GET\n{file}\n{}\n{}\n{}\n{expires}",
                BASE64URL_NOPAD.encode(*sha256),
                rendition.as_str(),
                disposition.as_str(),
            ),
        }
    }

    fn path_and_query(&self) -> String {
        match self {
            Self::Upload { file, .. } => format!("/storage/upload/{file}?"),
            Self::Download {
                file,
                rendition,
                disposition,
                ..
            } => format!(
                "/storage/download/{file}?rendition={}&disposition={}&",
                rendition.as_str(),
                disposition.as_str(),
            ),
        }
    }
}

impl UrlSigner {
    /// With a secret of at least 32 random bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    /// Path and query of a URL that grants `permission` until `expires_at`, whole seconds.
    pub(crate) fn url(&self, permission: &Permission<'_>, expires_at: DateTime<Utc>) -> String {
        let expires = expires_at.timestamp();
        let tag = hmac::sign(&self.key, permission.message(expires).as_bytes());
        let signature = BASE64URL_NOPAD.encode(tag.as_ref());
        format!(
            "{}expires={expires}&signature={signature}",
            permission.path_and_query()
        )
    }

    /// Whether we signed this, compared in constant time.
    pub(crate) fn verify(
        &self,
        permission: &Permission<'_>,
        expires: i64,
        signature: &str,
    ) -> bool {
        BASE64URL_NOPAD
            .decode(signature.as_bytes())
            .is_ok_and(|tag| {
                hmac::verify(&self.key, permission.message(expires).as_bytes(), &tag).is_ok()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_field_is_bound() {
        let signer = UrlSigner::new(&[7; 32]);
        let file = FileId(Uuid::now_v7());
        let granted = Permission::Upload {
            file,
            size: 5,
            mime_type: "video/mp4",
        };
        let url = signer.url(&granted, DateTime::from_timestamp(1000, 0).unwrap());
        let signature = url.rsplit('=').next().unwrap();
        assert!(url.starts_with(&format!("/storage/upload/{file}?expires=1000&signature=")));
        assert!(signer.verify(&granted, 1000, signature));

        let other = FileId(Uuid::now_v7());
        for tampered in [
            Permission::Upload {
                file: other,
                size: 5,
                mime_type: "video/mp4",
            },
            Permission::Upload {
                file,
                size: 6,
                mime_type: "video/mp4",
            },
            Permission::Upload {
                file,
                size: 5,
                mime_type: "text/html",
            },
        ] {
            assert!(!signer.verify(&tampered, 1000, signature), "{tampered:?}");
        }
        assert!(!signer.verify(&granted, 1001, signature));
        assert!(!UrlSigner::new(&[8; 32]).verify(&granted, 1000, signature));
        for rubbish in ["", "AAAA", "not base64!", &signature[1..]] {
            assert!(!signer.verify(&granted, 1000, rubbish), "{rubbish}");
        }
    }

    #[test]
    fn a_download_is_bound_to_content_and_disposition() {
        let signer = UrlSigner::new(&[7; 32]);
        let file = FileId(Uuid::now_v7());
        let download = |sha256, rendition, disposition| Permission::Download {
            file,
            sha256,
            rendition,
            disposition,
        };
        let granted = download(&[1; 32], Rendition::Original, Disposition::Attachment);
        let url = signer.url(&granted, DateTime::from_timestamp(1000, 0).unwrap());
        let signature = url.rsplit('=').next().unwrap();
        assert!(signer.verify(&granted, 1000, signature));
        for tampered in [
            download(&[2; 32], Rendition::Original, Disposition::Attachment),
            download(&[1; 32], Rendition::Thumbnail, Disposition::Attachment),
            download(&[1; 32], Rendition::Original, Disposition::Inline),
        ] {
            assert!(!signer.verify(&tampered, 1000, signature), "{tampered:?}");
        }
    }
}
