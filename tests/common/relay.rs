//! Stands between a console and an HSM, holding the cluster's key, and fails when it is told to.
//!
//! Faults are named after what the console sees.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cloudhsm::hsmd::keeping::folder::{CERTIFICATE, KEY};
use cloudhsm::protocol::Reply;
use cloudhsm::protocol::message::Response;
use cloudhsm::wire::frame::{self, Frames, frames};
use cloudhsm::wire::identity::TlsIdentity;
use cloudhsm::wire::verifier::{Trust, client_config};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::{TlsAcceptor, TlsConnector};

const NO_LIMIT: usize = 64 * 1024 * 1024;

/// What a console meets that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Nobody listens.
    Refuses,
    /// Accepts and never says a word.
    StallsInHandshake,
    /// Holds a certificate that the owner's CA does not know.
    WrongCertificate,
    /// Is something else than an HSM.
    SpeaksNoTls,
}

/// What a console meets that calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Hangs up after the answer before.
    ClosesBefore,
    /// Hangs up on the call, which the HSM never sees.
    ClosesWithin,
    /// Hangs up on the call, which the HSM has done.
    ClosesAfter,
    /// As [`ClosesWithin`](Self::ClosesWithin), and nobody listens from then on.
    Dies,
    /// Sends half of the answer and hangs up.
    HalfFrame,
    /// Sends a frame that is no answer.
    Garbage,
    /// Announces a frame of 2 GiB.
    Oversized,
    /// Sends the answer to another question.
    WrongReply,
    /// Gives a token for something else.
    OtherToken,
    /// Sends nothing.
    Stalls,
    /// Sends the answer a byte at a time.
    Trickles,
}

/// The faults of all calls.
pub const FAULTS: [Fault; 10] = [
    Fault::ClosesBefore,
    Fault::ClosesWithin,
    Fault::ClosesAfter,
    Fault::Dies,
    Fault::HalfFrame,
    Fault::Garbage,
    Fault::Oversized,
    Fault::WrongReply,
    Fault::Stalls,
    Fault::Trickles,
];

pub struct Relay {
    pub address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    tls: TlsAcceptor,
    wrong_tls: TlsAcceptor,
    listening: Option<JoinHandle<()>>,
    /// Keeps the port while nobody listens on it.
    _port: TcpSocket,
}

struct Plan {
    hsm: SocketAddr,
    door: Door,
    /// Calls to answer before the fault.
    fault: Option<(usize, Fault)>,
    /// Ends the listening, and tells when it has ended.
    stop: Arc<Notify>,
    stopped: Arc<Notify>,
    /// How many connections are relayed.
    open: Arc<AtomicUsize>,
}

impl Relay {
    pub async fn start(hsm: SocketAddr, folder: &Path) -> Self {
        let identity = TlsIdentity::load(&folder.join(CERTIFICATE), &folder.join(KEY)).unwrap();
        let other_key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let other = TlsIdentity {
            chain: vec![params.self_signed(&other_key).unwrap().der().clone()],
            key: rustls::pki_types::PrivateKeyDer::try_from(other_key.serialize_der()).unwrap(),
        };
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = port.local_addr().unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let mut relay = Self {
            address,
            plan: Arc::new(Mutex::new(Plan {
                hsm,
                door: Door::Open,
                fault: None,
                stop: Arc::default(),
                stopped: Arc::default(),
                open: Arc::default(),
            })),
            tls: acceptor(identity),
            wrong_tls: acceptor(other),
            listening: None,
            _port: port,
        };
        relay.listen(listener);
        relay
    }

    /// Answers so many calls, then fails once.
    pub fn fail_after(&self, calls: usize, fault: Fault) {
        self.plan.lock().unwrap().fault = Some((calls, fault));
    }

    /// How later connections begin.
    pub async fn set_door(&mut self, door: Door) {
        self.plan.lock().unwrap().door = door;
        if door == Door::Refuses {
            stop_listening(&self.plan).await;
        } else if self.listening.as_ref().is_none_or(JoinHandle::is_finished) {
            let listener = TcpListener::bind(self.address).await.unwrap();
            self.listen(listener);
        }
    }

    /// Waits until all that was relayed has ended, as the HSM hung up, and the consoles' runtime has noticed.
    pub async fn emptied(&self) {
        let open = Arc::clone(&self.plan.lock().unwrap().open);
        while open.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        // It notices closed connections in their order, and this one is closed last.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut last = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        drop(listener.accept().await.unwrap());
        assert_eq!(last.read(&mut [0]).await.unwrap(), 0);
    }

    /// Where the HSM listens from now on.
    pub fn lead_to(&self, hsm: SocketAddr) {
        self.plan.lock().unwrap().hsm = hsm;
    }

    fn listen(&mut self, listener: TcpListener) {
        let (plan, tls, wrong_tls) = (Arc::clone(&self.plan), self.tls.clone(), self.wrong_tls.clone());
        let (stop, stopped) = {
            let plan = self.plan.lock().unwrap();
            (Arc::clone(&plan.stop), Arc::clone(&plan.stopped))
        };
        self.listening = Some(tokio::spawn(async move {
            loop {
                let accepted = tokio::select! { accepted = listener.accept() => accepted, () = stop.notified() => break };
                let (tcp, _) = accepted.unwrap();
                let plan_ = Arc::clone(&plan);
                let door = plan.lock().unwrap().door;
                match door {
                    Door::Open => tokio::spawn(serve(tcp, tls.clone(), plan_)),
                    Door::WrongCertificate => tokio::spawn(serve(tcp, wrong_tls.clone(), plan_)),
                    Door::StallsInHandshake => tokio::spawn(stall(tcp)),
                    Door::SpeaksNoTls => tokio::spawn(speak_ssh(tcp)),
                    Door::Refuses => unreachable!("nobody listens"),
                };
            }
            drop(listener);
            stopped.notify_one();
        }));
    }
}

