//! The accounts elsewhere with which a person signs in.

mod add;
mod list;
mod remove;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list::list_identities)
        .service(add::add_identity)
        .service(remove::remove_identity);
}
