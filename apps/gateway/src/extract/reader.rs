use super::caller::{context, required_bearer, services};
use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_core::{Actor, Ctx, ErrorCode};
use futures_util::future::{FutureExt, LocalBoxFuture};

/// A [`Caller`](super::Caller) of an operation that only reads, and only from the database: whether
/// the session still lives may be asked there, in one round trip with what is read.
pub struct Reader {
    ctx: Ctx,
    req: HttpRequest,
}

impl Reader {
    /// What `read` makes of the caller's context. It runs again if the session has not been found
    /// as the token says: then as everybody else, after a look at the session.
    pub async fn read<T, E: Into<ApiError>>(
        self,
        read: impl AsyncFn(&Ctx) -> Result<T, E>,
    ) -> Result<T, ApiError> {
        let error = match read(&self.ctx).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error.into(),
        };
        if self.ctx.unproven_at.is_none() || error.code() != ErrorCode::SessionEnded {
            return Err(error);
        }
        let mut ctx = self.ctx;
        ctx.unproven_at = None;
        let token = required_bearer(&self.req)?;
        ctx.actor = services(&self.req)?.gate.admit(&ctx, token).await?;
        read(&ctx).await.map_err(Into::into)
    }
}

impl FromRequest for Reader {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        async move {
            let mut ctx = context(&req, Actor::Anonymous)?;
            let token = required_bearer(&req)?;
            let gate = &services(&req)?.gate;
            (ctx.actor, ctx.unproven_at) = gate.admit_reader(&ctx, token).await?;
            Ok(Self { ctx, req })
        }
        .boxed_local()
    }
}
