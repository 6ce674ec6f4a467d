//! What stands outside and takes what Steward sends: a mail server and an HTTP receiver.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A receiver that keeps all that it takes. It ends with this value.
pub struct Sink {
    pub address: SocketAddr,
    taken: Arc<Taken>,
    task: JoinHandle<()>,
}

/// What a sink has, and whether it says so.
#[derive(Default)]
struct Taken {
    all: Mutex<Vec<String>>,
    is_silent: AtomicBool,
}

impl Taken {
    /// Keeps it; while the sink is silent, whoever sent it never hears that it was taken.
    async fn keep(&self, what: String) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        if self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sink {
    /// A mail server at `port`; it takes letters as they come, their lines joined as they were.
    pub async fn mail(port: u16) -> Self {
        Self::with(port, |stream, taken| async move {
            // Whoever hangs up has nothing more to say.
            let _ = letters(stream, &taken).await;
        })
        .await
    }

    /// An HTTP receiver; it takes head and body of each request and answers 204.
    pub async fn http(port: u16) -> Self {
        Self::with(port, |stream, taken| async move {
            let _ = request(stream, &taken).await;
        })
        .await
    }

    async fn with<F>(port: u16, serve: impl Fn(TcpStream, Arc<Taken>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let taken = Arc::new(Taken::default());
        let kept = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { address, taken, task }
    }

    /// All that was taken until now.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        self.taken.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what comes from now on and says nothing, or says again that it is taken.
    pub fn be_silent(&self, is_silent: bool) {
        self.taken.is_silent.store(is_silent, Ordering::Relaxed);
    }
}

/// One session of SMTP (RFC 5321), as far as letters need it.
async fn letters(stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    writing.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match line.split_whitespace().next().unwrap_or_default() {
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                let mut letter = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    letter.push_str(&line);
                    letter.push('\n');
                }
                taken.keep(letter).await;
                b"250 taken by the sink\r\n"
            }
            "QUIT" => return writing.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        writing.write_all(answer).await?;
    }
    Ok(())
}

/// One HTTP request.
async fn request(stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let (mut whole, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reading.read_line(&mut line).await? <= 2 {
            break;
        }
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap_or_default();
        }
        whole.push_str(&line);
    }
    let mut body = vec![0; length];
    reading.read_exact(&mut body).await?;
    whole.push_str(&String::from_utf8_lossy(&body));
    taken.keep(whole).await;
    writing.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await
}
