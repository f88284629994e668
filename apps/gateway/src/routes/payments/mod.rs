//! Plans, the subscription and its credits.

mod credits;
mod plans;
mod subscription;
mod usage;
pub(super) mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(plans::list_plans)
        .service(subscription::get_subscription)
        .service(credits::get_credits)
        .service(usage::list_usage);
}
