//! Plans, the subscription and its credits.

mod buy_credits;
mod cancel;
mod change_plan;
mod checkout;
mod credits;
mod history;
mod plans;
mod portal;
mod preview_change;
mod promotion_code;
mod resume;
mod subscription;
mod sync_checkout;
mod usage;
pub(super) mod view;
mod webhook;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(plans::list_plans)
        .service(checkout::create_checkout)
        .service(sync_checkout::sync_checkout)
        .service(buy_credits::buy_credits)
        .service(cancel::cancel_subscription)
        .service(resume::resume_subscription)
        .service(preview_change::preview_plan_change)
        .service(change_plan::change_plan)
        .service(portal::open_portal)
        .service(promotion_code::get_promotion_code)
        .service(history::list_payments)
        .service(subscription::get_subscription)
        .service(credits::get_credits)
        .service(usage::list_usage)
        .service(webhook::receive_stripe_event);
}
