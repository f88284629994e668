//! The key-value store, for admins and programs with an API key.

mod condition;
mod delete;
mod get;
mod list;
mod mdel;
mod mget;
mod mset;
mod path;
mod set;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(mget::mget)
        .service(mset::mset)
        .service(mdel::mdel)
        .service(list::list)
        .service(get::get)
        .service(set::set)
        .service(delete::delete);
}
