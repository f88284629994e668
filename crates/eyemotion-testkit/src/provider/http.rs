//! As much of an HTTP/1.1 server as the provider needs: one request a connection.

use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request.
pub(super) struct Asked {
    pub path: String,
    pub query: HashMap<String, String>,
    pub form: HashMap<String, String>,
    headers: HashMap<String, String>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// An answer.
pub(super) struct Told {
    status: u16,
    header: String,
    body: String,
}

impl Told {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            header: "content-type: application/json".to_owned(),
            body: body.to_string(),
        }
    }

    pub(super) fn html(body: &str) -> Self {
        Self {
            status: 200,
            header: "content-type: text/html".to_owned(),
            body: body.to_owned(),
        }
    }

    pub(super) fn redirect(to: &str) -> Self {
        Self {
            status: 302,
            header: format!("location: {to}"),
            body: String::new(),
        }
    }
}

pub(super) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

pub(super) fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("its address"))
}

/// Answers until the test's runtime ends.
pub(super) fn serve(listener: TcpListener, answer: impl Fn(Asked) -> Told + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                // Who hangs up gets no answer.
                let _ = talk(stream, &*answer).await;
            });
        }
    });
}

async fn talk(stream: TcpStream, answer: &(impl Fn(Asked) -> Told + Sync)) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let told = answer(Asked {
        path: path.to_owned(),
        query: pairs(query.as_bytes()),
        form: pairs(&body),
        headers,
    });
    let head = format!(
        "HTTP/1.1 {} X\r\n{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        told.status,
        told.header,
        told.body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(told.body.as_bytes()).await?;
    stream.flush().await
}

fn pairs(text: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
