use super::{SendError, Transport};
use crate::message::Outgoing;
use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{Error, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;
use secrecy::SecretString;
use std::time::Duration;
use url::{Host, Url};

/// Hands messages to a relay (RFC 6409, message submission), one connection for each.
pub struct SmtpTransport(AsyncSmtpTransport<Tokio1Executor>);

/// An address that no relay can be reached under. Says nothing of what was given: it may hold a
/// password.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtpUrl {
    /// Not a URL with a host.
    #[error("must be smtps://user:password@host:port or smtp://user:password@host:port")]
    Form,
    /// A user name without a password, or the other way round.
    #[error("a user name and a password go together; write special characters as %40 and so on")]
    Credentials,
    /// An unknown way of encryption.
    #[error("tls must be required, opportunistic or none, and smtps:// needs no such word")]
    Tls,
    /// The machine's certificates cannot be used.
    #[error("TLS cannot be set up")]
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How the connection is to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// From the first byte (RFC 8314).
    Implicit,
    /// By STARTTLS, and not at all without it.
    StartTls,
    /// By STARTTLS if the relay offers it.
    Opportunistic,
    None,
}

/// What a URL says.
struct Relay {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<(String, SecretString)>,
}

impl SmtpTransport {
    /// To the relay at `url`: `smtps://` is TLS from the start (port 465), `smtp://` needs
    /// STARTTLS (port 587). `?tls=opportunistic` or `?tls=none` asks for less; a relay on this
    /// same machine need not encrypt. `timeout` bounds each step of the conversation.
    ///
    /// # Errors
    /// [`InvalidSmtpUrl`].
    pub fn new(url: &SecretString, timeout: Duration) -> Result<Self, InvalidSmtpUrl> {
        let relay = read(url.expose_secret())?;
        let tls = || {
            TlsParameters::new(relay.host.clone())
                .map_err(|error| InvalidSmtpUrl::Certificates(error.into()))
        };
        let tls = match relay.encryption {
            Encryption::Implicit => Tls::Wrapper(tls()?),
            Encryption::StartTls => Tls::Required(tls()?),
            Encryption::Opportunistic => Tls::Opportunistic(tls()?),
            Encryption::None => Tls::None,
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(relay.host.clone())
                .port(relay.port)
                .tls(tls)
                .timeout(Some(timeout));
        if let Some((user, password)) = relay.credentials {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self(builder.build()))
    }

    /// Whether a transport could be made with this URL.
    ///
    /// # Errors
    /// [`InvalidSmtpUrl`].
    pub fn validate(url: &str) -> Result<(), InvalidSmtpUrl> {
        read(url).map(drop)
    }
}

fn read(text: &str) -> Result<Relay, InvalidSmtpUrl> {
    let url = Url::parse(text).map_err(|_| InvalidSmtpUrl::Form)?;
    let host = url.host().ok_or(InvalidSmtpUrl::Form)?;
    let mut wish = None;
    for (name, value) in url.query_pairs() {
        if name != "tls" {
            return Err(InvalidSmtpUrl::Form);
        }
        wish = Some(value.into_owned());
    }
    let encryption = match (url.scheme(), wish.as_deref()) {
        ("smtps", None) => Encryption::Implicit,
        ("smtp", None) if is_this_machine(&host) => Encryption::Opportunistic,
        ("smtp", None | Some("required")) => Encryption::StartTls,
        ("smtp", Some("opportunistic")) => Encryption::Opportunistic,
        ("smtp", Some("none")) => Encryption::None,
        ("smtp" | "smtps", Some(_)) => return Err(InvalidSmtpUrl::Tls),
        _ => return Err(InvalidSmtpUrl::Form),
    };
    let usual = match encryption {
        Encryption::Implicit => SUBMISSIONS_PORT,
        _ => SUBMISSION_PORT,
    };
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) | (_, None) => return Err(InvalidSmtpUrl::Credentials),
        (user, Some(password)) => Some((decode(user)?, decode(password)?.into())),
    };
    Ok(Relay {
        host: match host {
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        },
        port: url.port().unwrap_or(usual),
        encryption,
        credentials,
    })
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        // Schemes that are not the web's keep the host as it was written.
        Host::Domain(name) => {
            *name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn decode(text: &str) -> Result<String, InvalidSmtpUrl> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    Ok(decoded
        .map_err(|_| InvalidSmtpUrl::Credentials)?
        .into_owned())
}

/// Replies to AUTH (RFC 4954 section 6): it is us that the relay does not want, not the message.
const OUR_OWN_FAULT: [u16; 4] = [530, 534, 535, 538];

fn judge(error: Error) -> SendError {
    let ours = error
        .status()
        .is_some_and(|code| OUR_OWN_FAULT.contains(&u16::from(code)));
    if error.is_permanent() && !ours {
        SendError::Never(error.into())
    } else {
        SendError::Later(error.into())
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    async fn send(&self, mail: &Outgoing) -> Result<(), SendError> {
        self.0
            .send(mail.message.clone())
            .await
            .map(drop)
            .map_err(judge)
    }

    async fn check(&self) -> Option<Result<(), SendError>> {
        let answer = match self.0.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendError::Later("it does not answer NOOP".into())),
            Err(error) => Err(SendError::Later(error.into())),
        };
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_to_reach_the_relay() {
        let relay = |url| {
            let relay = read(url).unwrap();
            let user = relay.credentials.map(|(user, _)| user);
            (relay.host, relay.port, relay.encryption, user)
        };
        let host = || "mail.example.com".to_owned();
        assert_eq!(
            relay("smtps://u%40x:p%3A@mail.example.com"),
            (host(), 465, Encryption::Implicit, Some("u@x".to_owned()))
        );
        assert_eq!(
            relay("smtp://mail.example.com"),
            (host(), 587, Encryption::StartTls, None)
        );
        assert_eq!(
            relay("smtp://mail.example.com:25?tls=none").2,
            Encryption::None
        );
        assert_eq!(relay("smtp://127.0.0.1:1025").2, Encryption::Opportunistic);
        assert_eq!(
            relay("smtp://localhost?tls=required").2,
            Encryption::StartTls
        );
        assert_eq!(relay("smtp://[::1]:25").0, "::1");
        let credentials = read("smtps://u:p%3A@mail.example.com").unwrap().credentials;
        assert_eq!(credentials.unwrap().1.expose_secret(), "p:");
    }

    #[test]
    fn a_wrong_url_is_refused_without_repeating_it() {
        for url in [
            "mail.example.com",
            "http://u:secret@mail.example.com",
            "smtp://",
            "smtps://u@mail.example.com",
            "smtps://:secret@mail.example.com",
            "smtps://mail.example.com?tls=none",
            "smtp://mail.example.com?tls=secret",
            "smtp://mail.example.com?secret=1",
        ] {
            let error = SmtpTransport::validate(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
