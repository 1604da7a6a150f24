//! TLS servers that answer every request with the same bytes: the least that a fan-out can cost.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures_util::future::join_all;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::process::Background;

/// The argument that makes this program the servers' process. The folder, the number of servers and the length of a
/// request follow it.
pub(crate) const SERVE: &str = "serve-echoes";

const NAME: &str = "localhost";

/// The file with the answer.
const ANSWER: &str = "answer";

/// Servers in a process of their own, and a connection to each.
pub(crate) struct Echoes {
    _servers: Background,
    links: Vec<TlsStream<TcpStream>>,
    request: Vec<u8>,
    answer_len: usize,
}

impl Echoes {
    /// Starts servers, with their files in `folder`, and connects to each.
    pub(crate) async fn start(folder: &Path, count: usize, request: Vec<u8>, answer: &[u8]) -> Self {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
        fs::write(folder.join("crt"), made.cert.der()).unwrap();
        fs::write(folder.join("key"), made.signing_key.serialize_der()).unwrap();
        fs::write(folder.join(ANSWER), answer).unwrap();
        let mut servers = Command::new(std::env::current_exe().unwrap());
        servers.arg(SERVE).arg(folder).args([count.to_string(), request.len().to_string()]);
        let mut servers = servers.stdout(Stdio::piped()).spawn().unwrap();
        let ports = ports(&mut servers, count);
        let connector = connector(made.cert.der().clone());
        let links = join_all(ports.into_iter().map(|port| connect(&connector, port))).await;
        Self { _servers: Background(servers), links, request, answer_len: answer.len() }
    }

    /// Asks all of them at once and waits for all answers.
    pub(crate) async fn ask_all(&mut self) {
        let (request, answer_len) = (&self.request, self.answer_len);
        let asking = self.links.iter_mut().map(async |link| {
            link.write_all(request).await.unwrap();
            link.flush().await.unwrap();
            let mut answer = vec![0; answer_len];
            link.read_exact(&mut answer).await.unwrap();
        });
        join_all(asking).await;
    }
}

fn ports(servers: &mut Child, count: usize) -> Vec<u16> {
    let lines = BufReader::new(servers.stdout.take().unwrap()).lines();
    lines.take(count).map(|line| line.unwrap().parse().unwrap()).collect()
}

fn connector(certificate: CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_protocol_versions(&[&TLS13]);
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

async fn connect(connector: &TlsConnector, port: u16) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    connector.connect(ServerName::try_from(NAME).unwrap(), tcp).await.unwrap()
}

/// The servers' process: prints their ports and serves until it is killed.
pub(crate) fn serve(words: &[String]) {
    let [folder, count, request_len] = words else { panic!("{words:?}") };
    let (folder, request_len) = (Path::new(folder), request_len.parse().unwrap());
    let answer: Arc<[u8]> = fs::read(folder.join(ANSWER)).unwrap().into();
    let chain = vec![CertificateDer::from(fs::read(folder.join("crt")).unwrap())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(fs::read(folder.join("key")).unwrap()));
    let config = ServerConfig::builder_with_protocol_versions(&[&TLS13]).with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
    let servers =
        (0..count.parse().unwrap()).map(|_| echo(acceptor.clone(), request_len, Arc::clone(&answer)));
    // A runtime with many threads, as hsmd's.
    Runtime::new().unwrap().block_on(async {
        join_all(servers.map(tokio::spawn)).await;
    });
}

/// One server, for one client.
async fn echo(acceptor: TlsAcceptor, request_len: usize, answer: Arc<[u8]>) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut tls = acceptor.accept(tcp).await.unwrap();
    let mut request = vec![0; request_len];
    while tls.read_exact(&mut request).await.is_ok() {
        tls.write_all(&answer).await.unwrap();
        tls.flush().await.unwrap();
    }
}
