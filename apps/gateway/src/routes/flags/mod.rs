//! Feature flags.

mod get;
mod update;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get::get).service(update::update);
}
