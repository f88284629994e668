use crate::edge::RequestId;
use crate::extract::ValidJson;
use crate::problem::ApiError;
use crate::services::Services;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use eyemotion_core::{Actor, Ctx, ErrorCode, FieldError, IdempotencyKey};
use futures_util::future::{FutureExt, LocalBoxFuture};
use std::future::{Ready, ready};
use std::net::IpAddr;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// The longest `Idempotency-Key`.
const MAX_KEY: usize = 255;

/// A signed-in person. A request without a valid access token never gets here: 401; neither does
/// one whose session has ended, or who was banned or deleted meanwhile. The role in the context is
/// the present one.
pub struct Caller {
    /// The context for the services.
    pub ctx: Ctx,
    idempotency_key: Option<Result<String, ApiError>>,
}

impl Caller {
    /// The context with the request's `Idempotency-Key`, bound to what was sent with it.
    pub fn idempotent<T>(self, body: &ValidJson<T>) -> Result<Ctx, ApiError> {
        let mut ctx = self.ctx;
        if let Some(key) = self.idempotency_key.transpose()? {
            ctx.idempotency = Some(IdempotencyKey {
                key,
                request_hash: body.hash,
            });
        }
        Ok(ctx)
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        async move { caller(&req).await }.boxed_local()
    }
}

/// Documents the header that [`Caller::idempotent`] reads.
pub struct IdempotencyHeader;

impl IntoParams for IdempotencyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_KEY))
            .pattern(Some("^[!-~]+$"));
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "The client's own; the same key and body have one effect and one answer",
            ))
            .schema(Some(text));
        vec![parameter.build()]
    }
}

async fn caller(req: &HttpRequest) -> Result<Caller, ApiError> {
    let token = required_bearer(req)?;
    let mut ctx = context(req, Actor::Anonymous)?;
    ctx.actor = services(req)?.gate.admit(&ctx, token).await?;
    Ok(Caller {
        ctx,
        idempotency_key: idempotency_key(req),
    })
}

/// The signed-in person behind a request, if there is one; what is wrong with a token is told by
/// the route.
pub(crate) async fn present_caller(req: &HttpRequest) -> Option<Ctx> {
    caller(req).await.ok().map(|caller| caller.ctx)
}

/// Anybody. A token is not looked at: the route works without.
pub struct Guest {
    /// The context for the services.
    pub ctx: Ctx,
}

impl FromRequest for Guest {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(context(req, Actor::Anonymous).map(|ctx| Self { ctx }))
    }
}

pub(crate) fn services(req: &HttpRequest) -> Result<&web::Data<Services>, ApiError> {
    req.app_data::<web::Data<Services>>()
        .ok_or_else(|| ApiError::internal("no services"))
}

pub(super) fn required_bearer(req: &HttpRequest) -> Result<&str, ApiError> {
    bearer(req)?.ok_or_else(|| {
        let detail = "Send the access token as Authorization: Bearer <token>.";
        ApiError::new(ErrorCode::Unauthenticated, detail)
    })
}

pub(super) fn bearer(req: &HttpRequest) -> Result<Option<&str>, ApiError> {
    let Some(value) = req.headers().get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.map(Some).ok_or_else(|| {
        ApiError::new(
            ErrorCode::TokenInvalid,
            "The Authorization header must be Bearer <token>.",
        )
    })
}

fn idempotency_key(req: &HttpRequest) -> Option<Result<String, ApiError>> {
    let value = req.headers().get("idempotency-key")?;
    let key = value.to_str().ok().filter(|key| {
        (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    Some(key.map(ToOwned::to_owned).ok_or_else(|| {
        ApiError::invalid(vec![FieldError::new(
            "Idempotency-Key",
            "invalid",
            "must be 1 to 255 printable ASCII characters without spaces",
        )])
    }))
}

pub(super) fn context(req: &HttpRequest, actor: Actor) -> Result<Ctx, ApiError> {
    let request_id = req.extensions().get::<RequestId>().map(|id| id.0.clone());
    let user_agent = req
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    Ok(Ctx {
        actor,
        request_id: request_id.ok_or_else(|| ApiError::internal("no request id"))?,
        ip: client_ip(req)?,
        user_agent: user_agent.map(|agent| agent.chars().take(512).collect()),
        idempotency: None,
        unproven_at: None,
    })
}

/// The socket's peer, or what a trusted proxy says of it: the last address in
/// `X-Forwarded-For` that is not itself a trusted proxy.
pub(super) fn client_ip(req: &HttpRequest) -> Result<Option<IpAddr>, ApiError> {
    let Some(peer) = req.peer_addr().map(|address| address.ip()) else {
        return Ok(None);
    };
    let trusted = &services(req)?.trusted_proxies;
    if !trusted.contains(peer) {
        return Ok(Some(peer));
    }
    let forwarded = req
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok());
    let addresses: Vec<IpAddr> = forwarded
        .flat_map(|list| list.split(','))
        .map_while(|ip| ip.trim().parse().ok())
        .collect();
    let client = addresses.iter().rev().find(|ip| !trusted.contains(**ip));
    Ok(Some(client.copied().unwrap_or(peer)))
}
