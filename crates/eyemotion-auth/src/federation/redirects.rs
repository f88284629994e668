use super::error::FederationError;
use eyemotion_core::FieldError;
use url::Url;

/// The pages that a browser may be led to, compared byte for byte (RFC 9700 section 4.1.3): nothing
/// that is parsed can be parsed in two ways.
pub(super) struct RedirectTargets(Vec<String>);

impl RedirectTargets {
    pub(super) const fn new(listed: Vec<String>) -> Self {
        Self(listed)
    }

    /// The page that was asked for, if it is listed; the first one if none was.
    pub(super) fn choose(&self, wanted: Option<String>) -> Result<Option<String>, FederationError> {
        match wanted {
            None => Ok(self.0.first().cloned()),
            Some(wanted) if self.0.contains(&wanted) => Ok(Some(wanted)),
            Some(_) => Err(FederationError::Invalid(vec![FieldError::new(
                "/redirectTo",
                "not_allowed",
                "must be, character for character, one of the addresses in the server's setting \
                 oauth.redirect_urls, or its frontend_url",
            )])),
        }
    }
}

/// `target` with further query parameters.
pub(super) fn with_query(target: &str, pairs: &[(&str, &str)]) -> Result<String, url::ParseError> {
    let mut url = Url::parse(target)?;
    url.query_pairs_mut().extend_pairs(pairs);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "https://app.example.com/auth/callback";

    fn targets() -> RedirectTargets {
        let listed = [
            LISTED,
            "eyemotion://signed-in",
            "http://localhost:5173/?from=oauth",
        ];
        RedirectTargets::new(listed.map(ToOwned::to_owned).into())
    }

    #[test]
    fn listed_pages_are_taken_and_the_first_is_the_default() {
        let choose = |wanted: &str| targets().choose(Some(wanted.to_owned())).unwrap();
        assert_eq!(choose(LISTED).as_deref(), Some(LISTED));
        assert_eq!(
            choose("eyemotion://signed-in").as_deref(),
            Some("eyemotion://signed-in")
        );
        assert_eq!(targets().choose(None).unwrap().as_deref(), Some(LISTED));
        let none = RedirectTargets::new(Vec::new());
        assert_eq!(none.choose(None).unwrap(), None);
        assert!(none.choose(Some(LISTED.to_owned())).is_err());
    }

    #[test]
    fn everything_else_is_refused() {
        for wanted in [
            "",
            "/auth/callback",
            "//evil.com",
            "///evil.com",
            "https:evil.com",
            "https:/evil.com",
            "\\\\evil.com",
            "/\\evil.com",
            "https://good@evil.com/auth/callback",
            "https://app.example.com@evil.com/auth/callback",
            "https://app.example.com.evil.com/auth/callback",
            "https://evil.com/app.example.com/auth/callback",
            "https://evil.com#https://app.example.com/auth/callback",
            "%2f%2fevil.com",
            "https://app.example.com/auth/callback%2f..%2f..",
            "https://app.example.com/auth/callback\r\nLocation: https://evil.com",
            "https://app.example.com/auth/callback\n",
            " https://app.example.com/auth/callback",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)//https://app.example.com/auth/callback",
            "data:text/html,evil",
            "https://app\u{3002}example.com/auth/callback",
            "https://app.example\u{ff0e}com/auth/callback",
            "https://app.example.com./auth/callback",
            "https://user:password@app.example.com/auth/callback",
            "https://app.example.com:443/auth/callback",
            "https://app.example.com:8443/auth/callback",
            "HTTPS://APP.EXAMPLE.COM/auth/callback",
            "https://app.example.com/Auth/Callback",
            "https://app.example.com/auth/callback/",
            "https://app.example.com/auth/callback?next=evil",
            "https://app.example.com/auth/callback#evil",
            "https://app.example.com/auth/callback/../../evil",
            "https://app.example.com",
            "http://app.example.com/auth/callback",
            "https://app.example.com\\@evil.com",
            "https://app.example.com\0/auth/callback",
        ] {
            let refused = targets().choose(Some(wanted.to_owned()));
            assert!(
                matches!(refused, Err(FederationError::Invalid(_))),
                "{wanted:?}"
            );
        }
    }

    #[test]
    fn parameters_are_added_and_escaped() {
        let pairs = [("code", "a&b=c#d"), ("state", "s\r\n")];
        assert_eq!(
            with_query("http://localhost:5173/?from=oauth", &pairs).unwrap(),
            "http://localhost:5173/?from=oauth&code=a%26b%3Dc%23d&state=s%0D%0A"
        );
        assert_eq!(
            with_query("eyemotion://signed-in", &[("error", "access_denied")]).unwrap(),
            "eyemotion://signed-in?error=access_denied"
        );
    }
}
