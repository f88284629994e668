//! What people may have done with what is kept about them.

mod deletion;
mod export;
mod request_deletion;
mod undo_deletion;
mod undo_deletion_by_mail;
mod view;

use crate::routes::ServiceConfig;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(deletion::get_account_deletion)
        .service(request_deletion::request_account_deletion)
        .service(undo_deletion::undo_account_deletion)
        .service(undo_deletion_by_mail::undo_account_deletion_by_mail)
        .service(export::export_account);
}
