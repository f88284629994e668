//! Refuses the routes of a feature that is switched off: 503 `feature_disabled`.

use crate::edge::PREFIX;
use crate::extract::present_caller;
use crate::problem::ApiError;
use crate::services::Services;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, ResponseError, web};
use eyemotion_auth::AccountOverview;
use eyemotion_core::{Actor, Ctx, ErrorCode};
use eyemotion_ports::{Flag, FlagRule, FlagSubject};

/// The middleware. It stands inside the edge, which gives paths their one form and errors theirs.
pub(crate) async fn feature_gate<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    // As the router sees it: decoded, so that no spelling gets round the gate.
    let flag = covering(req.method(), req.match_info().as_str());
    if let Some(flag) = flag
        && let Err(refusal) = admit(req.request(), flag).await
    {
        let response = refusal.error_response();
        return Ok(req.into_response(response).map_into_right_body());
    }
    Ok(next.call(req).await?.map_into_left_body())
}

/// The flag that a route is under.
///
/// Never switched off: Stripe's webhook, because what it tells of has happened; ending and
/// refreshing sessions, because whoever is signed in when `authEnabled` goes off stays so, and may
/// go; what the law gives people, deletion and export of their account. `/admin/flags`, `/kv` and
/// `/api-keys` are under no flag, so what was switched off can be switched on again, and an admin
/// without a session gets one: signing in is judged when it is known who signs in
/// ([`admit_person`]).
fn covering(method: &Method, path: &str) -> Option<Flag> {
    let rest = path.strip_prefix(PREFIX)?.strip_prefix('/')?;
    let mut segments = rest.split('/');
    let named = (segments.next()?, segments.next(), segments.next());
    let always_open = match named {
        ("auth", Some("refresh" | "signout"), None)
        | ("auth", Some("account"), _)
        | ("payments", Some("webhook"), None) => true,
        ("auth", Some("signin"), None) => *method == Method::POST,
        ("auth", Some("sessions"), _) => *method == Method::DELETE,
        _ => false,
    };
    match named {
        _ if always_open => None,
        ("auth", ..) => Some(Flag::Auth),
        ("payments", ..) => Some(Flag::Payments),
        ("files" | "storage", ..) | ("projects", Some(_), Some("files")) => Some(Flag::Storage),
        ("admin", Some("analytics"), _) => Some(Flag::Analytics),
        ("admin", Some("backups"), _) => Some(Flag::Backup),
        _ => None,
    }
}

async fn admit(req: &HttpRequest, flag: Flag) -> Result<(), ApiError> {
    let services = crate::extract::services(req)?;
    let rule = services.flags.rule(flag).await;
    if rule.enabled && rule.is_general() {
        return Ok(());
    }
    // Who is signed in is asked only where it matters.
    let caller = if rule.enabled || flag == Flag::Auth {
        present_caller(req).await
    } else {
        None
    };
    if flag == Flag::Auth && caller.as_ref().is_some_and(is_admin) {
        return Ok(());
    }
    let plan = plan(services, &rule, caller.as_ref()).await;
    let subject = caller
        .and_then(|ctx| ctx.user_id())
        .map(|user| FlagSubject {
            user,
            plan: plan.as_deref(),
        });
    if services.flags.applies(flag, &rule, subject) {
        return Ok(());
    }
    Err(switched_off(flag))
}

fn switched_off(flag: Flag) -> ApiError {
    let detail = "This feature is switched off at present.";
    ApiError::new(ErrorCode::FeatureDisabled, detail).with_member("feature", flag.as_str())
}

/// Whether somebody who has proved who they are may sign in: admins always, others if accounts are
/// on for them.
pub(crate) async fn admit_person(
    services: &Services,
    account: &AccountOverview,
) -> Result<(), ApiError> {
    let rule = services.flags.rule(Flag::Auth).await;
    let plan = account.subscription.as_ref();
    let subject = FlagSubject {
        user: account.id,
        plan: plan.map(|subscription| subscription.plan.name.as_str()),
    };
    let admitted =
        account.profile.role.is_admin() || services.flags.applies(Flag::Auth, &rule, Some(subject));
    admitted
        .then_some(())
        .ok_or_else(|| switched_off(Flag::Auth))
}

const fn is_admin(ctx: &Ctx) -> bool {
    matches!(ctx.actor, Actor::User { role, .. } if role.is_admin())
}

/// The name of the caller's plan, if the rule asks for it.
async fn plan(
    services: &web::Data<Services>,
    rule: &FlagRule,
    caller: Option<&Ctx>,
) -> Option<String> {
    rule.plans.as_ref()?;
    let overview = services.accounts.me(caller?).await.ok()?;
    Some(overview.subscription?.plan.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_covers_its_routes_and_leaves_the_way_back_open() {
        let of = |method: &Method, path: &str| covering(method, &format!("{PREFIX}{path}"));
        for (path, flag) in [
            ("/auth/register", Flag::Auth),
            ("/auth/me", Flag::Auth),
            ("/auth/oauth/google/callback", Flag::Auth),
            ("/auth/sessions", Flag::Auth),
            ("/payments/plans", Flag::Payments),
            ("/payments/checkout", Flag::Payments),
            ("/files/upload-url", Flag::Storage),
            ("/storage/download/x", Flag::Storage),
            ("/projects/1/files", Flag::Storage),
            ("/admin/analytics/financial", Flag::Analytics),
            ("/admin/backups", Flag::Backup),
        ] {
            assert_eq!(of(&Method::GET, path), Some(flag), "{path}");
        }
        for (method, path) in [
            (Method::POST, "/auth/signin"),
            (Method::POST, "/auth/refresh"),
            (Method::POST, "/auth/signout"),
            (Method::DELETE, "/auth/sessions"),
            (Method::DELETE, "/auth/sessions/1"),
            (Method::POST, "/auth/account/deletion"),
            (Method::POST, "/payments/webhook"),
            (Method::PUT, "/admin/flags"),
            (Method::PUT, "/kv/default/features:flags"),
            (Method::GET, "/projects"),
            (Method::GET, "/projects/1"),
            (Method::GET, "/health"),
            (Method::GET, "/authority"),
        ] {
            assert_eq!(of(&method, path), None, "{path}");
        }
        assert_eq!(covering(&Method::GET, "/livez"), None);
    }
}
