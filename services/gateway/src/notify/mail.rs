//! Letters by SMTP (RFC 5321), each under the one message id of its notification.

use std::time::Duration;

use anyhow::Context as _;
use chassis::config::Notify;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header},
};
use uuid::Uuid;

use super::{hearing::Letter, sender::Fate};

/// A server that says nothing for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server that takes letters.
pub(super) struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mail {
    /// The server of the configuration, if there is one.
    ///
    /// # Errors
    /// When its URL or the sender's address cannot be read.
    pub fn open(config: &Notify) -> anyhow::Result<Option<Self>> {
        if config.smtp_url.is_empty() {
            return Ok(None);
        }
        // The URL holds a password: it is not shown.
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.smtp_url.reveal())
            .map_err(|_| anyhow::anyhow!("notify.smtp_url is no `smtp://` or `smtps://` URL"))?;
        let from = config.from.parse().context("notify.from is no e-mail address")?;
        Ok(Some(Self { server: server.timeout(Some(PATIENCE)).build(), from }))
    }

    /// Hands a letter to the server: taken, refused for good, or to be tried again.
    pub async fn send(&self, id: Uuid, letter: &Letter) -> Fate {
        let message = match self.message(id, letter) {
            Ok(message) => message,
            Err(reason) => return Fate::Never(reason),
        };
        match self.server.send(message).await {
            Ok(reply) => Fate::Sent(reply.message().collect::<Vec<_>>().join(" ")),
            Err(error) if error.is_permanent() => Fate::Never(error.to_string()),
            Err(error) => Fate::Later(chain(&error)),
        }
    }

    fn message(&self, id: Uuid, letter: &Letter) -> Result<Message, String> {
        let to = letter.address.parse().map_err(|error| format!("{}: {error}", letter.address))?;
        Message::builder()
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .header(header::ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| error.to_string())
    }
}

/// An error with all that it came from.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
