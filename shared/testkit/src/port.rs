//! Ports for servers that a test takes down and up again.

use std::{
    net::TcpListener,
    ops::Range,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below what systems give to outgoing connections: whoever knocks at the port of a server that is
/// down would otherwise now and then be given that very port, and the server could not come back.
const PORTS: Range<u16> = 20_000..30_000;
/// Processes that run at the same time begin this far from each other.
const APART: u32 = 97;

/// A port of 127.0.0.1 that nothing listens on, and that nothing but a listener takes.
///
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let ports = u32::from(PORTS.end - PORTS.start);
    let next = || {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let place = (process::id().wrapping_mul(APART).wrapping_add(tried)) % ports;
        u16::try_from(place).map_or(PORTS.start, |place| PORTS.start + place)
    };
    let mut candidates = (0..ports).map(|_| next());
    let free = candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("a free port")
}
