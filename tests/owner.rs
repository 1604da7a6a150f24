//! A cluster and its owner: the real `hsmd` and console, and openssl as the guide uses it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "owner/desk.rs"]
mod desk;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use cloudhsm::protocol::message::{Call, OperationId, Response, Round};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ListUsers, UserType};
use cloudhsm::protocol::{Operation, Refusal, Request, Secret};
use cloudhsm::wire::link::{Address, Link};
use cloudhsm::wire::verifier::{Trust, client_config};
use cloudhsm::wire::{Limits, frame};
use desk::Desk;

const CONFIG: &str = "D/cloudhsm_mgmt_util.cfg";

#[test]
fn the_owner_signs_the_csr_as_the_guide_has_it() {
    let desk = Desk::with_csr(2);
    let csr = desk.owners("ClusterCsr.csr");
    let request = desk.openssl(&format!("req -in {csr} -verify -noout -subject -text"));
    let subject = "subject=C = US, ST = CA, O = Cavium, OU = N3FIPS, L = SanJose, \
                   CN = \"HSM:hsm-LETTERS:PARTN:1, for FIPS mode\"";
    let subject = subject.replace("LETTERS", desk.id.trim_start_matches("cluster-"));
    assert!(request.contains(&subject), "{request}");
    assert!(request.contains("Public-Key: (2048 bit)"), "{request}");
    where_it_comes_from_can_be_verified(&desk, &csr);

    before_it_has_an_owner(&desk);

    make_customer_ca(&desk);
    desk.openssl(&format!(
        "x509 -req -days 3652 -in {csr} -CA customerCA.crt -CAkey customerCA.key -CAcreateserial \
         -out CustomerHsmCertificate.crt -passin pass:secret"
    ));
    assert_eq!(desk.initialize("CustomerHsmCertificate.crt", "customerCA.crt"), Ok(()));

    let daemon = desk.run("D");
    let (session, banner) = desk.console(CONFIG, ACTIVATE);
    for number in 0..2 {
        let name = format!("server {number}(127.0.1.{})", number + 1);
        assert!(banner.contains(&format!("E2E enabled on {name}\n")), "{banner}");
        assert!(session.contains(&format!("changePswd success on {name}\n")), "{session}");
    }
    every_chain_verifies(&desk, CONFIG);
    let chain = format!("s_client -connect 127.0.1.1:{} -CAfile customerCA.crt", desk.port);
    assert!(desk.openssl(&chain).contains("Verify return code: 0 (ok)"));
    drop(daemon);
    assert_eq!(
        desk.initialize("CustomerHsmCertificate.crt", "customerCA.crt").unwrap_err(),
        "D: the cluster is already initialized"
    );
}

const ACTIVATE: &str = "loginHSM PRECO admin password\nchangePswd PRECO admin newpassword1\ny\n";

/// The guide's checks before one signs.
fn where_it_comes_from_can_be_verified(desk: &Desk, csr: &str) {
    let [root, hardware, hsm] = ["ManufacturerRoot", "ManufacturerHardware", "Hsm"]
        .map(|name| desk.owners(&format!("{name}Certificate.crt")));
    desk.openssl(&format!("verify -CAfile {root} {hardware}"));
    desk.openssl(&format!("verify -CAfile {root} -untrusted {hardware} {hsm}"));
    let certified = desk.openssl(&format!("x509 -in {hsm} -pubkey -noout"));
    assert_eq!(certified, desk.openssl(&format!("req -in {csr} -pubkey -noout")));
}

