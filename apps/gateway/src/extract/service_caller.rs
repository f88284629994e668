use crate::extract::caller::{context, required_bearer, services};
use crate::extract::{AdminCaller, Caller};
use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use eyemotion_auth::{Permission, Scopes, is_api_key};
use eyemotion_core::{Actor, Ctx, ErrorCode};
use eyemotion_kv::{DEFAULT_NAMESPACE, FLAGS_KEY};
use futures_util::future::{FutureExt, LocalBoxFuture};

/// An admin, or a program with an API key. Only routes that take one of these accept keys.
///
/// The context is given out for permissions only, so that no route can forget to ask for them.
pub struct ServiceCaller {
    ctx: Ctx,
    /// What a key may do; none: an admin, who may do everything here.
    scopes: Option<Scopes>,
}

impl ServiceCaller {
    /// The context for the services, if the caller has all of these.
    pub fn permitted(self, wanted: &[Permission<'_>]) -> Result<Ctx, ApiError> {
        let missing = self
            .scopes
            .and_then(|scopes| wanted.iter().find(|wanted| !scopes.allow(**wanted)));
        match missing {
            None => Ok(self.ctx),
            Some(missing) => {
                let detail = format!("The API key lacks the scope {missing}.");
                Err(ApiError::new(ErrorCode::InsufficientScope, detail))
            }
        }
    }

    /// The context, if the caller may write these keys. The feature flags lie in the store, but
    /// who may write the store may not therefore switch the platform off.
    pub fn permitted_to_write<'a>(
        self,
        namespace: &str,
        mut keys: impl Iterator<Item = &'a str>,
    ) -> Result<Ctx, ApiError> {
        let write = Permission::WriteKv(namespace);
        if namespace == DEFAULT_NAMESPACE && keys.any(|key| key == FLAGS_KEY) {
            self.permitted(&[write, Permission::WriteFlags])
        } else {
            self.permitted(&[write])
        }
    }
}

impl FromRequest for ServiceCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        match required_bearer(req) {
            Ok(token) if is_api_key(token) => program(req.clone(), token.to_owned()).boxed_local(),
            _ => AdminCaller::from_request(req, payload)
                .map(|admin| {
                    admin.map(|AdminCaller(Caller { ctx, .. })| Self { ctx, scopes: None })
                })
                .boxed_local(),
        }
    }
}

async fn program(req: HttpRequest, secret: String) -> Result<ServiceCaller, ApiError> {
    let holder = services(&req)?.api_keys.authenticate(&secret).await?;
    Ok(ServiceCaller {
        ctx: context(&req, Actor::ApiKey { id: holder.id })?,
        scopes: Some(holder.scopes),
    })
}
