//! Who is of the same cluster. Either side proves that it holds the cluster's private key: the called one in the TLS
//! handshake, as it does to a console, and the caller by a signature that is good for this connection only.
//!
//! The cluster's key does not tell the clusters of one clone family apart, which share it. So both say which cluster
//! they are of, by a hash of its name, and which member.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::message::{Proof, Who};
use super::view::Digest;
use crate::hsm::{Certificates, Identity};
use crate::hsmd::serving::attester::Attester;
use crate::protocol::device::Member;
use crate::wire::anchor::Anchor;
use crate::wire::certificate;
use crate::wire::verifier::member_config;

/// Names the bytes that only the two ends of a TLS connection can compute.
pub(super) const EXPORTER: &[u8] = b"EXPORTER-hsmd-member";

/// An HSM's membership in its cluster.
pub(super) struct Membership {
    pub(super) node_id: u32,
    /// In the order of their node ids, beginning with the one after this.
    pub(super) others: Vec<Member>,
    pub(super) tls: Arc<ClientConfig>,
    cluster: [u8; 32],
    /// The cluster's, with the public key that all members have.
    certificate: Vec<u8>,
    attester: Attester,
}

impl Membership {
    /// `None` if the HSM is alone in its cluster, or the cluster is not initialized.
    pub(super) fn new(
        identity: &Identity,
        name: &[u8],
        members: &[Member],
        certificates: &Certificates,
        attester: Attester,
    ) -> Option<Self> {
        let node_id = identity.node_id;
        let mut others: Vec<_> = members.iter().filter(|member| member.node_id != node_id).cloned().collect();
        others.sort_by_key(|member| (member.node_id < node_id, member.node_id));
        let owner = certificates.owner.as_ref().filter(|_| !others.is_empty())?;
        let anchor = Anchor::from_der(&owner.root.0, "".as_ref()).ok()?;
        let chain = vec![CertificateDer::from(owner.cluster.0.clone())];
        let tls = member_config(anchor, CertifiedKey::new(chain, attester.key())).ok()?;
        let name = digest(&SHA256, name);
        Some(Self {
            node_id,
            others,
            tls: Arc::new(tls),
            cluster: <[u8; 32]>::try_from(name.as_ref()).ok()?,
            certificate: owner.cluster.0.clone(),
            attester,
        })
    }

    pub(super) fn who(&self, root: Digest) -> Who {
        Who { cluster: self.cluster, node_id: self.node_id, root }
    }

    /// `None` if the library fails.
    pub(super) fn proof(&self, root: Digest, exporter: &[u8; 32]) -> Option<Proof> {
        let who = self.who(root);
        let signature = self.attester.sign(&who.statement(exporter))?;
        Some(Proof { who, signature })
    }

    /// Whether a caller is another member of this cluster.
    pub(super) fn accepts(&self, Proof { who, signature }: &Proof, exporter: &[u8; 32]) -> bool {
        let is_signed = |certificate: &_| {
            certificate::check_message(certificate, &who.statement(exporter), signature).is_ok()
        };
        self.is_member(who) && certificate::parse(&self.certificate).is_ok_and(|own| is_signed(&own))
    }

    /// Whether an HSM says that it is another member of this cluster.
    pub(super) fn is_member(&self, who: &Who) -> bool {
        who.cluster == self.cluster && self.others.iter().any(|other| other.node_id == who.node_id)
    }

    /// Whether a server's certificate is for the cluster's key: the same owner may have other clusters.
    pub(super) fn has_key(&self, presented: &[u8]) -> bool {
        let key = |der| Some(certificate::parse(der).ok()?.public_key().raw.to_vec());
        key(presented).is_some_and(|presented| key(&self.certificate) == Some(presented))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Membership, Proof};
    use crate::hsmd::following::view::Digest;
    use crate::hsmd::keeping::folder::{Folder, read_settings};
    use crate::hsmd::keeping::settings::HashCost;
    use crate::hsmd::making::backup::Backup;
    use crate::hsmd::making::clone::clone_cluster;
    use crate::hsmd::making::init::{self, Names, NewCluster};
    use crate::hsmd::making::pki::Vouching;
    use crate::hsmd::serving::attester::Attester;

    const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

    fn new() -> NewCluster {
        NewCluster {
            nodes: 2,
            net: "127.0.1.0".parse().unwrap(),
            port: 2225,
            names: Names::Random,
            password_hash: CHEAP,
            vouching: Vouching::MadeHere,
        }
    }

    fn membership(folder: &Path) -> Membership {
        let members = read_settings(folder).unwrap().members;
        let Folder { hsm, key, certificates, .. } = Folder::open(folder).unwrap();
        let name = &certificates.manufacturer_root.0;
        Membership::new(hsm.identity(), name, &members, &certificates, Attester::new(&key).unwrap()).unwrap()
    }

    #[test]
    fn only_another_member_of_the_same_cluster_is_accepted_and_only_on_its_connection() {
        let home = tempfile::tempdir().unwrap();
        let place = |name: &str| home.path().join(name);
        init::cluster(&place("cluster"), &new()).unwrap();
        init::cluster(&place("stranger"), &new()).unwrap();
        let backup = Backup::of(&place("cluster/hsm0")).unwrap();
        // It may even give itself the other one's place.
        clone_cluster(&place("clone"), &new(), &backup, None).unwrap();
        let own = membership(&place("cluster/hsm0"));
        let proof = |name: &str| membership(&place(name)).proof(Digest::default(), &[1; 32]).unwrap();
        let mut right = proof("cluster/hsm1");
        assert!(own.accepts(&right, &[1; 32]));
        assert!(!own.accepts(&right, &[2; 32]), "another connection");
        assert!(!own.accepts(&own.proof(Digest::default(), &[1; 32]).unwrap(), &[1; 32]), "itself");
        for other in ["stranger/hsm1", "clone/hsm1"] {
            let Proof { mut who, signature } = proof(other);
            assert!(
                !own.accepts(&Proof { who: who.clone(), signature: signature.clone() }, &[1; 32]),
                "{other}"
            );
            who.cluster = own.cluster;
            who.node_id = 1;
            assert!(!own.accepts(&Proof { who, signature }, &[1; 32]), "{other} poses as another");
        }
        right.who.node_id = 7;
        assert!(!own.accepts(&right, &[1; 32]), "no such member");
        assert!(own.has_key(&membership(&place("cluster/hsm1")).certificate));
        assert!(!own.has_key(&membership(&place("stranger/hsm1")).certificate));
    }
}