fn before_it_has_an_owner(desk: &Desk) {
    assert!(!desk.path("D/customerCA.crt").exists());
    let _daemon = desk.run("D");
    let (session, banner) = desk.console(
        CONFIG,
        "loginHSM PRECO admin password\nlistUsers\nserver 1\ngetCert 1.crt 1\ngetCert 2.crt 2\n\
         getCert 4.crt 4\ngetCert 8.crt 8\ngetCert 16.crt 16\n",
    );
    assert_eq!(banner.matches("running in limited commands mode").count(), 2, "{banner}");
    assert_eq!(session.matches("loginHSM failed: not allowed in limited commands mode").count(), 2);
    assert_eq!(session.matches("Number of users found:2").count(), 2, "{session}");
    assert_eq!(session.matches("getCert Success").count(), 3, "{session}");
    assert_eq!(session.matches("getCert failed: HSM Error: The cluster is not initialized").count(), 2);
    desk.openssl("verify -CAfile 1.crt -untrusted 2.crt 16.crt");
    let chain = format!("s_client -connect 127.0.1.2:{} -CAfile 1.crt", desk.port);
    assert!(desk.openssl(&chain).contains("Verify return code: 0 (ok)"));
    an_hsm_without_owner_refuses_secrets_itself(SocketAddr::from(([127, 0, 1, 1], desk.port)));
    who_trusts_the_makers_ca_trusts_no_hsm(desk);
}

/// Else whoever keeps that CA's key could play any HSM of an owner who mistook it for the customer's.
fn who_trusts_the_makers_ca_trusts_no_hsm(desk: &Desk) {
    fs::copy(desk.path("1.crt"), desk.path("D/customerCA.crt")).unwrap();
    let (_, banner) = desk.console(CONFIG, "");
    let refused = "Certificate ERROR: [unable to get local issuer certificate]\nServer";
    assert_eq!(banner.matches(refused).count(), 2, "{banner}");
    fs::remove_file(desk.path("D/customerCA.crt")).unwrap();
}

/// As a client would ask that does not know limited commands mode.
fn an_hsm_without_owner_refuses_secrets_itself(hsm: SocketAddr) {
    let login = || Login {
        user_type: UserType::PreCo,
        name: "admin".to_owned(),
        password: Secret::new("password".to_owned()),
        second_factor: None,
    };
    for round in [Round::Rehearse, Round::Perform(OperationId(1))] {
        assert_eq!(ask(hsm, round, login().into_request()), Err(Refusal::NotInitialized));
    }
    assert!(ask(hsm, Round::Perform(OperationId(2)), ListUsers.into_request()).is_ok());
}

#[tokio::main]
async fn ask(hsm: SocketAddr, round: Round, request: Request) -> Response {
    let tls = Arc::new(client_config(Trust::Nobody, None).unwrap());
    let link = Link::open(&Address::Socket(hsm), tls, &Limits::default()).await.unwrap();
    let call = frame::encode(&Call { round, request }).unwrap();
    link.call(call, &Limits::default()).await.unwrap().1
}

#[test]
fn chains_verify_where_no_csr_was_signed() {
    let desk = Desk::empty();
    let port = desk.port.to_string();
    for arguments in [
        vec!["cluster", "init", "--dir", "D", "--nodes", "1", "--port", &port],
        vec!["init", "one", "--listen", &format!("127.0.2.1:{port}")],
    ] {
        assert!(desk.hsmd(&arguments).status.success());
    }
    for folder in ["D", "one"] {
        let _daemon = desk.run(folder);
        every_chain_verifies(&desk, &format!("{folder}/cloudhsm_mgmt_util.cfg"));
    }
    let nothing = desk.initialize("nothing", "nothing").unwrap_err();
    assert_eq!(nothing, "D: the cluster is already initialized");
}

