//! The database's address, in the two forms that libpq takes, with what the driver does not know
//! taken out: the modes that check certificates, and where the trusted ones are.

use crate::connect::ConnectError;
use crate::tls::TlsMode;
use percent_encoding::percent_decode_str;

/// An address whose TLS words have been read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The rest, for the driver.
    pub url: String,
    pub mode: TlsMode,
    /// A PEM file; without one, the system's authorities are trusted.
    pub root_certificate: Option<String>,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, ConnectError> {
        let mut tls = TlsWords::default();
        let url = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let (head, query) = text.split_once('?').unwrap_or((text, ""));
            let mut kept = Vec::new();
            for word in query.split('&').filter(|word| !word.is_empty()) {
                let (name, value) = word.split_once('=').unwrap_or((word, ""));
                let value = percent_decode_str(value).decode_utf8_lossy();
                if !tls.take(name, &value) {
                    kept.push(word);
                }
            }
            if kept.is_empty() {
                head.to_owned()
            } else {
                format!("{head}?{}", kept.join("&"))
            }
        } else {
            let mut kept = Vec::new();
            for (name, value) in pairs(text)? {
                if !tls.take(&name, &value) {
                    let value = value.replace('\\', r"\\").replace('\'', r"\'");
                    kept.push(format!("{name}='{value}'"));
                }
            }
            kept.join(" ")
        };
        let (mode, root_certificate) = tls.settle()?;
        Ok(Self {
            url,
            mode,
            root_certificate,
        })
    }
}

#[derive(Default)]
struct TlsWords {
    mode: Option<String>,
    root: Option<String>,
}

impl TlsWords {
    /// Whether the word is one of ours.
    fn take(&mut self, name: &str, value: &str) -> bool {
        let place = match name {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            _ => return false,
        };
        *place = Some(value.to_owned()).filter(|value| !value.is_empty());
        true
    }

    /// What the words mean together (<https://www.postgresql.org/docs/current/libpq-ssl.html>).
    fn settle(self) -> Result<(TlsMode, Option<String>), ConnectError> {
        let mode = self
            .mode
            .map(|mode| mode.parse().map_err(ConnectError::Url))
            .transpose()?;
        match (mode, self.root) {
            (None | Some(TlsMode::VerifyFull), Some(root)) if root == "system" => {
                Ok((TlsMode::VerifyFull, None))
            }
            (Some(_), Some(root)) if root == "system" => Err(ConnectError::Url(
                "sslrootcert=system wants sslmode=verify-full".to_owned(),
            )),
            (Some(TlsMode::Require), root @ Some(_)) => Ok((TlsMode::VerifyCa, root)),
            (mode, root) => Ok((mode.unwrap_or(TlsMode::Prefer), root)),
        }
    }
}

/// `name = value` pairs; a value with spaces stands in single quotes, and a backslash keeps the
/// next character as it is.
fn pairs(text: &str) -> Result<Vec<(String, String)>, ConnectError> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| ConnectError::Url("every word must be name=value".to_owned()))?;
        let (value, after) = value(after.trim_start())?;
        pairs.push((name.trim_end().to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

fn value(text: &str) -> Result<(String, &str), ConnectError> {
    let quoted = text.strip_prefix('\'');
    let mut characters = quoted.unwrap_or(text).chars();
    let mut value = String::new();
    loop {
        let rest = characters.as_str();
        match (characters.next(), quoted.is_some()) {
            (Some('\\'), _) => value.extend(characters.next()),
            (Some('\''), true) => return Ok((value, characters.as_str())),
            (None, true) => {
                return Err(ConnectError::Url("a quoted value does not end".to_owned()));
            }
            (None, false) => return Ok((value, rest)),
            (Some(space), false) if space.is_whitespace() => return Ok((value, rest)),
            (Some(other), _) => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, TlsMode, Option<String>) {
        let address = Address::parse(text).unwrap();
        (address.url, address.mode, address.root_certificate)
    }

    #[test]
    fn takes_the_tls_words_out() {
        let root = |path: &str| Some(path.to_owned());
        let cases = [
            (
                "postgres://u:p@h/db?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fa%20b.pem",
                (
                    "postgres://u:p@h/db?connect_timeout=3",
                    TlsMode::VerifyFull,
                    root("/a b.pem"),
                ),
            ),
            (
                "postgres://h/db",
                ("postgres://h/db", TlsMode::Prefer, None),
            ),
            (
                "postgresql://h/db?sslmode=allow",
                ("postgresql://h/db", TlsMode::Prefer, None),
            ),
            (
                "host=h sslmode = require  user=u sslrootcert='/a b.pem'",
                ("host='h' user='u'", TlsMode::VerifyCa, root("/a b.pem")),
            ),
            (
                r"host=h password='it\'s  a \\' sslmode=disable",
                (r"host='h' password='it\'s  a \\'", TlsMode::Disable, None),
            ),
            (
                "postgres://h?sslrootcert=system",
                ("postgres://h", TlsMode::VerifyFull, None),
            ),
            (
                "host=h sslmode=require sslrootcert=",
                ("host='h'", TlsMode::Require, None),
            ),
        ];
        for (text, (url, mode, root)) in cases {
            assert_eq!(parse(text), (url.to_owned(), mode, root), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let cases = [
            (
                "postgres://h/db?sslmode=maybe",
                "is not one of disable, prefer",
            ),
            (
                "postgres://h?sslmode=require&sslrootcert=system",
                "wants sslmode=verify-full",
            ),
            ("host=h password='open", "does not end"),
            ("host=h user", "name=value"),
        ];
        for (text, expected) in cases {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
