use secrecy::SecretString;

/// Through whom people may sign in, and where browsers may be led afterwards.
#[derive(Clone, Debug, Default)]
pub struct FederationConfig {
    /// Google. None: not configured.
    pub google: Option<OidcConfig>,
    /// GitHub. None: not configured.
    pub github: Option<GithubConfig>,
    /// The only pages that code and state are given to, compared as they are written; the first is
    /// taken where none is named.
    pub redirect_targets: Vec<String>,
}

/// A client that is registered with an OpenID provider.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The provider's own name, to which its discovery document is relative:
    /// `https://accounts.google.com`.
    pub issuer: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
}

/// A client that is registered with GitHub.
#[derive(Clone, Debug)]
pub struct GithubConfig {
    /// Where people sign in: `https://github.com`. Names the issuer of identities, too.
    pub url: String,
    /// Where its API is: `https://api.github.com`.
    pub api_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
}