/// All five types, and that neither chain can be taken for the other.
fn every_chain_verifies(desk: &Desk, config: &str) {
    let (session, _) = desk.console(
        config,
        "server 0\ngetCert 1.crt 1\ngetCert 2.crt 2\ngetCert 4.crt 4\ngetCert 8.crt 8\ngetCert 16.crt 16\n",
    );
    assert_eq!(session.matches("getCert Success").count(), 5, "{session}");
    desk.openssl("verify -CAfile 1.crt 1.crt");
    desk.openssl("verify -CAfile 1.crt 2.crt");
    desk.openssl("verify -CAfile 1.crt -untrusted 2.crt 16.crt");
    desk.openssl("verify -CAfile 4.crt 4.crt");
    desk.openssl("verify -CAfile 4.crt 8.crt");
    let key = |file: &str| desk.openssl(&format!("x509 -in {file} -pubkey -noout"));
    assert_eq!(key("8.crt"), key("16.crt"));
    let hardware = desk.openssl("x509 -in 2.crt -noout -subject");
    assert!(!hardware.contains("HSM:"), "{hardware}");
    let ca = fs::read_to_string(desk.path(config).with_file_name("customerCA.crt")).unwrap();
    assert_eq!(fs::read_to_string(desk.path("4.crt")).unwrap(), ca);
}

#[test]
fn anything_else_than_what_the_csr_asked_for_is_refused_with_the_reason() {
    let desk = Desk::with_csr(2);
    make_customer_ca(&desk);
    make_unsuitable_files(&desk);
    let before = desk.contents();
    for (signed, anchor, reason) in UNSUITABLE {
        assert_eq!(desk.initialize(signed, anchor).unwrap_err(), *reason, "{signed} {anchor}");
        assert_eq!(desk.contents(), before, "{signed} {anchor}");
    }
    desk.write("D/customerCA.crt", "something else");
    let reason =
        "D/customerCA.crt: exists and is not the trust anchor; the console's configuration refers to it";
    assert_eq!(desk.initialize("good.crt", "customerCA.crt").unwrap_err(), reason);
    fs::remove_file(desk.path("D/customerCA.crt")).unwrap();
    let daemon = desk.run("D");
    let reason = "D/hsm0: this HSM is running; stop it before you initialize the cluster";
    assert_eq!(desk.initialize("good.crt", "customerCA.crt").unwrap_err(), reason);
    drop(daemon);
    assert_eq!(desk.contents(), before);
    assert_eq!(desk.initialize("good.crt", "customerCA.crt"), Ok(()));
}

/// What the owner brings as certificate and as trust anchor, and what is wrong with it.
const UNSUITABLE: &[(&str, &str, &str)] = &[
    (
        "other_key.crt",
        "customerCA.crt",
        "other_key.crt: not for the cluster's key; it must be made from this cluster's CSR",
    ),
    (
        "customerCA.crt",
        "customerCA.crt",
        "customerCA.crt: not for the cluster's key; it must be made from this cluster's CSR",
    ),
    (
        "expired.crt",
        "customerCA.crt",
        "expired.crt: not vouched for by customerCA.crt: certificate has expired",
    ),
    (
        "sha1.crt",
        "customerCA.crt",
        "sha1.crt: not vouched for by customerCA.crt: unsupported signature algorithm 1.2.840.113549.1.1.5",
    ),
    (
        "renamed.crt",
        "customerCA.crt",
        "renamed.crt: not vouched for by customerCA.crt: subject is not an HSM's",
    ),
    ("garbage", "customerCA.crt", "garbage: no PEM certificate in the file"),
    ("nothing", "customerCA.crt", "nothing: No such file or directory"),
    ("two.crt", "customerCA.crt", "two.crt: 2 certificates in the file, one expected"),
    ("good.crt", "garbage", "garbage: no PEM certificate in the file"),
    (
        "good.crt",
        "other_ca.crt",
        "good.crt: not vouched for by other_ca.crt: unable to get local issuer certificate",
    ),
    (
        "good.crt",
        "same_name.crt",
        "good.crt: not vouched for by same_name.crt: Certificate signature failure",
    ),
    ("good.crt", "good.crt", "good.crt: not a self-signed CA certificate"),
    ("below.crt", "intermediate.crt", "intermediate.crt: not a self-signed CA certificate"),
    (
        "good.crt",
        "rsa1024.crt",
        "rsa1024.crt: the trust anchor's key is RSA-1024; it must be RSA-2048 or RSA-4096",
    ),
    (
        "good.crt",
        "rsa2050.crt",
        "rsa2050.crt: the trust anchor's key is RSA-2050; it must be RSA-2048 or RSA-4096",
    ),
    ("good.crt", "ec.crt", "ec.crt: the trust anchor's key is EC; it must be RSA-2048 or RSA-4096"),
    (
        "good.crt",
        "no_ca.crt",
        "no_ca.crt: not a CA certificate: its extensions do not allow it to sign certificates",
    ),
    ("good.crt", "expired_ca.crt", "expired_ca.crt: certificate has expired"),
];

