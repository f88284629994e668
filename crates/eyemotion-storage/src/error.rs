use crate::blob::BlobError;
use crate::model::FileStatus;
use eyemotion_core::{Coded, Credits, ErrorCode, FieldError};
use eyemotion_db::DbError;
use eyemotion_db::idempotency::IdempotencyError;
use eyemotion_ports::LedgerError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why storage refused.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Nobody has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The caller has no such project.
    #[error("there is no such project")]
    ProjectNotFound,
    /// The caller has no such file.
    #[error("there is no such file")]
    FileNotFound,
    /// The file has no thumbnail, at least not yet.
    #[error("the file has no thumbnail")]
    ThumbnailNotFound,
    /// Values that are not acceptable.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// The type is not taken, or not this one.
    #[error("{0}")]
    UnsupportedType(String),
    /// Over the largest size.
    #[error("the file has {size} bytes; at most {max} are taken")]
    FileTooLarge {
        /// Declared bytes.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// The person cannot pay for it.
    #[error(
        "{needed} are needed and {available} are available; buy credits or choose a larger plan"
    )]
    InsufficientCredits {
        /// What the upload costs.
        needed: Credits,
        /// What is there.
        available: Credits,
    },
    /// The person has no room for it.
    #[error(
        "{needed} bytes are needed and {available} of {limit} are free; delete files or choose a larger plan"
    )]
    QuotaExceeded {
        /// Bytes of the file.
        needed: u64,
        /// Bytes that are free.
        available: u64,
        /// Bytes of the plan.
        limit: u64,
    },
    /// Signature, method or file do not fit.
    #[error("the upload URL is not valid; ask for a new one")]
    UploadUrlInvalid,
    /// Its time is over.
    #[error("the upload URL has expired; ask for a new one")]
    UploadUrlExpired,
    /// An upload URL works once.
    #[error("the file has been uploaded already; confirm it")]
    UploadAlreadyCompleted,
    /// Somebody else uploads this file just now.
    #[error("the file is being uploaded by another request")]
    UploadInProgress,
    /// Nothing to confirm.
    #[error("the file has not been uploaded yet")]
    UploadMissing,
    /// Too late.
    #[error("the upload was not finished in time; ask for a new upload URL")]
    UploadExpired,
    /// More or fewer bytes than declared.
    #[error("{declared} bytes were declared and {received} came")]
    SizeMismatch {
        /// What the upload URL was given for.
        declared: u64,
        /// What the request announced or sent, as far as it was read.
        received: u64,
    },
    /// The content is not the declared one.
    #[error("the content does not have the declared SHA-256")]
    ChecksumMismatch,
    /// Signature or file do not fit.
    #[error("the download URL is not valid")]
    DownloadUrlInvalid,
    /// Its time is over.
    #[error("the download URL has expired")]
    DownloadUrlExpired,
    /// The file's state does not allow it.
    #[error("the file is {}", .0.as_str())]
    NotReady(FileStatus),
    /// Somebody else changed it first.
    #[error("the file has been changed in the meantime")]
    VersionMismatch,
    /// The object store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The `Idempotency-Key` stands in the way.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The credit ledger refused for another reason than an empty wallet.
    #[error(transparent)]
    Ledger(LedgerError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<LedgerError> for StorageError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Insufficient { needed, available } => {
                Self::InsufficientCredits { needed, available }
            }
            other => Self::Ledger(other),
        }
    }
}

impl StorageError {
    /// One wrong value.
    pub(crate) fn invalid(pointer: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, "invalid", detail)])
    }
}

impl Coded for StorageError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::ProjectNotFound => ErrorCode::ProjectNotFound,
            Self::FileNotFound => ErrorCode::FileNotFound,
            Self::ThumbnailNotFound => ErrorCode::ThumbnailNotFound,
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::UnsupportedType(_) => ErrorCode::UnsupportedMediaType,
            Self::FileTooLarge { .. } => ErrorCode::FileTooLarge,
            Self::InsufficientCredits { .. } => ErrorCode::InsufficientCredits,
            Self::QuotaExceeded { .. } => ErrorCode::QuotaExceeded,
            Self::UploadUrlInvalid => ErrorCode::UploadUrlInvalid,
            Self::UploadUrlExpired => ErrorCode::UploadUrlExpired,
            Self::UploadAlreadyCompleted => ErrorCode::UploadAlreadyCompleted,
            Self::UploadInProgress => ErrorCode::UploadInProgress,
            Self::UploadMissing => ErrorCode::UploadMissing,
            Self::UploadExpired => ErrorCode::UploadExpired,
            Self::SizeMismatch { .. } => ErrorCode::SizeMismatch,
            Self::ChecksumMismatch => ErrorCode::ChecksumMismatch,
            Self::DownloadUrlInvalid => ErrorCode::DownloadUrlInvalid,
            Self::DownloadUrlExpired => ErrorCode::DownloadUrlExpired,
            Self::NotReady(_) => ErrorCode::FileNotReady,
            Self::VersionMismatch => ErrorCode::VersionMismatch,
            Self::Blob(_) => ErrorCode::StorageUnavailable,
            Self::Idempotency(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }

    fn members(&self) -> Map<String, Value> {
        let object = match self {
            Self::FileTooLarge { size, max } => json!({ "fileSize": size, "maxFileSize": max }),
            Self::InsufficientCredits { needed, available } => {
                json!({ "creditsNeeded": needed, "creditsAvailable": available })
            }
            Self::QuotaExceeded {
                needed,
                available,
                limit,
            } => {
                json!({ "bytesNeeded": needed, "bytesAvailable": available, "bytesLimit": limit })
            }
            Self::SizeMismatch { declared, received } => {
                json!({ "declaredSize": declared, "receivedSize": received })
            }
            Self::NotReady(status) => json!({ "processingStatus": status }),
            Self::Ledger(error) => return error.members(),
            _ => return Map::new(),
        };
        match object {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::UploadInProgress => Some(Duration::from_secs(15)),
            Self::Blob(_) => Some(Duration::from_secs(5)),
            Self::Idempotency(error) => error.retry_after(),
            Self::Ledger(error) => error.retry_after(),
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}
