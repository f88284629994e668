//! Who people are and how they stay signed in.

mod activity;
mod jwks;
mod me;
mod profile;
mod reauthenticate;
pub(crate) mod recovery;
mod refresh;
mod register;
mod signin;
mod signout;
mod update_profile;
pub(crate) mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(register::register)
        .service(signin::signin)
        .service(refresh::refresh)
        .service(reauthenticate::reauthenticate)
        .service(activity::list_activity)
        .configure(recovery::routes)
        .service(me::me)
        .service(profile::get_profile)
        .service(update_profile::update_profile)
        .service(signout::signout);
}

/// Adds the routes at the root.
pub fn root(config: &mut ServiceConfig<'_>) {
    config.service(jwks::jwks);
}
