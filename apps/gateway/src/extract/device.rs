use crate::extract::caller::{bearer, context, required_bearer, services};
use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_auth::SessionScope;
use eyemotion_core::{Actor, Ctx};
use std::future::{Ready, ready};

/// Anybody, and whom the access token speaks for if there is a good one. A bad one is not looked
/// at: the route works without.
pub struct Device {
    /// The context for the services.
    pub ctx: Ctx,
}

impl FromRequest for Device {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(device(req))
    }
}

fn device(req: &HttpRequest) -> Result<Device, ApiError> {
    let services = services(req)?;
    let shown = bearer(req).ok().flatten();
    let actor = shown.and_then(|token| services.accounts.authenticate(token).ok());
    Ok(Device {
        ctx: context(req, actor.unwrap_or(Actor::Anonymous))?,
    })
}

/// Somebody who signs out. The access token may have expired and the session may have ended: a
/// client that wants to be signed out is, then.
pub struct SignOutCaller {
    /// The context for the services.
    pub ctx: Ctx,
    expired: bool,
}

impl SignOutCaller {
    /// The scope that the token is good for: an expired one ends its own session and no other.
    pub fn at_most(&self, wanted: SessionScope) -> SessionScope {
        if self.expired {
            SessionScope::Local
        } else {
            wanted
        }
    }
}

impl FromRequest for SignOutCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(sign_out_caller(req))
    }
}

fn sign_out_caller(req: &HttpRequest) -> Result<SignOutCaller, ApiError> {
    let token = required_bearer(req)?;
    let services = services(req)?;
    let actor = services.sessions.recognise(token)?;
    Ok(SignOutCaller {
        ctx: context(req, actor)?,
        expired: services.accounts.authenticate(token).is_err(),
    })
}
