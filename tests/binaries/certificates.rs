//! The same cluster as openssl sees it, and certificates that openssl made.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cluster::{Cluster, listed};
use crate::process::{hsmd, must_be_installed, run, text};

const VALID: [&str; 2] = ["-days", "3652"];
const HSM: &str = "/CN=HSM:hsm-test:PARTN:1, for FIPS mode";

/// Runs openssl in a folder, and returns what it prints.
pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("openssl");
    let output = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn openssl_trusts_the_generated_cluster_by_its_ca_certificate() {
    must_be_installed("openssl");
    let cluster = Cluster::new(2);
    for certificate in ["hsm0/cluster.crt", "hsm1/cluster.crt"] {
        let verified = openssl(&cluster.path(""), &["verify", "-CAfile", "customerCA.crt", certificate]);
        assert_eq!(verified, format!("{certificate}: OK\n"));
    }
    let _daemon = cluster.run();
    for node in 0..2 {
        let server = format!("{}:{}", cluster.address(node), cluster.port);
        let client = ["s_client", "-connect", &server, "-CAfile", "customerCA.crt", "-tls1_3"];
        let met = openssl(&cluster.path(""), &client);
        assert!(met.contains("Verify return code: 0 (ok)"), "{met}");
    }
}

#[test]
fn a_version_1_certificate_of_the_owners_rsa_ca_makes_a_cluster() {
    must_be_installed("openssl");
    for (ca_key, cluster_key) in [("rsa:2048", "rsa:2048"), ("rsa:4096", "rsa:2048")] {
        let cluster = Cluster::new(1);
        install(&cluster, ca_key, cluster_key, HSM);
        let installed = openssl(&cluster.path("hsm0"), &["x509", "-in", "cluster.crt", "-noout", "-text"]);
        assert!(installed.contains("Version: 1 (0x0)"), "{installed}");
        let _daemon = cluster.run();
        let played = cluster.play("loginHSM PRECO admin password\n").with_code(0);
        let trusted = format!("E2E enabled on server 0({})\n", cluster.address(0));
        assert!(played.stdout.contains(&trusted), "{}", played.stdout);
        let server = format!("{}:{}", cluster.address(0), cluster.port);
        let met = openssl(&cluster.path(""), &["s_client", "-connect", &server, "-CAfile", "customerCA.crt"]);
        assert!(met.contains("Verify return code: 0 (ok)"), "{met}");
    }
}

#[test]
fn a_certificate_that_the_same_ca_signed_for_somebody_else_is_no_clusters() {
    must_be_installed("openssl");
    let cluster = Cluster::new(1);
    install(&cluster, "rsa:2048", "rsa:2048", "/CN=client");
    let refused = run(&mut hsmd(&["run", text(&cluster.path(""))]), "").with_code(1).stderr;
    let reason = "customerCA.crt does not vouch for cluster.crt: subject is not an HSM's";
    assert!(refused.contains(reason), "{refused}");
}

#[test]
fn a_certificate_of_another_ca_or_about_another_key_is_no_clusters() {
    let (cluster, other) = (Cluster::new(1), Cluster::new(1));
    for (file, reason) in [
        ("cluster.key", "cluster.key is not the key of cluster.crt"),
        ("cluster.crt", "customerCA.crt does not vouch for cluster.crt"),
        ("customerCA.crt", "customerCA.crt does not vouch for cluster.crt"),
    ] {
        let (ours, theirs) = (cluster.path("hsm0").join(file), other.path("hsm0").join(file));
        let right = fs::read(&ours).unwrap();
        fs::write(&ours, fs::read(theirs).unwrap()).unwrap();
        let refused = run(&mut hsmd(&["run", text(&cluster.path(""))]), "").with_code(1).stderr;
        assert!(refused.contains(reason), "{file}: {refused}");
        fs::write(&ours, right).unwrap();
    }
    cluster.run();
}

#[test]
fn an_hsm_that_asks_for_client_certificates_takes_those_of_its_ca_only() {
    must_be_installed("openssl");
    let cluster = Cluster::new(1);
    for name in ["clients", "strangers"] {
        make_ca(&cluster.path(""), name, "rsa:2048");
        make_client(&cluster.path(""), name);
    }
    let settings = fs::read_to_string(cluster.path("hsm0/hsmd.json")).unwrap();
    let asking = settings.replace("\"client_ca\": null", "\"client_ca\": \"../clients.crt\"");
    assert_ne!(asking, settings);
    fs::write(cluster.path("hsm0/hsmd.json"), asking).unwrap();
    let _daemon = cluster.run();

    let without = cluster.play("listUsers\n").with_code(3).stdout;
    let reason = "failed:the server refused the client certificate (CertificateRequired)\n";
    assert!(without.contains(reason), "{without}");
    for (name, code) in [("strangers", 3), ("clients", 0)] {
        cluster.configure("certificate", text(&cluster.path(&format!("{name}-client.crt"))));
        cluster.configure("pkey", text(&cluster.path(&format!("{name}-client.key"))));
        let played = cluster.play("listUsers\n").with_code(code);
        assert_eq!(played.stdout.contains("refused the client certificate"), code == 3, "{}", played.stdout);
        assert_eq!(listed(&played.stdout).len(), usize::from(code == 0));
    }
}

/// Does what an owner does: makes a CA, signs the cluster's request with it, and puts all in place.
fn install(cluster: &Cluster, ca_key: &str, cluster_key: &str, subject: &str) {
    let dir = cluster.path("");
    make_ca(&dir, "owner-ca", ca_key);
    request(&dir, "cluster", cluster_key, subject);
    sign(&dir, "cluster", "owner-ca", &[]);
    for (made, place) in [
        ("owner-ca.crt", "customerCA.crt"),
        ("owner-ca.crt", "hsm0/customerCA.crt"),
        ("cluster.crt", "hsm0/cluster.crt"),
        ("cluster.key", "hsm0/cluster.key"),
    ] {
        fs::write(dir.join(place), fs::read(dir.join(made)).unwrap()).unwrap();
    }
}

fn make_ca(dir: &Path, name: &str, key: &str) {
    let (key_file, file) = (format!("{name}.key"), format!("{name}.crt"));
    let subject = format!("/C=US/O=Example/CN={name}");
    let made =
        ["req", "-x509", "-newkey", key, "-nodes", "-keyout", &key_file, "-subj", &subject, "-out", &file];
    openssl(dir, &[&made[..], &VALID].concat());
}

fn make_client(dir: &Path, ca: &str) {
    let name = format!("{ca}-client");
    request(dir, &name, "rsa:2048", "/CN=client");
    fs::write(dir.join("version3"), "extendedKeyUsage = clientAuth\n").unwrap();
    sign(dir, &name, ca, &["-extfile", "version3"]);
}

fn request(dir: &Path, name: &str, key: &str, subject: &str) {
    let (key_file, file) = (format!("{name}.key"), format!("{name}.csr"));
    openssl(
        dir,
        &["req", "-new", "-newkey", key, "-nodes", "-keyout", &key_file, "-subj", subject, "-out", &file],
    );
}

fn sign(dir: &Path, name: &str, ca: &str, more: &[&str]) {
    let [request, file] = ["csr", "crt"].map(|kind| format!("{name}.{kind}"));
    let [ca_file, ca_key] = ["crt", "key"].map(|kind| format!("{ca}.{kind}"));
    let sign = [
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &ca_file,
        "-CAkey",
        &ca_key,
        "-CAcreateserial",
        "-out",
        &file,
    ];
    openssl(dir, &[&sign[..], &VALID, more].concat());
}