/// From here on nobody listens.
async fn stop_listening(plan: &Mutex<Plan>) {
    let stopped = {
        let mut plan = plan.lock().unwrap();
        plan.door = Door::Refuses;
        plan.stop.notify_one();
        Arc::clone(&plan.stopped)
    };
    stopped.notified().await;
}

fn acceptor(identity: TlsIdentity) -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(identity.key).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(identity.chain, key))));
    TlsAcceptor::from(Arc::new(config))
}

async fn stall(tcp: TcpStream) {
    sleep(Duration::from_secs(60)).await;
    drop(tcp);
}

async fn speak_ssh(mut tcp: TcpStream) {
    tcp.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").await.ok();
    sleep(Duration::from_secs(1)).await;
}

/// Relays frames; what goes wrong ends this connection and nothing else.
async fn serve(tcp: TcpStream, tls: TlsAcceptor, plan: Arc<Mutex<Plan>>) {
    let _open = Open::count(&plan.lock().unwrap().open);
    tcp.set_nodelay(true).unwrap();
    let Ok(console) = tls.accept(tcp).await else { return };
    let mut console = frames(console, NO_LIMIT);
    let hsm = plan.lock().unwrap().hsm;
    let Ok(tcp) = TcpStream::connect(hsm).await else { return };
    tcp.set_nodelay(true).unwrap();
    let tls = TlsConnector::from(Arc::new(client_config(Trust::Nobody, None).unwrap()));
    let Ok(hsm) = tls.connect(ServerName::try_from("127.0.0.1").unwrap(), tcp).await else { return };
    let mut hsm = frames(hsm, NO_LIMIT);
    let Some(Ok(hello)) = console.next().await else { return };
    let Some(welcome) = ask(&mut hsm, hello).await else { return };
    console.send(welcome).await.ok();
    while let Some(()) = relay_one(&mut console, &mut hsm, &plan).await {}
}

/// One connection of those that are open.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Relays one call and its answer; `None` ends the connection.
async fn relay_one<C, H>(console: &mut Frames<C>, hsm: &mut Frames<H>, plan: &Mutex<Plan>) -> Option<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    if due(plan, |fault| fault == Fault::ClosesBefore).is_some() {
        return None;
    }
    // The HSM may hang up while nobody asks it anything.
    let call = tokio::select! { call = console.next() => call?.ok()?, _ = hsm.next() => return None };
    let Some(fault) = due(plan, |_| true) else {
        let answer = ask(hsm, call).await?;
        count_down(plan);
        return console.send(answer).await.ok();
    };
    match fault {
        Fault::ClosesBefore | Fault::ClosesWithin => return None,
        Fault::Dies => {
            stop_listening(plan).await;
            return None;
        }
        Fault::Stalls => sleep(Duration::from_secs(60)).await,
        Fault::ClosesAfter => drop(ask(hsm, call).await),
        Fault::HalfFrame => {
            let answer = ask(hsm, call).await?;
            let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
            console.get_mut().write_all(&[&length[..], &answer[..answer.len() / 2]].concat()).await.ok()?;
            console.get_mut().flush().await.ok()?;
        }
        Fault::Garbage => {
            drop(ask(hsm, call).await);
            console.send(Bytes::from_static(&[0xff; 40])).await.ok()?;
        }
        Fault::Oversized => {
            drop(ask(hsm, call).await);
            console.get_mut().write_all(&[0x7f, 0xff, 0xff, 0xff, 1, 2, 3]).await.ok()?;
            console.get_mut().flush().await.ok()?;
        }
        Fault::WrongReply => {
            drop(ask(hsm, call).await);
            // A success, with a list of no members.
            console.send(Bytes::from_static(&[0, 1, 1, 0])).await.ok()?;
        }
        Fault::OtherToken => return console.send(anothers(&ask(hsm, call).await?)).await.ok(),
        Fault::Trickles => {
            let answer = ask(hsm, call).await?;
            let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
            for byte in [&length[..], &answer].concat() {
                console.get_mut().write_all(&[byte]).await.ok()?;
                console.get_mut().flush().await.ok()?;
                sleep(Duration::from_millis(1)).await;
            }
            return Some(());
        }
    }
    None
}

/// The answer to a call for a token, with somebody else's.
fn anothers(answer: &[u8]) -> Bytes {
    let answer: Response = frame::decode(answer).unwrap();
    let Ok(Some(Reply::GetToken(mut token))) = answer else { panic!("it was asked for none") };
    token.about.user = "mallory".to_owned();
    frame::encode::<Response>(&Ok(Some(Reply::GetToken(token)))).unwrap()
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(hsm: &mut Frames<S>, call: Bytes) -> Option<Bytes> {
    hsm.send(call).await.ok()?;
    hsm.next().await?.ok()
}

/// Takes the fault if no call is to be answered before it.
fn due(plan: &Mutex<Plan>, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
    let mut plan = plan.lock().unwrap();
    let (0, fault) = plan.fault? else { return None };
    if !wanted(fault) {
        return None;
    }
    plan.fault = None;
    Some(fault)
}

fn count_down(plan: &Mutex<Plan>) {
    if let Some((calls, _)) = &mut plan.lock().unwrap().fault {
        *calls = calls.saturating_sub(1);
    }
}
