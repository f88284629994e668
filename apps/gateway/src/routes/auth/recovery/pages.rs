//! What mailed links lead to where no web client is set up: plain pages with a form each. Looking
//! at one changes nothing, so programs that follow links in mails do no harm; its button does.
//!
//! No script, nothing from elsewhere, and the token leaves in no `Referer` header.

mod html;

use crate::extract::{Guest, Limited, SignIn};
use crate::problem::ApiError;
use crate::services::Services;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use eyemotion_auth::{AuthError, Proof};
use html::{Language, Page};
use secrecy::SecretString;
use serde::Deserialize;

/// What a page's button sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageForm {
    token: String,
    #[serde(default)]
    password: SecretString,
}

/// Adds the pages, at the root and outside the published document: they are for people.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    for page in Page::ALL {
        let resource = web::resource(page.path())
            .app_data(page)
            .route(web::get().to(show))
            .route(web::post().to(act));
        config.service(resource);
    }
}

/// Whatever else the query holds is of no interest: mail programs add to links.
async fn show(req: HttpRequest) -> HttpResponse {
    let mut members = req.query_string().split('&');
    let token = members.find_map(|member| member.strip_prefix("token="));
    html::form(page(&req), language(&req), token.unwrap_or_default(), None)
}

async fn act(
    _: Limited<SignIn>,
    req: HttpRequest,
    guest: Guest,
    form: web::Form<PageForm>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (page, language) = (page(&req), language(&req));
    let PageForm { token, password } = form.into_inner();
    let proof = Proof::Link(token.clone().into());
    let recovery = &services.recovery;
    let done = match page {
        Page::Confirm => recovery.prove_email(&guest.ctx, proof).await,
        Page::Reset => recovery.reset_password(&guest.ctx, proof, password).await,
        Page::ChangeEmail => recovery.change_email(&guest.ctx, proof).await.map(drop),
        Page::KeepAccount => {
            let privacy = &services.privacy;
            privacy.undo_deletion_by_mail(&guest.ctx, &token).await
        }
        // Nobody is signed in here: the page only says what to do.
        Page::MagicLink => Err(AuthError::ProofInvalid),
    };
    match done {
        Ok(()) => Ok(html::done(page, language)),
        Err(AuthError::Invalid(_) | AuthError::PasswordTooCommon { .. }) => Ok(html::form(
            page,
            language,
            &token,
            Some(language.bad_password()),
        )),
        Err(AuthError::ProofInvalid | AuthError::EmailTaken) => Ok(html::over(page, language)),
        Err(error) => Err(error.into()),
    }
}

fn page(req: &HttpRequest) -> Page {
    req.app_data::<Page>().copied().unwrap_or(Page::MagicLink)
}

/// The first language that the browser names.
fn language(req: &HttpRequest) -> Language {
    let wanted = req
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    if wanted.is_some_and(|wanted| wanted.trim_start().starts_with("th")) {
        Language::Thai
    } else {
        Language::English
    }
}