fn make_unsuitable_files(desk: &Desk) {
    let csr = desk.owners("ClusterCsr.csr");
    let subject = "/C=US/O=owner/CN=customer";
    desk.write("ca.ext", "basicConstraints=critical,CA:TRUE\n");
    let sign = |csr: &str, ca: &str, more: &str, out: &str| {
        desk.openssl(&format!(
            "x509 -req -in {csr} -CA {ca}.crt -CAkey {ca}.key -CAcreateserial -passin pass:secret {more} -out {out}"
        ));
    };
    let make_ca = |name: &str, key: &str, subject: &str, more: &str| {
        desk.openssl(&format!(
            "req -new -x509 -newkey {key} -nodes -keyout {name}.key -subj {subject} {more} -out {name}.crt"
        ));
    };
    sign(&csr, "customerCA", "-days 3652", "good.crt");
    sign(&csr, "customerCA", "-days -1", "expired.crt");
    sign(&csr, "customerCA", "-days 3652 -sha1", "sha1.crt");
    desk.openssl("req -new -newkey rsa:2048 -nodes -keyout other.key -subj /CN=HSM:other -out other.csr");
    sign("other.csr", "customerCA", "-days 3652", "other_key.crt");
    desk.openssl("req -new -newkey rsa:2048 -nodes -keyout intermediate.key -subj /CN=below -out below.csr");
    sign("below.csr", "customerCA", "-days 3652 -extfile ca.ext", "intermediate.crt");
    sign(&csr, "intermediate", "-days 3652", "below.crt");
    make_renamed_certificate(desk);
    make_ca("other_ca", "rsa:2048", "/CN=other", "-days 3652");
    make_ca("same_name", "rsa:2048", subject, "-days 3652");
    make_ca("rsa1024", "rsa:1024", subject, "-days 3652");
    make_ca("rsa2050", "rsa:2050", subject, "-days 3652");
    make_ca("ec", "ec -pkeyopt ec_paramgen_curve:P-256", subject, "-days 3652");
    make_ca("no_ca", "rsa:2048", subject, "-days 3652 -addext basicConstraints=CA:FALSE");
    desk.openssl(&format!(
        "req -new -newkey rsa:2048 -nodes -keyout expired.key -subj {subject} -out ca.csr"
    ));
    desk.openssl("x509 -req -in ca.csr -signkey expired.key -days -1 -extfile ca.ext -out expired_ca.crt");
    desk.write("garbage", "garbage\n");
    let [good, ca] = ["good.crt", "customerCA.crt"].map(|name| fs::read_to_string(desk.path(name)).unwrap());
    desk.write("two.crt", &format!("{good}{ca}"));
}

/// About the cluster's key, but in another's name.
fn make_renamed_certificate(desk: &Desk) {
    fs::copy(desk.path("D/hsm0/cluster.key"), desk.path("cluster.key")).unwrap();
    desk.openssl("req -new -key cluster.key -subj /CN=client -out renamed.csr");
    desk.openssl(
        "x509 -req -in renamed.csr -CA customerCA.crt -CAkey customerCA.key -CAcreateserial \
         -passin pass:secret -days 3652 -out renamed.crt",
    );
}

