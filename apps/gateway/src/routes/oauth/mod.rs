//! Signing in through Google and GitHub.

mod back;
pub mod begin;
mod cookie;
mod finish;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(begin::begin_oauth)
        .service(back::return_from_oauth)
        .service(finish::finish_oauth);
}
