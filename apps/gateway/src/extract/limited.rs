use crate::extract::caller::{client_ip, services};
use crate::problem::ApiError;
use crate::rate_limit::Limiter;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::marker::PhantomData;

/// Lets a handler run only as often as its limiter allows the client. The first argument, before
/// anything of the request is read; the edge tells the client what is left.
pub struct Limited<L>(PhantomData<L>);

/// Names the limiter of a [`Limited`] handler.
pub trait By: 'static {
    /// Which one.
    const LIMITER: Limiter;
}

macro_rules! by {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub struct $name;

        impl By for $name {
            const LIMITER: Limiter = Limiter::$name;
        }
    )+};
}

by! {
    /// See [`Limiter::SignIn`].
    SignIn,
    /// See [`Limiter::Register`].
    Register,
    /// See [`Limiter::Refresh`].
    Refresh,
    /// See [`Limiter::Mail`].
    Mail,
}

impl<L: By> FromRequest for Limited<L> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(take(req, L::LIMITER).map(|()| Self(PhantomData)))
    }
}

fn take(req: &HttpRequest, limiter: Limiter) -> Result<(), ApiError> {
    let client = client_ip(req)?;
    let Some(allowance) = services(req)?.rate_limits.take(limiter, client) else {
        return Ok(());
    };
    req.extensions_mut().insert(allowance);
    allowance.refusal().map_or(Ok(()), Err)
}
