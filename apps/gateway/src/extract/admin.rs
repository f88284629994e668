use crate::extract::Caller;
use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_core::{Actor, ErrorCode, UserRole};
use futures_util::future::{FutureExt, LocalBoxFuture};

/// A signed-in admin or super_admin. Nobody signed in is 401, anybody else 403 `forbidden`. The
/// role is the person's present one, not the one that the token was issued for.
///
/// Taken apart where it is taken: `AdminCaller(caller): AdminCaller`.
pub struct AdminCaller(pub Caller);

/// A signed-in super_admin; as [`AdminCaller`].
pub struct SuperAdminCaller(pub Caller);

impl FromRequest for AdminCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        admit(UserRole::Admin, req, payload)
            .map(|caller| caller.map(Self))
            .boxed_local()
    }
}

impl FromRequest for SuperAdminCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        admit(UserRole::SuperAdmin, req, payload)
            .map(|caller| caller.map(Self))
            .boxed_local()
    }
}

/// The caller, if of this role or a higher one. What else is wrong with the request is told later.
fn admit(
    least: UserRole,
    req: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Caller, ApiError>> + use<> {
    let caller = Caller::from_request(req, payload);
    async move {
        let caller = caller.await?;
        match caller.ctx.actor {
            Actor::User { role, .. } if role >= least => Ok(caller),
            _ => Err(ApiError::new(
                ErrorCode::Forbidden,
                format!("Only for the role {least} or a higher one."),
            )),
        }
    }
}
