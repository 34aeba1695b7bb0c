//! A cable between browser and service that can be pulled out and put back.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Listens on a port of its own and passes everything on, while it is plugged in.
pub struct Cable {
    pub port: u16,
    plugged: Arc<watch::Sender<bool>>,
}

impl Cable {
    pub async fn to(service: u16) -> Cable {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().unwrap().port();
        let plugged = Arc::new(watch::Sender::new(true));
        let state = plugged.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut seen = state.subscribe();
                if !*seen.borrow_and_update() {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", service)).await else { return };
                    // Whatever is under way when the cable is pulled is lost, in both directions.
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = seen.wait_for(|plugged| !plugged) => {}
                    }
                });
            }
        });
        Cable { port, plugged }
    }

    pub fn pull(&self) {
        self.plugged.send_replace(false);
    }

    pub fn plug_in(&self) {
        self.plugged.send_replace(true);
    }
}
