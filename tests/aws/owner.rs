//! The owner of clusters: a CA that signs their CSRs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::{ask, clusters, look};
use crate::model::{Call, Id};
use crate::officer::activate;

/// In a folder.
pub(crate) struct Owner(PathBuf);

impl Owner {
    pub(crate) fn new(folder: &Path) -> Self {
        let owner = Self(folder.to_owned());
        owner.openssl(
            "req -new -x509 -newkey rsa:2048 -noenc -days 3652 -subj /CN=owner -keyout ca.key -out ca.crt",
        );
        owner
    }

    /// The CA's certificate.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.0.join("ca.crt")
    }

    pub(crate) fn anchor_text(&self) -> String {
        fs::read_to_string(self.anchor()).unwrap()
    }

    /// What the CA makes from a cluster's CSR.
    pub(crate) fn certify(&self, address: &str, region: usize, cluster: &Id) -> String {
        let shown = clusters(address, region).into_iter().find(|shown| shown["ClusterId"] == **cluster);
        let csr = shown.unwrap()["Certificates"]["ClusterCsr"].as_str().unwrap().to_owned();
        fs::write(self.0.join("c.csr"), csr).unwrap();
        self.openssl("x509 -req -days 3652 -in c.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out c.crt");
        fs::read_to_string(self.0.join("c.crt")).unwrap()
    }

    /// The backup of a new cluster that was activated, and has no HSM now.
    pub(crate) fn activated_backup(&self, address: &str, port: u16) -> Id {
        let done =
            |call: Call| assert_eq!(ask(address, 0, &call, &self.anchor_text()), Some(Ok(())), "{call:?}");
        done(Call::CreateCluster { region: 0, source: None });
        let cluster = look(address).unwrap().clusters.into_keys().next().unwrap();
        done(Call::CreateHsm { cluster: cluster.clone(), zone: 'a' });
        let (hsm, (_, at)) = look(address).unwrap().clusters[&cluster].hsms.clone().pop_first().unwrap();
        let certificate = self.certify(address, 0, &cluster);
        done(Call::InitializeCluster { cluster: cluster.clone(), hsm: hsm.clone(), certificate });
        activate(&at, port, &self.anchor()).unwrap();
        done(Call::DeleteHsm { cluster, hsm });
        look(address).unwrap().backups.into_keys().next().unwrap()
    }

    fn openssl(&self, words: &str) {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
