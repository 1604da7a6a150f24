//! The two files, in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::openssl;
use crate::cluster::Cluster;
use crate::process::{Ended, configure, run, text};

/// As no program would write it.
const ODD: &str = "{ \"comment\":\"kept\", \"servers\" :[ {\n\t\"zone\":{\"x\":[1,2.50]},\t\"name\" : \"east\",\r\n\
     \"hostname\":\"hsm-a.example\" , \"e2e_encryption\": {\"owner_cert_path\":\"CA\"},\n\
     \"certificate\": \"\", \"pkey\":\"\" ,\"port\":2225 } , {\"name\": \"west\",\n\
     \"hostname\": \"hsm-b.example\", \"port\":2226, \"e2e_encryption\": {\"owner_cert_path\":\"CA\"} } ],\n\n\
     \"path\": \"\\/a\\u0062\" }\n\n";

/// `.client` and `.cmu`, gone at the end of the story.
pub(super) struct Files {
    home: TempDir,
    pub(super) client: PathBuf,
    pub(super) console: PathBuf,
    /// The first server.
    pub(super) model: Value,
}

impl Files {
    pub(super) fn new() -> Self {
        Self::with(ODD)
    }

    /// With a server that is gone, and the second one of the cluster.
    pub(super) fn of(cluster: &Cluster) -> Self {
        let known = ODD.replace("hsm-b.example", &cluster.address(1));
        let known = known.replace("2226", &cluster.port.to_string());
        Self::with(&known.replace("\"CA\"", &format!("{:?}", cluster.path("customerCA.crt"))))
    }

    fn with(text: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (client, console) = (home.path().join(".client"), home.path().join(".cmu"));
        fs::copy("config/cloudhsm_client.cfg", &client).unwrap();
        fs::write(&console, text).unwrap();
        let model = serde_json::from_str::<Value>(text).unwrap()["servers"][0].clone();
        Self { home, client, console, model }
    }

    pub(super) fn folder(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(super) fn client_text(&self) -> String {
        self.read(".client")
    }

    pub(super) fn console_text(&self) -> String {
        self.read(".cmu")
    }

    pub(super) fn servers(&self) -> Vec<Value> {
        let config: Value = serde_json::from_str(&self.console_text()).unwrap();
        config["servers"].as_array().unwrap().clone()
    }

    /// Of everything in the folder.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(super) fn configure(&self, arguments: &[&str]) -> Ended {
        let files = ["--client-config", text(&self.client), "--cmu-config", text(&self.console)];
        run(configure(arguments).args(files), "")
    }

    /// With the folder as the working directory.
    pub(super) fn configure_here(&self, arguments: &[&str]) -> Ended {
        let files = ["--client-config", text(&self.client), "--cmu-config", text(&self.console)];
        run(configure(arguments).args(files).current_dir(self.home.path()), "")
    }

    /// Asserts that it fails and changes nothing, and returns what it says.
    #[track_caller]
    pub(super) fn refuse(&self, arguments: &[&str]) -> String {
        let before = self.snapshot();
        let ended = self.configure_here(arguments).with_code(1);
        assert_eq!(ended.stdout, "");
        assert_eq!(self.snapshot(), before);
        ended.stderr
    }

    pub(super) fn announcement(&self, what: &str) -> String {
        let (client, console) = (self.client.display(), self.console.display());
        format!("Updating {what} config in {client}\nUpdating {what} config in {console}\n")
    }

    /// A client certificate and its key.
    pub(super) fn make_pair(&self, name: &str) {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=client"];
        openssl(self.folder(), &[&make[..], &["-keyout", &key, "-out", &certificate]].concat());
    }

    pub(super) fn snapshot(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let names = self.names();
        names.into_iter().map(|name| (name.clone(), fs::read(self.path(&name)).ok())).collect()
    }
}
