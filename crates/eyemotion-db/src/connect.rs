use crate::config::DatabaseConfig;
use crate::tls::{self, TlsMode};
use diesel_async::AsyncPgConnection;
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

type TlsConnection = Connection<
    Socket,
    <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream,
>;

/// The database cannot be connected to as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("the database URL is not valid: {0}")]
    Url(String),
    /// The root certificates cannot be used.
    #[error("the root certificates cannot be used: {0}")]
    Certificates(String),
    /// The server cannot be reached or refused us.
    #[error("cannot connect to the database: {0}")]
    Connect(#[source] tokio_postgres::Error),
    /// The server let us in but would not take the connection's settings.
    #[error("cannot set the connection up: {0}")]
    Setup(String),
}

impl ConnectError {
    pub(crate) fn setup(error: impl std::fmt::Display) -> Self {
        Self::Setup(error.to_string())
    }
}

/// Opens connections to the one database.
pub(crate) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    pub(crate) fn new(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        let address = Address::parse(config.url.expose_secret())?;
        let mut pg: Config = address.url.parse().map_err(describe_url_error)?;
        pg.ssl_mode(match address.mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
        if pg.get_application_name().is_none() {
            pg.application_name("eyemotion");
        }
        if pg.get_connect_timeout().is_none() {
            pg.connect_timeout(Duration::from_secs(5));
        }
        let tls = tls::client_config(address.mode, address.root_certificate.as_deref())?;
        Ok(Self { config: pg, tls: MakeRustlsConnect::new(tls) })
    }

    pub(crate) async fn connect_raw(&self) -> Result<(Client, TlsConnection), ConnectError> {
        self.config.connect(self.tls.clone()).await.map_err(ConnectError::Connect)
    }

    pub(crate) async fn connect_diesel(&self) -> Result<AsyncPgConnection, ConnectError> {
        let (client, connection) = self.connect_raw().await?;
        AsyncPgConnection::try_from_client_and_connection(client, connection)
            .await
            .map_err(ConnectError::setup)
    }

    /// Asks the server to stop what a connection is doing. Best effort by its nature.
    pub(crate) async fn cancel(&self, token: &CancelToken) {
        if let Err(error) = token.cancel_query(self.tls.clone()).await {
            tracing::warn!(%error, "cannot cancel an abandoned query");
        }
    }
}

/// The crate's own message says what is wrong but not where.
fn describe_url_error(error: tokio_postgres::Error) -> ConnectError {
    let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    ConnectError::Url(cause)
}

/// A database address with the TLS words taken out that the driver does not know.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    url: String,
    mode: TlsMode,
    root_certificate: Option<String>,
}

impl Address {
    fn parse(url: &str) -> Result<Self, ConnectError> {
        let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let (head, words, separator): (&str, Vec<&str>, &str) = if is_url {
            let (head, query) = url.split_once('?').unwrap_or((url, ""));
            (head, query.split('&').filter(|word| !word.is_empty()).collect(), "&")
        } else {
            ("", url.split_whitespace().collect(), " ")
        };
        let mut mode = TlsMode::Prefer;
        let mut root_certificate = None;
        let mut kept = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some(("sslmode", value)) => mode = value.parse().map_err(ConnectError::Url)?,
                Some(("sslrootcert", value)) => {
                    let value = value.trim_matches('\'').replace("%2F", "/").replace("%2f", "/");
                    root_certificate = Some(value);
                }
                _ => kept.push(word),
            }
        }
        // libpq: `require` with a root certificate checks the chain.
        if mode == TlsMode::Require && root_certificate.is_some() {
            mode = TlsMode::VerifyCa;
        }
        let rest = kept.join(separator);
        let url = match (is_url, rest.is_empty()) {
            (true, true) => head.to_owned(),
            (true, false) => format!("{head}?{rest}"),
            (false, _) => rest,
        };
        Ok(Self { url, mode, root_certificate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_tls_words_out() {
        let address = Address::parse(
            "postgres://u:p@h/db?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem",
        )
        .unwrap();
        assert_eq!(address.url, "postgres://u:p@h/db?connect_timeout=3");
        assert_eq!(address.mode, TlsMode::VerifyFull);
        assert_eq!(address.root_certificate.as_deref(), Some("/etc/ca.pem"));

        let address = Address::parse("host=h user=u sslmode=require sslrootcert=/ca.pem").unwrap();
        assert_eq!((address.url.as_str(), address.mode), ("host=h user=u", TlsMode::VerifyCa));
        assert_eq!(Address::parse("postgres://h/db").unwrap().mode, TlsMode::Prefer);
        assert!(Address::parse("postgres://h/db?sslmode=maybe").is_err());
    }
}
