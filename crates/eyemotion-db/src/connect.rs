use crate::address::Address;
use crate::config::DatabaseConfig;
use crate::tls::{self, TlsMode};
use diesel_async::AsyncPgConnection;
use secrecy::ExposeSecret;
use std::error::Error;
use std::time::Duration;
use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

type TlsConnection =
    Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For what comes after the TCP connection, too: TLS and the login.
const GREETING_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection that a firewall has forgotten must not look alive for the two hours of the
/// driver's default: who only listens on it would hear nothing.
const KEEPALIVE: Duration = Duration::from_secs(30);

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
    #[error("cannot connect to the database: {}", reason(.0))]
    Connect(tokio_postgres::Error),
    /// The server took the connection and then said nothing.
    #[error("cannot connect to the database: it does not answer")]
    Silent,
    /// The server let us in but would not take the connection's settings.
    #[error("cannot set the connection up: {0}")]
    Setup(String),
}

impl ConnectError {
    pub(crate) fn setup(error: impl std::fmt::Display) -> Self {
        Self::Setup(error.to_string())
    }
}

/// What happened, in one line: the driver's own text is only its sort.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        let hint = said
            .hint()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        return format!("{}{hint}", said.message());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Opens connections to the one database.
pub(crate) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    pub(crate) fn new(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        let address = Address::parse(config.url.expose_secret())?;
        let mut pg: Config = address
            .url
            .parse()
            .map_err(|error| ConnectError::Url(reason(&error)))?;
        pg.ssl_mode(match address.mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
        if pg.get_application_name().is_none() {
            pg.application_name("eyemotion");
        }
        if pg.get_connect_timeout().is_none() {
            pg.connect_timeout(CONNECT_TIMEOUT);
        }
        if pg.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            pg.keepalives_idle(KEEPALIVE);
        }
        let tls = tls::client_config(address.mode, address.root_certificate.as_deref())?;
        Ok(Self {
            config: pg,
            tls: MakeRustlsConnect::new(tls),
        })
    }

    pub(crate) async fn connect_raw(&self) -> Result<(Client, TlsConnection), ConnectError> {
        let connecting = self.config.connect(self.tls.clone());
        match tokio::time::timeout(GREETING_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(ConnectError::Connect),
            Err(_elapsed) => Err(ConnectError::Silent),
        }
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
            tracing::warn!(error = reason(&error), "cannot cancel an abandoned query");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_the_driver_refuses_is_explained() {
        let config = DatabaseConfig::new("postgres://h/db?sslcert=me.pem");
        let error = Connector::new(&config).map(drop).unwrap_err().to_string();
        assert!(
            error.contains("the database URL is not valid") && error.contains("sslcert"),
            "{error}"
        );
    }
}
