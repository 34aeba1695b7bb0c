//! A name server of one name, whose addresses a test changes: what Docker's does when a container is made anew.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers every question with these addresses, for as long as the process lives.
pub struct Names {
    pub port: u16,
    addresses: Arc<Mutex<Vec<Ipv4Addr>>>,
}

impl Names {
    pub fn start(addresses: &[Ipv4Addr]) -> Names {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let addresses = Arc::new(Mutex::new(addresses.to_vec()));
        let known = Arc::clone(&addresses);
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut question) {
                let answer = answer(&question[..length], &known.lock().unwrap());
                let _ = socket.send_to(&answer, asker);
            }
        });
        Names { port, addresses }
    }

    pub fn become_(&self, addresses: &[Ipv4Addr]) {
        *self.addresses.lock().unwrap() = addresses.to_vec();
    }
}

/// RFC 1035, section 4: the question again, then an address each.
fn answer(question: &[u8], addresses: &[Ipv4Addr]) -> Vec<u8> {
    let name = question[12..].iter().position(|byte| *byte == 0).unwrap();
    let asked = &question[12..12 + name + 5];
    let mut said = question[..2].to_vec();
    said.extend([0x81, 0x80, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0]);
    said.extend(asked);
    for address in addresses {
        // The name of the question, type A, class IN, a second to live, four bytes.
        said.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        said.extend(address.octets());
    }
    said
}
