//! A console on the HSMs of one clone family, and what an operator does there.

use cloudhsm::cluster::{Cluster, Failure, Question};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::attribute::{Attributes, ReadAttributes};
use cloudhsm::protocol::key::{
    DescribeKey, FindKeys, GenerateKey, KeyDescription, KeyHandle, KeySpec, ListKeys, ShareKey, Sharing,
    Template,
};
use cloudhsm::protocol::masked::{
    Existing, ExtractKey, ExtractUser, InsertKey, InsertUser, Inserted, MaskedObject, Place,
};
use cloudhsm::protocol::session::{Login, Logout};
use cloudhsm::protocol::user::{ChangePassword, CreateUser, ListUsers, UserId, UserRow, UserType};
use cloudhsm::protocol::{Operation, Secret};

use crate::common::TestCluster;

pub(crate) const AES: KeySpec = KeySpec::Aes { bytes: 32 };
const PASSWORD: &str = "password1";

pub(crate) struct Region(Cluster);

/// Random numbers that are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

impl Region {
    /// Connected to every HSM, nobody logged in.
    pub(crate) async fn reached(cluster: &TestCluster) -> Self {
        Self::open(cluster.console(&Interrupt::default())).await
    }

    pub(crate) async fn open(mut console: Cluster) -> Self {
        let everywhere = console.everywhere();
        console.open(&everywhere, |_| (), |_, _| ()).await;
        Self(console)
    }

    /// With a CO on every HSM, who is logged in.
    pub(crate) async fn activated(cluster: &TestCluster) -> Self {
        let mut region = Self::reached(cluster).await;
        region.activate().await;
        region
    }

    /// Makes a CO of the first user of each HSM.
    pub(crate) async fn activate(&mut self) {
        let name = || "admin".to_owned();
        for server in self.everywhere() {
            let (user_type, password) = (UserType::PreCo, secret("password"));
            let login = Login { user_type, name: name(), password, second_factor: None };
            self.ask(server, login).await.unwrap();
            let password = secret(PASSWORD);
            let change = ChangePassword { user_type, name: name(), password, second_factor: None };
            self.ask(server, change).await.unwrap();
        }
    }

    pub(crate) async fn ask<O: Operation>(
        &mut self,
        server: usize,
        operation: O,
    ) -> Result<O::Reply, Failure> {
        let question = Question::new(operation).unwrap();
        let mut answers = self.0.perform(&[server], &question).await;
        answers.pop().unwrap()
    }

    pub(crate) async fn as_officer(&mut self) {
        for server in self.everywhere() {
            self.log_in(server, UserType::Co, "admin").await;
        }
    }

    pub(crate) async fn as_cu(&mut self, name: &str) {
        for server in self.everywhere() {
            self.log_in(server, UserType::Cu, name).await;
        }
    }

    pub(crate) async fn as_cu_on(&mut self, server: usize, name: &str) {
        self.log_in(server, UserType::Cu, name).await;
    }

    pub(crate) async fn log_out(&mut self) {
        for server in self.everywhere() {
            self.ask(server, Logout).await.unwrap();
        }
    }

    pub(crate) async fn create_user(&mut self, name: &str) {
        for server in self.everywhere() {
            self.create_user_on(server, name).await;
        }
    }

    pub(crate) async fn create_user_on(&mut self, server: usize, name: &str) {
        self.try_create_user(server, name).await.unwrap();
    }

    pub(crate) async fn try_create_user(&mut self, server: usize, name: &str) -> Result<UserId, Failure> {
        let (user_type, password) = (UserType::Cu, secret(PASSWORD));
        self.ask(server, CreateUser { user_type, name: name.to_owned(), password, second_factor: None }).await
    }

    /// A token key or pair of whoever is logged in.
    pub(crate) async fn generate(&mut self, server: usize, spec: KeySpec) -> Vec<KeyHandle> {
        let generate =
            GenerateKey { spec, template: Template { label: "key".to_owned(), ..Template::default() } };
        self.ask(server, generate).await.unwrap()
    }

    pub(crate) async fn make_key_if_user(&mut self, server: usize, name: &str) {
        if self.names(server).await.contains(&name.to_owned()) {
            self.as_cu_on(server, name).await;
            self.generate(server, AES).await;
        }
    }

