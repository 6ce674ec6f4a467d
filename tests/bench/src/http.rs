//! A lean HTTP/1.1 client, so that the load generator takes little of the processors it shares.

use std::{fmt::Write as _, io};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::Mutex,
};

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    /// # Errors
    /// When the status is not `status`: with the body, which says why.
    pub fn expect(self, status: u16) -> Result<Vec<u8>> {
        ensure!(
            self.status == status,
            "status {} instead of {status}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        Ok(self.body)
    }

    /// # Errors
    /// When the status is not `status`, or the body is no JSON.
    pub fn json(self, status: u16) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.expect(status)?)?)
    }
}

/// Connections to one server, kept open and lent to one request at a time.
pub struct Client {
    address: String,
    head: String,
    idle: Mutex<Vec<BufReader<TcpStream>>>,
}

impl Client {
    /// `address` is `127.0.0.1:8080`; the token goes with every request.
    pub fn new(address: impl Into<String>, token: &str) -> Self {
        let address = address.into();
        let head = format!(
            "Host: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        );
        Self { address, head, idle: Mutex::new(Vec::new()) }
    }

    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, &[]).await
    }

    pub async fn post(&self, path: &str, body: &[u8]) -> Result<Answer> {
        self.send("POST", path, body).await
    }

    pub async fn patch(&self, path: &str, body: &[u8]) -> Result<Answer> {
        self.send("PATCH", path, body).await
    }

    /// Replaces what has the ETag `tag`.
    pub async fn put(&self, path: &str, tag: &str, body: &[u8]) -> Result<Answer> {
        self.send_with("PUT", path, &format!("If-Match: \"{tag}\"\r\n"), body).await
    }

    async fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        self.send_with(method, path, "", body).await
    }

    /// With further headers, each with its line's end.
    async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Result<Answer> {
        let idle = self.idle.lock().await.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                BufReader::with_capacity(16 * 1024, stream)
            }
        };
        let mut request = format!("{method} {path} HTTP/1.1\r\n{}{headers}", self.head);
        // Writing to a String cannot fail.
        let _ = write!(request, "Content-Length: {}\r\n\r\n", body.len());
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        connection.get_mut().write_all(&bytes).await?;
        let (answer, stays_open) = read(&mut connection).await.with_context(|| path.to_owned())?;
        if stays_open {
            self.idle.lock().await.push(connection);
        }
        Ok(answer)
    }
}

/// Reads one answer; says too whether the connection can be used again.
async fn read(connection: &mut BufReader<TcpStream>) -> Result<(Answer, bool)> {
    let mut line = String::new();
    next_line(connection, &mut line).await?;
    let status = line.split(' ').nth(1).context("no status line")?.parse()?;
    let (mut length, mut is_chunked, mut stays_open) = (0, false, true);
    loop {
        next_line(connection, &mut line).await?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { bail!("no header: {line}") };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse()?,
            "transfer-encoding" => is_chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => stays_open = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    if is_chunked {
        loop {
            next_line(connection, &mut line).await?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16)?;
            let begin = body.len();
            body.resize(begin + size, 0);
            connection.read_exact(&mut body[begin..]).await?;
            next_line(connection, &mut line).await?;
            if size == 0 {
                break;
            }
        }
    } else {
        connection.read_exact(&mut body).await?;
    }
    Ok((Answer { status, body }, stays_open))
}

/// The next line without its end.
async fn next_line(connection: &mut BufReader<TcpStream>, line: &mut String) -> io::Result<()> {
    line.clear();
    if connection.read_line(line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(())
}
