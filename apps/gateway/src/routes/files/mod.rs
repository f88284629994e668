//! Media files.

mod confirm;
mod delete;
mod download_url;
mod events;
mod favorite;
mod get;
mod list;
mod restore;
mod update;
mod upload_url;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(upload_url::create_upload_url)
        .service(confirm::confirm)
        .service(list::list)
        .service(get::get)
        .service(update::update)
        .service(favorite::favorite)
        .service(delete::delete)
        .service(restore::restore)
        .service(download_url::create_download_url)
        .service(events::watch);
}
