//! One address in front of all replicas of a service, as a cluster gives it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Hands each connection to the next replica that takes it. It ends with this value.
pub(crate) struct Balancer {
    address: SocketAddr,
    replicas: Arc<Replicas>,
    // Aborted with this value, and every connection with it.
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Replicas {
    ports: Mutex<Vec<u16>>,
    turn: AtomicUsize,
}

impl Balancer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let replicas = Arc::new(Replicas::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&replicas)));
        Self { address, replicas, _serving: serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One replica more, on 127.0.0.1.
    pub(crate) fn add(&self, port: u16) {
        self.replicas.ports.lock().expect("nobody panics with it").push(port);
    }
}

async fn serve(listener: TcpListener, replicas: Arc<Replicas>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((caller, _)) = listener.accept() => {
                let replicas = Arc::clone(&replicas);
                connections.spawn(async move { replicas.serve(caller).await });
            }
            // How a connection ended is its caller's matter.
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Replicas {
    async fn serve(&self, mut caller: TcpStream) -> io::Result<()> {
        let ports = self.ports.lock().expect("nobody panics with it").clone();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        for place in 0..ports.len() {
            let port = ports[(turn + place) % ports.len()];
            if let Ok(mut replica) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                copy_bidirectional(&mut caller, &mut replica).await?;
                break;
            }
        }
        Ok(())
    }
}