    /// Some CU shares some key of its own with some other CU, if there are such.
    pub(crate) async fn share_some_key(&mut self, server: usize, dice: &mut Dice) {
        let users: Vec<UserRow> =
            self.users(server).await.into_iter().filter(|user| user.user_type == UserType::Cu).collect();
        if users.len() < 2 {
            return;
        }
        let (owner, other) = (&users[dice.throw(users.len())], &users[dice.throw(users.len())]);
        self.as_cu_on(server, &owner.name).await;
        let keys = self.ask(server, FindKeys::default()).await.unwrap();
        let Some(handle) = keys.first().copied() else { return };
        let share = ShareKey { handle, users: vec![other.id], sharing: Sharing::Share };
        // The key may be another's, who shares it, or the user the same.
        drop(self.ask(server, share).await);
    }

    pub(crate) async fn sync_key(
        &mut self,
        handle: KeyHandle,
        from: usize,
        to: usize,
        existing: Existing,
    ) -> Result<Inserted<KeyHandle>, Failure> {
        let object = self.ask(from, ExtractKey { handle }).await?;
        self.ask(to, InsertKey { object, place: Place::SameHandle, existing }).await
    }

    pub(crate) async fn sync_user(&mut self, name: &str, from: usize, to: usize) -> Result<(), Failure> {
        let object = self.extract_user(name, from).await;
        self.insert_user(&object, to, Existing::Replace).await.map(drop)
    }

    pub(crate) async fn extract_user(&mut self, name: &str, from: usize) -> MaskedObject {
        let id = self.id(from, name).await;
        self.ask(from, ExtractUser { id }).await.unwrap()
    }

    pub(crate) async fn insert_user(
        &mut self,
        object: &MaskedObject,
        to: usize,
        existing: Existing,
    ) -> Result<Inserted<UserId>, Failure> {
        self.ask(to, InsertUser { object: object.clone(), existing }).await
    }

    /// Users first, then keys, from each server to each other: the order that the refusals suggest.
    pub(crate) async fn level(&mut self) {
        for (from, to) in self.ways() {
            for name in self.names(from).await {
                if from < to || !self.names(to).await.contains(&name) {
                    self.sync_user(&name, from, to).await.unwrap();
                }
            }
        }
        for (from, to) in self.ways() {
            let keys = self.ask(from, ListKeys { user: None, hash: false }).await.unwrap().keys;
            for (handle, _) in keys {
                self.sync_key(handle, from, to, Existing::Compare).await.unwrap();
            }
        }
    }

    pub(crate) async fn describe(
        &mut self,
        server: usize,
        handle: KeyHandle,
    ) -> (KeyDescription, Attributes) {
        let attributes = self.ask(server, ReadAttributes { handle }).await.unwrap();
        (self.ask(server, DescribeKey { handle }).await.unwrap(), attributes)
    }

    pub(crate) async fn hash(&mut self, server: usize) -> Option<[u8; 32]> {
        self.ask(server, ListKeys { user: None, hash: true }).await.unwrap().hash
    }

    pub(crate) async fn users(&mut self, server: usize) -> Vec<UserRow> {
        self.ask(server, ListUsers).await.unwrap()
    }

    /// The CUs' names, sorted.
    pub(crate) async fn names(&mut self, server: usize) -> Vec<String> {
        let users = self.users(server).await;
        let cus = users.into_iter().filter(|user| user.user_type == UserType::Cu);
        let mut names: Vec<String> = cus.map(|user| user.name).collect();
        names.sort();
        names
    }

    pub(crate) async fn id(&mut self, server: usize, name: &str) -> UserId {
        self.users(server).await.iter().find(|user| user.name == name).unwrap().id
    }

    pub(crate) fn size(&self) -> usize {
        self.everywhere().len()
    }

    fn everywhere(&self) -> Vec<usize> {
        self.0.everywhere()
    }

    fn ways(&self) -> Vec<(usize, usize)> {
        let all = self.everywhere();
        let ways = all.iter().flat_map(|from| all.iter().map(move |to| (*from, *to)));
        ways.filter(|(from, to)| from != to).collect()
    }

    async fn log_in(&mut self, server: usize, user_type: UserType, name: &str) {
        let login =
            Login { user_type, name: name.to_owned(), password: secret(PASSWORD), second_factor: None };
        self.ask(server, login).await.unwrap();
    }
}
