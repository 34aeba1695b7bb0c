//! A Redis that is reached over TLS, with a certificate of the chain's own authority.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{Service, eventually, rollcall};

#[test]
fn a_redis_over_tls_serves_where_its_authority_is_trusted_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    fs::write(place("ca.pem"), authority.pem()).unwrap();
    fs::write(place("cert.pem"), params.signed_by(&key, &authority).unwrap().pem()).unwrap();
    fs::write(place("key.pem"), key.serialize_pem()).unwrap();

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut redis = Command::new("redis-server")
        .args(["--port", "0", "--bind", "127.0.0.1", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"])
        .args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--logfile", "redis.log"])
        .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(dir.path())
        .current_dir(dir.path())
        .spawn()
        .unwrap();
    eventually("Redis listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());

    let serve = |authority: &str| {
        let mut command = rollcall();
        command.args(["serve", "--redis-url", &format!("rediss://localhost:{port}")]).arg("--data-dir").arg(dir.path());
        Service::with(command.env("SSL_CERT_FILE", place(authority)))
    };
    let trusting = serve("ca.pem").get("/readyz");
    fs::write(place("other.pem"), rcgen::generate_simple_self_signed(vec![]).unwrap().cert.pem()).unwrap();
    let stranger = serve("other.pem");
    let refused = stranger.get("/readyz");
    redis.kill().unwrap();
    redis.wait().unwrap();
    assert!(trusting.starts_with("HTTP/1.1 200"), "{trusting}");
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
}
