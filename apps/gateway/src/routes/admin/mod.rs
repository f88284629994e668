//! What operators see and do.

mod analytics_view;
mod audit;
mod ban_user;
mod change_role;
mod cohorts;
mod dashboard;
mod end_sessions;
mod financial;
mod get_user;
mod list_users;
mod unban_user;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(dashboard::get_dashboard)
        .service(financial::get_financial_analytics)
        .service(cohorts::list_cohorts)
        .service(list_users::list_users)
        .service(get_user::get_user)
        .service(change_role::change_role)
        .service(ban_user::ban_user)
        .service(unban_user::unban_user)
        .service(end_sessions::end_sessions)
        .service(audit::list_audit);
}
