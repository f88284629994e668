//! Feature flags.

mod get;
mod update;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get::get).service(update::update);
}
