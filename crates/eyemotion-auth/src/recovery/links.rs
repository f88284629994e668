/// Where the links in mails lead. Never to a host that a request has named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// The web client, which then has the pages below; none: this server's own pages.
    pub frontend_url: Option<String>,
    /// This server.
    pub server_url: String,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            frontend_url: None,
            server_url: "http://127.0.0.1:8000".to_owned(),
        }
    }
}

impl Links {
    /// The link to `page` (`/auth/confirm`) that holds `token`. To the web client it goes as a
    /// fragment, which no server and no `Referer` header sees; our pages work without scripts, so
    /// they need it in the query, which is not logged.
    pub(crate) fn to(&self, page: &str, token: &str) -> String {
        match &self.frontend_url {
            Some(base) => format!("{}{page}#token={token}", base.trim_end_matches('/')),
            None => format!(
                "{}{page}?token={token}",
                self.server_url.trim_end_matches('/')
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_client_comes_first() {
        let own = Links::default();
        assert_eq!(
            own.to("/auth/reset", "t"),
            "http://127.0.0.1:8000/auth/reset?token=t"
        );
        let client = Links {
            frontend_url: Some("https://eyemotion.ai/app/".to_owned()),
            ..own
        };
        assert_eq!(
            client.to("/auth/reset", "t"),
            "https://eyemotion.ai/app/auth/reset#token=t"
        );
    }
}
