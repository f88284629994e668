//! How the server is.

mod probes;
mod summary;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(summary::get_health)
        .service(summary::get_database);
}

/// Adds the probes at the root.
pub fn root(config: &mut ServiceConfig<'_>) {
    config
        .service(probes::live)
        .service(probes::ready)
        .service(probes::startup);
}
