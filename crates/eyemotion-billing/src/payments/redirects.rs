use super::PaymentError;
use url::{Origin, Url};

/// The origins to which a browser may be led back, compared as parsed: scheme, host and port.
#[derive(Clone, Debug)]
pub struct RedirectOrigins {
    origins: Vec<Origin>,
    /// A developer's machine has no certificates.
    http_allowed: bool,
    home: Url,
}

/// A listed address that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no whole http or https address")]
pub struct InvalidRedirect(String);

impl RedirectOrigins {
    /// `home` is the client's own address; it is on the list. In development every port of
    /// localhost is, too.
    ///
    /// # Errors
    /// [`InvalidRedirect`] names the first that is none.
    pub fn new(home: &str, listed: &[String], development: bool) -> Result<Self, InvalidRedirect> {
        let parse = |text: &str| {
            let url = Url::parse(text).ok().filter(is_web);
            url.ok_or_else(|| InvalidRedirect(text.to_owned()))
        };
        let home = parse(home)?;
        let mut origins = vec![home.origin()];
        for text in listed {
            origins.push(parse(text)?.origin());
        }
        Ok(Self {
            origins,
            http_allowed: development,
            home,
        })
    }

    /// The address, if a browser may be led there; `/{page}` of the client if none is wanted.
    pub(crate) fn choose(
        &self,
        wanted: Option<String>,
        pointer: &str,
        page: &str,
    ) -> Result<String, PaymentError> {
        let Some(wanted) = wanted else {
            let mut url = self.home.clone();
            url.set_path(page);
            return Ok(url.into());
        };
        if self.allows(&wanted) {
            return Ok(wanted);
        }
        Err(PaymentError::invalid(
            pointer,
            "not_allowed",
            "must be a whole https address whose origin is the client's or stands in the server's \
             setting billing.redirect_urls",
        ))
    }

    fn allows(&self, text: &str) -> bool {
        // What browsers drop or turn round before they parse is refused before we do.
        let plain = text.len() <= 2048 && text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        let whole = text.starts_with("https://") || text.starts_with("http://");
        let Some(url) = Url::parse(text).ok().filter(|_| plain && whole) else {
            return false;
        };
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let listed = self.origins.contains(&url.origin()) || (self.http_allowed && local);
        let secure = url.scheme() == "https" || self.http_allowed;
        is_web(&url) && listed && secure
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn origins(development: bool) -> RedirectOrigins {
        let listed = ["https://studio.example.com/anything".to_owned()];
        RedirectOrigins::new("https://app.example.com", &listed, development).unwrap()
    }

    #[rstest]
    #[case("https://app.example.com/paid?session_id={CHECKOUT_SESSION_ID}")]
    #[case("https://app.example.com:443/paid")]
    #[case("https://studio.example.com/")]
    fn listed_origins_are_taken(#[case] url: &str) {
        assert!(origins(false).allows(url), "{url}");
    }

    #[rstest]
    #[case("")]
    #[case("/paid")]
    #[case("//app.example.com/paid")]
    #[case("https:app.example.com/paid")]
    #[case("http://app.example.com/paid")]
    #[case("https://app.example.com:8443/paid")]
    #[case("https://app.example.com.evil.com/paid")]
    #[case("https://evil.com/https://app.example.com")]
    #[case("https://app.example.com@evil.com/paid")]
    #[case("https://user@app.example.com/paid")]
    #[case("https://evil.com\\@app.example.com/paid")]
    #[case("https://app.example.com\t/paid")]
    #[case(" https://app.example.com/paid")]
    #[case("javascript:alert(1)//https://app.example.com")]
    #[case("data:text/html,x")]
    #[case("https://app\u{3002}example.com/")]
    #[case("http://localhost:3000/paid")]
    fn everything_else_is_refused(#[case] url: &str) {
        assert!(!origins(false).allows(url), "{url}");
    }

    #[test]
    fn developers_are_led_back_to_their_machine() {
        assert!(origins(true).allows("http://localhost:3000/paid"));
        assert!(!origins(true).allows("http://evil.com/paid"));
    }

    #[test]
    fn who_wants_no_page_gets_the_clients() {
        let url = origins(false).choose(None, "/successUrl", "payment/success");
        assert_eq!(url.unwrap(), "https://app.example.com/payment/success");
    }
}
