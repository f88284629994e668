//! Film projects.

mod create;
mod delete;
mod get;
mod list;
mod list_of_user;
mod update;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create::create)
        .service(list::list)
        .service(list_of_user::list_of_user)
        .service(get::get)
        .service(update::update)
        .service(delete::delete);
}
