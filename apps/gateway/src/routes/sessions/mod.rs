//! Where somebody is signed in.

mod list;
mod revoke;
mod revoke_many;
mod view;

pub(super) use view::ScopeName;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list::list)
        .service(revoke_many::revoke_many)
        .service(revoke::revoke);
}
