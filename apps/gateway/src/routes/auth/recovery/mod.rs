//! Getting in and back in by mail; another password or address.

mod change_email;
mod change_password;
mod confirm;
mod confirm_email_change;
mod forgot_password;
mod magic_link;
mod mail_request;
pub(crate) mod pages;
mod proof;
mod resend_confirmation;
mod reset_password;
mod send_code;
mod verify_magic_link;

use crate::routes::ServiceConfig;
/// Adds the routes.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(confirm::confirm_email)
        .service(resend_confirmation::resend_confirmation)
        .service(forgot_password::forgot_password)
        .service(reset_password::reset_password)
        .service(change_password::change_password)
        .service(change_email::change_email)
        .service(confirm_email_change::confirm_email_change)
        .service(magic_link::send_magic_link)
        .service(verify_magic_link::verify_magic_link)
        .service(send_code::send_reauthentication_code);
}
