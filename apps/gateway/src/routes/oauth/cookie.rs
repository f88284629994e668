//! What binds a sign-in through a provider to one browser: a cookie for each flow, so that two tabs
//! do not disturb each other.

use crate::extract::Origin;
use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use eyemotion_auth::FLOW_LIFE;

/// How much of the state the name repeats.
const NAME_CHARS: usize = 8;

/// The cookie that begins a flow. Lax: the provider's redirect brings it back, a foreign page's
/// form does not.
pub(super) fn set(origin: &Origin, state: &str, value: String) -> Option<Cookie<'static>> {
    let name = name(origin, state)?;
    Some(
        Cookie::build(name, value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(origin.is_secure())
            .max_age(Duration::seconds(FLOW_LIFE.num_seconds()))
            .finish(),
    )
}

/// The cookie that ends it.
pub(super) fn clear(origin: &Origin, state: &str) -> Option<Cookie<'static>> {
    let mut cookie = set(origin, state, String::new())?;
    cookie.make_removal();
    Some(cookie)
}

/// What the browser holds.
pub(super) fn read(req: &HttpRequest, origin: &Origin, state: &str) -> Option<String> {
    let cookie = req.cookie(&name(origin, state)?)?;
    Some(cookie.value().to_owned())
}

/// With the prefix no other host of the same site can have set it (RFC 6265bis section 4.1.3.2);
/// browsers take the prefix over TLS only.
fn name(origin: &Origin, state: &str) -> Option<String> {
    let part = state.get(..NAME_CHARS)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let prefix = if origin.is_secure() { "__Host-" } else { "" };
    part.bytes()
        .all(plain)
        .then(|| format!("{prefix}eyemotion-oauth-{part}"))
}
