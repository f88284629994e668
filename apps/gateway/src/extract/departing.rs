use super::caller::{context, required_bearer, services};
use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_core::{Actor, Ctx};
use futures_util::future::{FutureExt, LocalBoxFuture};

/// A signed-in person, also one whose account is going to be deleted: to everything else than
/// undoing that, such a person is not admitted.
pub struct Departing {
    /// The context for the services.
    pub ctx: Ctx,
}

impl FromRequest for Departing {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        async move {
            let token = required_bearer(&req)?;
            let mut ctx = context(&req, Actor::Anonymous)?;
            ctx.actor = services(&req)?.gate.admit_leaver(&ctx, token).await?;
            Ok(Self { ctx })
        }
        .boxed_local()
    }
}
