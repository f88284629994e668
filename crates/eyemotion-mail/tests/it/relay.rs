//! An SMTP server (RFC 5321) that does as it is told and remembers what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it says to a message.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    Accept,
    /// 451: come again.
    Later,
    /// 550: no such mailbox.
    Never,
    /// 535: wrong user name or password.
    WrongPassword,
}

/// A message that was accepted.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    pub raw: String,
}

impl Received {
    /// The value of a header that stands on one line.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.raw.split("\r\n\r\n").next().unwrap();
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The message with quoted-printable undone (RFC 2045 section 6.7).
    pub fn readable(&self) -> String {
        let joined = self.raw.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let [first, tail @ ..] = rest {
            let hex =
                |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
            match (first, tail) {
                (b'=', [a, b, tail @ ..]) if hex(&[*a, *b]).is_some() => {
                    bytes.extend(hex(&[*a, *b]));
                    rest = tail;
                }
                _ => {
                    bytes.push(*first);
                    rest = tail;
                }
            }
        }
        String::from_utf8(bytes).unwrap()
    }
}

#[derive(Default)]
struct State {
    verdicts: VecDeque<Verdict>,
    received: Vec<Received>,
    attempts: Vec<String>,
    connections: usize,
    credentials: Vec<String>,
}

pub struct Relay {
    pub port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// One that says this to the first messages, and accepts the others.
    pub async fn start(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            verdicts: verdicts.into_iter().collect(),
            ..State::default()
        }));
        let task = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    state.lock().unwrap().connections += 1;
                    tokio::spawn(talk(stream, Arc::clone(&state)));
                }
            }
        });
        Self { port, state, task }
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// The Message-IDs of all that was offered, accepted or not.
    pub fn attempts(&self) -> Vec<String> {
        self.state.lock().unwrap().attempts.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub fn credentials(&self) -> Vec<String> {
        self.state.lock().unwrap().credentials.clone()
    }
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) {
    // Who hangs up in the middle has said enough.
    let _ = converse(stream, &state).await;
}

async fn converse(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut lines = BufReader::new(input).lines();
    let (mut from, mut to) = (String::new(), String::new());
    output.write_all(b"220 relay.test ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-relay.test\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => {
                let mut state = state.lock().unwrap();
                state.credentials.push(line.clone());
                if matches!(state.verdicts.front(), Some(Verdict::WrongPassword)) {
                    state.verdicts.pop_front();
                    "535 5.7.8 Authentication credentials invalid"
                } else {
                    "235 2.7.0 Authentication successful"
                }
            }
            "MAIL" => {
                from.clone_from(&line);
                "250 OK"
            }
            "RCPT" => {
                to.clone_from(&line);
                "250 OK"
            }
            "DATA" => {
                output.write_all(b"354 Go on\r\n").await?;
                let mut raw = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    raw.push_str("\r\n");
                }
                let (from, to) = (from.clone(), to.clone());
                judge(state, Received { from, to, raw })
            }
            "NOOP" | "RSET" => "250 OK",
            "QUIT" => {
                output.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            _ => "502 Command not implemented",
        };
        output.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn judge(state: &Mutex<State>, message: Received) -> &'static str {
    let mut state = state.lock().unwrap();
    let id = message.header("Message-ID").unwrap().to_owned();
    state.attempts.push(id);
    match state.verdicts.pop_front().unwrap_or(Verdict::Accept) {
        Verdict::Accept | Verdict::WrongPassword => {
            state.received.push(message);
            "250 2.0.0 OK"
        }
        Verdict::Later => "451 4.3.0 Try again later",
        Verdict::Never => "550 5.1.1 No such mailbox",
    }
}
