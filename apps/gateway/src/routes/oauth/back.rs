use crate::extract::{Guest, Id, Origin};
use crate::failures::{Absent, Always, WithQuery};
use crate::names::OauthProvider;
use crate::problem::{ApiError, Problem};
use crate::routes::oauth::cookie;
use crate::routes::oauth::finish::FederatedAnswer;
use crate::services::Services;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use eyemotion_auth::{FlowReturn, Provider, Returned};
use eyemotion_core::FieldError;
use url::form_urlencoded;
use utoipa::IntoParams;

/// What the provider adds to the callback.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReturnQuery {
    /// As sent along.
    state: Option<String>,
    /// Good once, for this server only.
    code: Option<String>,
    /// Instead of a code: why there is none.
    error: Option<String>,
    /// The issuer's name for itself (RFC 9207).
    iss: Option<String>,
}

impl ReturnQuery {
    /// Others than these are let pass, because providers add to them (RFC 6749 section 4.1.2); none
    /// may come twice (section 3.1).
    fn read(query: &str) -> Result<Self, ApiError> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let member = match name.as_ref() {
                "state" => &mut read.state,
                "code" => &mut read.code,
                "error" => &mut read.error,
                "iss" => &mut read.iss,
                _ => continue,
            };
            if member.replace(value.into_owned()).is_some() {
                return Err(fault(&name, "repeated", "must not come twice"));
            }
        }
        Ok(read)
    }
}

fn fault(name: &str, code: &'static str, detail: &str) -> ApiError {
    ApiError::invalid(vec![FieldError::new(name, code, detail)])
}

/// Takes the browser back from a provider.
///
/// Only browsers come here. They are led on to the `redirectTo` that the flow began with, which gets
/// the provider's own `code` and `state`, or `error` and `state`; `POST /auth/callback` does the
/// rest. Where the flow has no page to go to, it ends here: the answer is that of
/// `POST /auth/callback`.
#[utoipa::path(
    operation_id = "returnFromOauth",
    tag = "auth",
    params(("provider" = OauthProvider, Path, description = "From whom"), ReturnQuery),
    responses(
        (status = 200, description = "Signed in: there is no page to go to", body = FederatedAnswer),
        (status = 303, description = "On to the client's page", headers(("Location" = String, description = "The page, with `code` and `state`, or `error` and `state`"))),
        WithQuery,
        (status = 400, description = "The flow is unknown, over or another browser's, or the provider refused", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The account is banned or closed, or the address is not verified", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The identity belongs to another account", body = Problem, content_type = "application/problem+json"),
        Absent,
        Always,
    )
)]
#[get("/auth/oauth/{provider}/callback")]
pub(super) async fn return_from_oauth(
    req: HttpRequest,
    guest: Guest,
    provider: Id<Provider>,
    origin: Origin,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let back = read(&req, &origin, provider.0)?;
    let state = back.state.clone();
    let mut response = match services.federation.returned(&guest.ctx, back).await? {
        Returned::To(page) => HttpResponse::SeeOther()
            .insert_header((header::LOCATION, page))
            .finish(),
        Returned::Done(done) => {
            let mut response = HttpResponse::Ok();
            if let Some(cookie) = cookie::clear(&origin, &state) {
                response.cookie(cookie);
            }
            response.json(FederatedAnswer::from(*done))
        }
    };
    // The address of this very page holds the code.
    let no_referrer = header::HeaderValue::from_static("no-referrer");
    response
        .headers_mut()
        .insert(header::REFERRER_POLICY, no_referrer);
    Ok(response)
}

fn read(req: &HttpRequest, origin: &Origin, provider: Provider) -> Result<FlowReturn, ApiError> {
    let query = ReturnQuery::read(req.query_string())?;
    let missing = |name| fault(name, "required", "is what the provider sends along");
    let state = query.state.ok_or_else(|| missing("state"))?;
    let answer = match (query.code, query.error) {
        (_, Some(error)) => Err(error),
        (Some(code), None) => Ok(code),
        (None, None) => return Err(missing("code")),
    };
    Ok(FlowReturn {
        provider,
        browser: cookie::read(req, origin, &state),
        state,
        answer,
        iss: query.iss,
    })
}
