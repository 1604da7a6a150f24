//! Who is of the same cluster. Either side proves that it holds the cluster's private key: the called one in the TLS
//! handshake, as it does to a console, and the caller by a signature that is good for this connection only.
//!
//! The cluster's key does not tell the clusters of one clone family apart, which share it. So both say which cluster
//! they are of, by the certificate of its maker, and which member.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::ClientConfig;

use super::message::{Proof, Who};
use super::view::Digest;
use crate::hsm::{Certificates, Identity};
use crate::hsmd::serving::attester::Attester;
use crate::protocol::device::Member;
use crate::wire::anchor::Anchor;
use crate::wire::certificate;
use crate::wire::verifier::{Trust, client_config};

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
    pub(super) fn new(
        identity: &Identity,
        members: &[Member],
        certificates: &Certificates,
        attester: Attester,
    ) -> Option<Self> {
        let node_id = identity.node_id;
        let mut others: Vec<_> = members.iter().filter(|member| member.node_id != node_id).cloned().collect();
        others.sort_by_key(|member| (member.node_id < node_id, member.node_id));
        let owner = certificates.owner.as_ref().filter(|_| !others.is_empty())?;
        let anchor = Anchor::from_der(&owner.root.0, "".as_ref()).ok()?;
        let tls = client_config(Trust::Owner(anchor), None).ok()?;
        let maker = digest(&SHA256, &certificates.manufacturer_root.0);
        Some(Self {
            node_id,
            others,
            tls: Arc::new(tls),
            cluster: <[u8; 32]>::try_from(maker.as_ref()).ok()?,
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
