//! Media files: signed uploads, quota, verification, processing, signed downloads.
//!
//! * [`Files`] is what callers use; [`FileService`] is it, on PostgreSQL and a [`BlobStore`].
//! * An upload is a row first: granted, then written under a lease, then confirmed. Confirming
//!   settles quota, charges credits and enqueues processing in one transaction.
//! * Bytes are looked at before anybody may have them: what is not what it was declared to be is
//!   rejected and never served.
//! * A row leaves as a tombstone: its object goes first, the row last.
//!
//! Files of a project need no service to be given up: [`ProjectFiles`]; nor do limits: [`Quotas`].

mod blob;
mod config;
mod confirm;
mod discard;
mod download;
mod error;
mod events;
mod fail_points;
mod files;
mod grant;
mod holds;
mod jobs;
mod library;
mod lifecycle;
mod model;
mod name;
mod parts;
mod probe;
mod purge;
mod quota;
mod recovery;
mod repository;
mod schema;
mod service;
mod signature;
mod upload;

pub use blob::{
    BlobError, BlobReader, BlobStore, Chunks, DerivativeKind, FilePrefix, InvalidKey, LocalCopy,
    LocalStore, ObjectInfo, ObjectKey, PresignedRequest, PutConditions, StagedObject, Staging,
    StoredVersion,
};
pub use config::{InvalidConfig, StorageConfig};
pub use discard::ProjectFiles;
pub use download::Download;
pub use error::StorageError;
pub use fail_points::FAIL_POINTS;
pub use files::FileService;
pub use jobs::{ProcessFile, PurgeFile, PurgeProject, ReconcileObjects, SweepUploads, workers};
pub use model::{
    Disposition, File, FileStatus, MediaKind, Progress, Rational, Rendition, ThumbnailStatus,
};
pub use parts::StorageParts;
pub use probe::StorageProbe;
pub use quota::Quotas;
pub use service::{
    Confirmed, Deletion, DownloadGrant, FileChanges, FileFilter, Files, NewUpload, SignedDownload,
    UploadGrant, UploadRequest, Uploaded,
};
pub use signature::UrlSigner;
pub use upload::Upload;
