//! The accounts elsewhere with which a person signs in.

mod add;
mod list;
mod remove;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list::list_identities)
        .service(add::add_identity)
        .service(remove::remove_identity);
}
