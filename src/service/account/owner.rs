//! A cluster gets its owner.

use std::path::Path;
use std::sync::Arc;

use super::core::{Core, blocking};
use super::state::{Cluster, Phase, State, Step};
use crate::hsmd::keeping::folder::{CERTIFICATE, CSR, KEY};
use crate::hsmd::making::initialize::{Given, Signed, Source, initialize};
use crate::service::failure::Failure;
use crate::service::shapes::cluster::{InitializeCluster, InitializeClusterOutput};
use crate::service::shapes::hsm::HsmState;
use crate::service::shapes::names::{ClusterId, HsmId, Region};
use crate::wire::pem_file;

impl Core {
    pub(super) async fn initialize_cluster(
        self: Arc<Self>,
        region: Region,
        input: InitializeCluster,
    ) -> Result<InitializeClusterOutput, Failure> {
        let state = self.state();
        let id = &input.cluster_id;
        let cluster = state.cluster(&region, id)?;
        let hsm_id = self.uninitialized(id, cluster)?;
        let signed = Signed {
            certificate: Given::named("SignedCert", input.signed_cert.as_str()),
            trust_anchor: Given::named("TrustAnchor", input.trust_anchor.as_str()),
            from: Source::Owner,
        };
        let folder = self.places.hsm(id, &hsm_id);
        let path = folder.clone();
        // First all checks, as long as the HSM serves.
        let signed = blocking(move || check(&path, signed)).await?;
        self.units.stop(&hsm_id).await;
        let path = folder.clone();
        let installed = blocking(move || initialize(&path, &signed).map_err(Failure::internal)).await;
        let restarted = self.units.start(&hsm_id, &folder).await;
        self.units.follow_keys(id, &hsm_id);
        installed?;
        if let Err(reason) = restarted {
            // The upkeep goes on trying.
            tracing::warn!(%hsm_id, reason, "the HSM does not start after the cluster's initialization");
        }
        let now = self.now();
        let state = self.commit(|state| has_owner(state, id, &folder, now)).await?;
        let cluster = state.cluster(&region, id)?;
        let mut moment = self.moment();
        moment.now = now;
        let described = self.describe_cluster(id, cluster, moment)?;
        Ok(InitializeClusterOutput { state: described.state, state_message: described.state_message })
    }

    /// The cluster's only HSM, if it waits for the owner's certificate.
    fn uninitialized(&self, id: &ClusterId, cluster: &Cluster) -> Result<HsmId, Failure> {
        self.must_be_still(id, cluster)?;
        if cluster.phase != Phase::Uninitialized {
            return Err(Failure::InvalidRequest(format!("Cluster {id} is already initialized.")));
        }
        let moment = self.moment();
        let hsms = cluster.hsms.iter().map(|hsm| self.describe_hsm(id, cluster, hsm, moment));
        for hsm in hsms.collect::<Result<Vec<_>, _>>()? {
            if hsm.state == HsmState::Active {
                return Ok(hsm.hsm_id);
            }
        }
        Err(Failure::InvalidRequest(format!(
            "Cluster {id} has no active HSM: create one with CreateHsm first."
        )))
    }

    /// Notes the owners of clusters whose initialization was cut after the HSM had its certificate.
    pub(super) fn complete_initializations(&self, state: &mut State) {
        let waiting = state.clusters.iter().filter(|(_, cluster)| cluster.phase == Phase::Uninitialized);
        let has_owner_now = |folder: &Path| folder.join(KEY).exists() && !folder.join(CSR).exists();
        let hsms = waiting.flat_map(|(id, cluster)| {
            cluster.hsms.keys().map(move |hsm| (id.clone(), self.places.hsm(id, hsm)))
        });
        for (id, folder) in hsms.filter(|(_, folder)| has_owner_now(folder)).collect::<Vec<_>>() {
            has_owner(state, &id, &folder, self.now());
        }
    }
}

fn check(folder: &Path, signed: Signed) -> Result<Signed, Failure> {
    let key = pem_file::load_key(&folder.join(KEY)).map_err(Failure::internal)?;
    signed.check(&[&key]).map_err(Failure::invalid)?;
    Ok(signed)
}

fn has_owner(state: &mut State, id: &ClusterId, folder: &Path, now: u64) {
    if let Some(cluster) = state.clusters.get_mut(id) {
        cluster.certificate = std::fs::read_to_string(folder.join(CERTIFICATE)).ok();
        (cluster.phase, cluster.step) = (Phase::Initialized, (Step::Initialize, now));
    }
}