#[test]
fn an_interrupted_initialize_leaves_no_owner_and_can_be_completed() {
    let desk = Desk::with_csr(3);
    make_customer_ca(&desk);
    let csr = desk.owners("ClusterCsr.csr");
    for out in ["good.crt", "again.crt"] {
        desk.openssl(&format!(
            "x509 -req -days 3652 -in {csr} -CA customerCA.crt -CAkey customerCA.key -CAcreateserial \
             -out {out} -passin pass:secret"
        ));
    }
    let waiting = || (0..3).filter(|hsm| desk.path(&format!("D/hsm{hsm}/cluster.csr")).exists()).count();
    // The last HSM's certificate cannot be written.
    let in_the_way = desk.path("D/hsm2/cluster.crt");
    fs::create_dir(&in_the_way).unwrap();
    let reason = desk.initialize("good.crt", "customerCA.crt").unwrap_err();
    assert!(reason.ends_with("initialize the cluster again to complete it"), "{reason}");
    assert!(desk.path("D/hsm0/cluster.crt").exists());
    assert_eq!(waiting(), 3);
    fs::remove_dir(in_the_way).unwrap();
    // As if it had been killed behind the first of the three last steps; only the same files complete it.
    fs::rename(desk.path("D/hsm0/cluster.csr"), desk.path("kept.csr")).unwrap();
    assert_eq!(
        desk.initialize("again.crt", "customerCA.crt").unwrap_err(),
        "D/hsm0: already initialized with other certificates; the rest of the cluster needs the same"
    );
    assert_eq!(waiting(), 2);
    assert_eq!(desk.initialize("good.crt", "customerCA.crt"), Ok(()));
    assert_eq!(waiting(), 0);
    let hsms = ["hsm0", "hsm1", "hsm2"];
    let of_each = hsms.map(|hsm| fs::read(desk.path(&format!("D/{hsm}/cluster.crt"))).unwrap());
    assert!(of_each.iter().all(|certificate| *certificate == of_each[0]));
    for file in
        hsms.into_iter().flat_map(|hsm| ["cluster.crt", "customerCA.crt"].map(|name| format!("{hsm}/{name}")))
    {
        let mode = fs::metadata(desk.path("D").join(&file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let _daemon = desk.run("D");
    assert_eq!(desk.console(CONFIG, "").1.matches("E2E enabled").count(), 3);
}

#[test]
fn an_rsa_4096_anchor_will_do_and_only_its_certificate_is_installed() {
    let desk = Desk::with_csr(1);
    let csr = desk.owners("ClusterCsr.csr");
    desk.openssl(
        "req -new -x509 -newkey rsa:4096 -nodes -keyout ca.key -subj /CN=owner -days 3652 -out ca.crt",
    );
    desk.openssl(&format!(
        "x509 -req -days 3652 -sha512 -in {csr} -CA ca.crt -CAkey ca.key -CAcreateserial -out good.crt"
    ));
    let [key, certificate] = ["ca.key", "ca.crt"].map(|name| fs::read_to_string(desk.path(name)).unwrap());
    desk.write("both.pem", &format!("{key}The owner's CA\n{certificate}"));
    assert_eq!(desk.initialize("good.crt", "both.pem"), Ok(()));
    for file in ["D/customerCA.crt", "D/hsm0/customerCA.crt"] {
        assert_eq!(fs::read_to_string(desk.path(file)).unwrap(), certificate);
    }
    let _daemon = desk.run("D");
    assert!(desk.console(CONFIG, "").1.contains("E2E enabled on server 0(127.0.1.1)"));
}

/// The guide's two commands.
fn make_customer_ca(desk: &Desk) {
    desk.openssl("genrsa -aes256 -passout pass:secret -out customerCA.key 2048");
    desk.openssl(
        "req -new -x509 -days 3652 -key customerCA.key -passin pass:secret -out customerCA.crt \
         -subj /C=US/O=owner/CN=customer",
    );
}
