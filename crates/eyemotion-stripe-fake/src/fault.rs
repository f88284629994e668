//! Answers that go wrong.

use std::time::Duration;

/// What happens to a request instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The change is made; the answer never comes (until the client's time-out, or ten minutes).
    TimeoutAfterCommit,
    /// The change is made; the connection closes without an answer.
    ResetAfterCommit,
    /// The change is made and the answer is this status, which the idempotency key keeps.
    StatusAfterCommit(u16),
    /// Nothing is done; the answer is this status. A 429 has `Retry-After: 1`, a 409 is a lock's time-out.
    Status(u16),
    /// Nothing is done; the connection closes without an answer.
    ConnectionReset,
    /// The request waits that long before it is carried out: another with its key gets 409 meanwhile.
    Slow(Duration),
}

/// A fault that meets the next `times` requests that match.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `GET`, `POST` or `DELETE`; empty for each.
    pub method: String,
    /// A part of the path, `/v1/refunds` say; empty for each.
    pub path: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many requests it meets.
    pub times: u32,
}

impl Fault {
    /// The next POST whose path contains `path`.
    pub fn on_post(path: &str, kind: FaultKind) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.to_owned(),
            kind,
            times: 1,
        }
    }

    /// The next request whose path contains `path`.
    pub fn on(path: &str, kind: FaultKind) -> Self {
        Self {
            method: String::new(),
            path: path.to_owned(),
            kind,
            times: 1,
        }
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    pub(crate) fn meets(&self, method: &str, path: &str) -> bool {
        self.times > 0
            && (self.method.is_empty() || self.method.eq_ignore_ascii_case(method))
            && path.contains(&self.path)
    }
}
