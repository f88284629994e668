//! A client that costs as little as possible: on two cores its own work is taken from the server's.

use crate::Result;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, ready to be written.
#[derive(Clone)]
pub struct Request {
    head: String,
    body: String,
    /// Of another process than the first.
    pub port: Option<u16>,
}

impl Request {
    /// GET `path`.
    pub fn get(path: &str) -> Self {
        Self {
            head: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"),
            body: String::new(),
            port: None,
        }
    }

    /// POST `body` to `path`.
    pub fn post(path: &str, body: &Value) -> Self {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n",
            body.len()
        );
        Self {
            head,
            body,
            port: None,
        }
    }

    /// The same with an access token.
    pub fn bearer(mut self, token: &str) -> Self {
        self.head.push_str("Authorization: Bearer ");
        self.head.push_str(token);
        self.head.push_str("\r\n");
        self
    }

    /// The same with a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(name);
        self.head.push_str(": ");
        self.head.push_str(value);
        self.head.push_str("\r\n");
        self
    }

    /// The same to another process.
    pub const fn at(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        format!("{}\r\n{}", self.head, self.body).into_bytes()
    }
}

/// What a load led to.
pub struct Load {
    /// Answers a second, all of them 2xx.
    pub per_second: f64,
    /// Microseconds from the request's first byte to the answer's last.
    pub latency: Histogram<u64>,
}

/// One connection, kept alive.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub async fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends one request; an answer that is not 2xx is an error.
    pub async fn call(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let end = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        let head =
            String::from_utf8_lossy(self.buffer.get(..end).unwrap_or_default()).to_lowercase();
        let length: usize = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next())
            .ok_or_else(|| format!("no content length: {head}"))?
            .parse()?;
        while self.buffer.len() < end + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        let body = self.buffer.get(end..).unwrap_or_default().to_vec();
        if head.starts_with("http/1.1 2") {
            Ok(body)
        } else {
            Err(format!("{head}{}", String::from_utf8_lossy(&body)).into())
        }
    }
}

/// Sends one request and reads its JSON.
pub async fn call(port: u16, request: &Request) -> Result<Value> {
    let body = Client::connect(port).await?.call(&request.bytes()).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// `clients` connections, each sending its request again when it is answered, for `time`; they take
/// the requests in turn.
pub async fn load(port: u16, requests: &[Request], clients: usize, time: Duration) -> Result<Load> {
    let started = Instant::now();
    let tasks: Vec<_> = requests
        .iter()
        .cycle()
        .take(clients)
        .map(|request| {
            let bytes = request.bytes();
            tokio::spawn(async move {
                let mut latency = Histogram::<u64>::new(3)?;
                let mut client = Client::connect(port).await?;
                while started.elapsed() < time {
                    let sent = Instant::now();
                    client.call(&bytes).await?;
                    latency.record(u64::try_from(sent.elapsed().as_micros())?)?;
                }
                Result::Ok(latency)
            })
        })
        .collect();
    let mut latency = Histogram::<u64>::new(3)?;
    for task in tasks {
        latency.add(task.await??)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests fits a f64")]
    let per_second = latency.len() as f64 / seconds;
    Ok(Load {
        per_second,
        latency,
    })
}
