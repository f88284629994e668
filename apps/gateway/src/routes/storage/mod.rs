//! The bytes themselves: signed uploads and downloads, and a person's own files.

mod download;
pub(crate) mod rendition;
mod serve;
mod stream;
mod upload;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(upload::upload_file)
        .service(download::download_file)
        .service(stream::stream_file);
}
