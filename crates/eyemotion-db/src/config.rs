use secrecy::SecretString;
use std::time::Duration;

/// How to reach PostgreSQL.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/name?sslmode=...` or `key=value` pairs; `sslmode` is
    /// `disable`, `prefer` (the default), `require`, `verify-ca` or `verify-full`, and
    /// `sslrootcert` names a PEM file with the authorities to trust instead of the system's. A
    /// certificate must name its host as a subjectAltName; a common name alone does not count.
    pub url: SecretString,
    /// Connections at most for each database role.
    pub pool_size: usize,
    /// How long a request waits for a free connection before it is answered 503.
    pub acquire_timeout: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
}

impl DatabaseConfig {
    /// The defaults with the given address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            pool_size: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(15),
            lock_timeout: Duration::from_secs(5),
        }
    }
}
