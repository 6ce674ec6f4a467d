//! Files of a record: `…/{id}/attachments`. Their bytes stream in and out; nothing of them is ever run.

use axum::{
    body::Body,
    extract::{Path, Query as Parameters, Request, State},
    response::{IntoResponse, Response},
};
use engine::{Attachment, Command, Subject};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::{Fault, Refusal, Rule};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{Content, Entry, Store};
use uuid::Uuid;

use super::{Shelf, more::by, one::on_record};
use crate::{door::Door, office::time, problem::Problem};

/// What a format begins with: a file that says it is one of these must begin so, or it is something else.
const BEGINNINGS: [(&str, &[u8]); 7] = [
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/gif", b"GIF8"),
    ("image/webp", b"RIFF"),
    ("application/pdf", b"%PDF-"),
    ("application/zip", b"PK"),
    ("application/gzip", b"\x1f\x8b"),
];
/// The longest of them.
const LOOKED_AT: usize = 8;
/// Where nobody says what it is.
const UNKNOWN: &str = "application/octet-stream";

/// Adds a file: the body is its bytes, `Content-Type` says what they are, `?name=` what it is called.
/// Whoever may comment may do so.
pub async fn attach(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
    request: Request,
) -> Result<Response, Problem> {
    let name = named(pairs)?;
    let record = shelf.record(&door, &id).await?;
    let media_type = media_type(request.headers());
    let mut file = Attachment { name, media_type, size: 0, digest: String::new() };
    // Nobody's bytes are kept who may not attach them; the command itself says why, and that is on record.
    let cause = door.cause(&shelf.office.clock);
    let wish = Command::Attach { file: file.clone() };
    let rules = shelf.office.rules();
    if engine::decide(&rules, Subject::Existing(&record), &wish, &cause).is_ok() {
        (file.digest, file.size) = kept(&shelf, request, &file.media_type).await?;
    }
    let said = [&file.name, &file.media_type, &file.digest].map(|part| format!("{part}\n"));
    let once = door.once(&Sha256::digest(said.concat()));
    on_record(&shelf, &door, &id, once, Command::Attach { file }, StatusCode::CREATED).await
}

/// `?name=screen.png`, which stands there once and alone.
fn named(pairs: Vec<(String, String)>) -> Result<String, Problem> {
    let mut faults = Vec::new();
    let mut given = None;
    for (name, value) in pairs {
        let fault = |code, message| Fault::new(format!("/{name}"), code, message);
        if name != "name" {
            let message = format!("There is no parameter `{name}`; there is name.");
            faults.push(fault("unknown_parameter", message));
        } else if given.replace(value).is_some() {
            faults.push(fault("twice", "`name` stands twice.".to_owned()));
        }
    }
    if given.is_none() {
        let message = "It must say what the file is called: `?name=screen.png`.";
        faults.push(Fault::new("/name", "required", message));
    }
    match given {
        Some(name) if faults.is_empty() => Ok(name),
        _ => Err(Refusal::new(Rule::Invalid, faults).into()),
    }
}

/// `image/png`, without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    said.and_then(|kind| kind.split(';').next()).unwrap_or(UNKNOWN).trim().to_ascii_lowercase()
}

/// Takes the bytes in; answers their digest and how many they are.
async fn kept(shelf: &Shelf, request: Request, said: &str) -> Result<(String, u64), Problem> {
    let limit = shelf.office.attachment_bytes;
    let too_large = || {
        let detail = format!("A file has at most {limit} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut arrival = shelf.office.store.receive(Uuid::new_v4()).await?;
    let (mut head, mut left) = (Vec::with_capacity(LOOKED_AT), limit);
    let mut body = request.into_body().into_data_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| {
            let detail = "The body ended before it was complete.";
            Problem::new(StatusCode::BAD_REQUEST, "body", detail)
        })?;
        left = left.checked_sub(bytes.len()).ok_or_else(too_large)?;
        head.extend(bytes.iter().take(LOOKED_AT - head.len()));
        arrival.take(&bytes).await?;
    }
    if head.is_empty() {
        return Err(Problem::invalid("", "empty", "The body must be the bytes of the file."));
    }
    if let Some((kind, _)) =
        BEGINNINGS.iter().find(|(kind, start)| *kind == said && !head.starts_with(start))
    {
        let message = format!("These bytes are no {kind}.");
        return Err(Problem::invalid("/Content-Type", "media_type", message));
    }
    Ok(arrival.finish().await?)
}

/// The files of the record, oldest first; `rev` names one.
pub async fn attachments(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let record = shelf.record(&door, &id).await?;
    let entries = shelf.office.store.attachments(record.id).await?;
    let items: Vec<Value> = entries.iter().filter_map(view).collect();
    Ok(axum::Json(json!({ "items": items })))
}

fn view(entry: &Entry) -> Option<Value> {
    let file = said(entry)?;
    Some(json!({
        "rev": entry.revision,
        "at": time(entry.occurred_at),
        "by": by(entry),
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "digest": file.digest,
    }))
}

/// What was said of the file that an entry attached.
fn said(entry: &Entry) -> Option<Attachment> {
    Attachment::deserialize(entry.payload.as_ref()?.get("attachment")?).ok()
}

/// The bytes of a file, to be saved and never to be shown as a page: whatever they are, a browser runs
/// nothing of them.
pub async fn file(
    State(shelf): State<Shelf>,
    Path((id, rev)): Path<(String, String)>,
    door: Door,
) -> Result<Response, Problem> {
    let rev: u64 = rev.parse().map_err(|_| Problem::unknown())?;
    let record = shelf.record(&door, &id).await?;
    let store = &shelf.office.store;
    let (entry, content) = store.attached(record.id, rev).await?.ok_or_else(Problem::unknown)?;
    let file = said(&entry).ok_or_else(Problem::unknown)?;
    let mut answer = bytes_of(store.clone(), content).into_response();
    let headers = answer.headers_mut();
    let mut say = |name: HeaderName, value: &str| {
        // What was let in is a header; what could not be one is left out.
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    };
    say(header::CONTENT_TYPE, &file.media_type);
    say(header::CONTENT_LENGTH, &content.size.to_string());
    say(header::CONTENT_DISPOSITION, &disposition(&file.name));
    say(header::ETAG, &format!("\"{}\"", file.digest));
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    say(header::CACHE_CONTROL, "private, no-cache");
    Ok(answer)
}

/// A part after the other, as fast as they are taken.
fn bytes_of(store: Store, content: Content) -> Body {
    let parts = stream::iter(0..content.parts).then(move |part| {
        let store = store.clone();
        async move {
            let gone = || std::io::Error::other("a part of the file is gone");
            let found = store.part(content.id, part).await.map_err(std::io::Error::other)?;
            found.ok_or_else(gone)
        }
    });
    Body::from_stream(parts)
}

/// `attachment`, with the name in the two ways of RFC 6266.
fn disposition(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._ ".contains(&byte);
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii() && is_plain(letter as u8) { letter } else { '_' })
        .collect();
    let is_kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encoded: String = name
        .bytes()
        .map(
            |byte| {
                if is_kept(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_in_both_ways() {
        assert_eq!(
            disposition("Käse \"1\".pdf"),
            "attachment; filename=\"K_se _1_.pdf\"; filename*=UTF-8''K%C3%A4se%20%221%22.pdf"
        );
    }
}
