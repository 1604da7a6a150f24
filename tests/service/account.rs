//! An account in this process, and what an owner does with it.

use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cloudhsm::cluster::{Cluster, Dial, Failure as NoAnswer, Question};
use cloudhsm::config::ServerConfig;
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::hsmd::serving::clock::Clock;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ChangePassword, UserType};
use cloudhsm::protocol::{Operation as Asked, Secret};
use cloudhsm::service::account::{Account, Options, Ports};
use cloudhsm::service::failure::Failure;
use cloudhsm::service::operation::Operation;
use cloudhsm::service::shapes::decode::{Undecodable, decode};
use cloudhsm::service::shapes::names::Region;
use cloudhsm::wire::Limits;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const EAST: &str = "us-east-1";

pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) account: Option<Account>,
    pub(crate) clock: Clock,
    pub(crate) pace: Duration,
    pub(crate) port: u16,
    pub(crate) ports: Option<Ports>,
}

/// Below those that the system gives away by itself, and no other desk's.
pub(crate) fn unused_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let desk = 16 * process::id() + COUNT.fetch_add(1, Ordering::Relaxed);
    u16::try_from(10_000 + desk % 20_000).unwrap()
}

/// Not a cost for secrets that matter.
const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

impl Desk {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Self {
            folder,
            account: None,
            clock: Clock::default(),
            pace: Duration::ZERO,
            port: unused_port(),
            ports: None,
        };
        desk.reopen().await;
        desk
    }

    /// As after a restart.
    pub(crate) async fn reopen(&mut self) {
        if let Some(account) = self.account.take() {
            account.close().await;
        }
        let (pace, port, ports, clock) = (self.pace, self.port, self.ports, self.clock.clone());
        let options = Options { pace, port, ports, password_hash: CHEAP, clock };
        self.account = Some(Account::open(&self.folder.path().join("account"), options).await.unwrap());
    }

    pub(crate) async fn call(&self, operation: Operation, input: Value) -> Value {
        self.try_call(EAST, operation, input).await.unwrap()
    }

    pub(crate) async fn refusal(&self, operation: Operation, input: Value) -> (&'static str, String) {
        let failure = self.try_call(EAST, operation, input).await.unwrap_err();
        (failure.kind(), failure.to_string())
    }

    pub(crate) async fn try_call(
        &self,
        region: &str,
        operation: Operation,
        input: Value,
    ) -> Result<Value, Failure> {
        let account = self.account.as_ref().unwrap();
        let region = Region::parse(region).unwrap();
        macro_rules! call {
            ($method:ident) => {
                serde_json::to_value(
                    account.$method(&region, decode(operation, &input).map_err(invalid)?).await?,
                )
                .unwrap()
            };
        }
        Ok(match operation {
            Operation::CopyBackupToRegion => call!(copy_backup_to_region),
            Operation::CreateCluster => call!(create_cluster),
            Operation::CreateHsm => call!(create_hsm),
            Operation::DeleteBackup => call!(delete_backup),
            Operation::DeleteCluster => call!(delete_cluster),
            Operation::DeleteHsm => call!(delete_hsm),
            Operation::DeleteResourcePolicy => call!(delete_resource_policy),
            Operation::DescribeBackups => call!(describe_backups),
            Operation::DescribeClusters => call!(describe_clusters),
            Operation::GetResourcePolicy => call!(get_resource_policy),
            Operation::InitializeCluster => call!(initialize_cluster),
            Operation::ListTags => call!(list_tags),
            Operation::ModifyBackupAttributes => call!(modify_backup_attributes),
            Operation::ModifyCluster => call!(modify_cluster),
            Operation::PutResourcePolicy => call!(put_resource_policy),
            Operation::RestoreBackup => call!(restore_backup),
            Operation::TagResource => call!(tag_resource),
            Operation::UntagResource => call!(untag_resource),
        })
    }

    pub(crate) async fn new_cluster(&self) -> String {
        let input = json!({"HsmType": "hsm1.medium", "SubnetIds": ["subnet-0e358c43", "subnet-1e358c44"]});
        let made = self.call(Operation::CreateCluster, input).await;
        made["Cluster"]["ClusterId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn new_hsm(&self, cluster: &str, zone: &str) -> Value {
        let input = json!({"ClusterId": cluster, "AvailabilityZone": zone});
        self.call(Operation::CreateHsm, input).await["Hsm"].clone()
    }

    pub(crate) async fn cluster(&self, id: &str) -> Value {
        self.cluster_in(EAST, id).await
    }

    pub(crate) async fn cluster_in(&self, region: &str, id: &str) -> Value {
        let filters = json!({"Filters": {"clusterIds": [id]}});
        let found = self.try_call(region, Operation::DescribeClusters, filters).await.unwrap();
        found["Clusters"][0].clone()
    }

    pub(crate) fn sign(&self, csr: &str) -> (String, String) {
        let path = self.folder.path();
        std::fs::write(path.join("cluster.csr"), csr).unwrap();
        if !path.join("customerCA.crt").exists() {
            openssl(path, "genrsa -out customerCA.key 2048");
            openssl(
                path,
                "req -new -x509 -days 3652 -key customerCA.key -subj /CN=owner -out customerCA.crt",
            );
        }
        openssl(
            path,
            "x509 -req -days 3652 -in cluster.csr -CA customerCA.crt -CAkey customerCA.key -CAcreateserial \
             -out cluster.crt",
        );
        let read = |name| std::fs::read_to_string(path.join(name)).unwrap();
        (read("cluster.crt"), read("customerCA.crt"))
    }

    pub(crate) async fn initialize(&self, id: &str) -> Value {
        let cluster = self.cluster(id).await;
        let (signed, anchor) = self.sign(cluster["Certificates"]["ClusterCsr"].as_str().unwrap());
        let input = json!({"ClusterId": id, "SignedCert": signed, "TrustAnchor": anchor});
        self.call(Operation::InitializeCluster, input).await
    }

    /// With an owner, one HSM and a CO.
    pub(crate) async fn active_cluster(&self) -> String {
        let id = self.new_cluster().await;
        let hsm = self.new_hsm(&id, "us-east-1a").await;
        self.initialize(&id).await;
        self.activate(hsm["EniIp"].as_str().unwrap()).await;
        id
    }

    /// Changes PRECO's password.
    pub(crate) async fn activate(&self, address: &str) {
        let mut console = self.console(address).await;
        let (user_type, name) = (UserType::PreCo, || "admin".to_owned());
        ask(&mut console, login(user_type, "admin", "password")).await.unwrap();
        let password = Secret::new(PASSWORD.to_owned());
        ask(&mut console, ChangePassword { user_type, name: name(), password, second_factor: None })
            .await
            .unwrap();
    }

    /// Connected to one HSM, which has proved whose it is.
    pub(crate) async fn console(&self, address: &str) -> Cluster {
        self.console_at(address, self.port).await
    }

    pub(crate) async fn console_at(&self, address: &str, port: u16) -> Cluster {
        let server = ServerConfig::new(address, port, &self.folder.path().join("customerCA.crt"));
        let dials = vec![Dial::new(&server).unwrap()];
        let mut console = Cluster::new(dials, Limits::default(), Interrupt::default());
        let everywhere = console.everywhere();
        console.open(&everywhere, |_| (), |_, _| ()).await;
        console
    }
}

pub(crate) const PASSWORD: &str = "password1";

pub(crate) fn login(user_type: UserType, name: &str, password: &str) -> Login {
    let password = Secret::new(password.to_owned());
    Login { user_type, name: name.to_owned(), password, second_factor: None }
}

pub(crate) async fn ask<O: Asked>(console: &mut Cluster, operation: O) -> Result<O::Reply, NoAnswer> {
    let question = Question::new(operation).unwrap();
    console.perform(&[0], &question).await.pop().unwrap()
}

fn openssl(folder: &Path, words: &str) {
    let output = Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn invalid(error: Undecodable) -> Failure {
    match error {
        Undecodable::Value(failure) => failure,
        Undecodable::Type { .. } => panic!("{error}"),
    }
}
