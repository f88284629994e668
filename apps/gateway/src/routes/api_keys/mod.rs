//! Keys with which programs call the server.

mod create;
mod list;
mod revoke;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create::create)
        .service(list::list)
        .service(revoke::revoke);
}
