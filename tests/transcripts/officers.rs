//! What officers do outside the console of a story: they have keys, and sign files with them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use cloudhsm::cluster::Cluster;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::second_factor::{Digest, GetDigest, NewSecondFactor, Purpose, SignedDigests};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ChangePassword, UserType};
use cloudhsm::signing::approval::Approver;
use cloudhsm::signing::private_key::{Locked, PrivateKey};
use cloudhsm::signing::public_key;
use cloudhsm::signing::sign::SigningJob;
use pem::Pem;

use crate::keys::ask;

/// Makes `officer1.key`, `officer1.pub`, and a registration token with its signature.
pub(crate) fn equip(folder: &Path, name: &str) {
    let path = |end: &str| folder.join(format!("{name}.{end}"));
    fs::write(path("key"), pem_of(name)).unwrap();
    fs::write(path("pub"), key(folder, name).public_pem().unwrap()).unwrap();
    fs::write(path("reg"), format!("{name} was here")).unwrap();
    sign(folder, name, path("reg").to_str().unwrap(), None);
}

/// The same for the same name in all stories: to make a key takes long.
fn pem_of(name: &str) -> String {
    static PEMS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    let mut pems = PEMS.lock().unwrap();
    let made = || {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        pem::encode(&Pem::new("PRIVATE KEY", pkcs8.as_ref()))
    };
    pems.entry(name.to_owned()).or_insert_with(made).clone()
}

/// Signs as `cloudhsm_mgmt_util sign` does, and enters an approval.
pub(crate) fn sign(folder: &Path, name: &str, file: &str, approval: Option<(UserType, &str)>) {
    let order = |(user_type, path): (_, &str)| {
        let approver = Approver { user_type, name: name.to_owned(), file: String::new() };
        (path.to_owned(), approver)
    };
    let order = SigningJob { file: file.to_owned(), out: None, approval: approval.map(order) };
    order.sign(&order.read().unwrap(), &key(folder, name)).unwrap();
}

/// Sets a CO's password again, with a second factor, on a connection of its own.
pub(crate) async fn give_second_factor(cluster: &mut Cluster, folder: &Path, name: &str, password: &str) {
    let scope = cluster.everywhere();
    cluster.open(&scope, |_| (), |_, _| ()).await;
    let (user_type, who) = (UserType::Co, || name.to_owned());
    let password = || Secret::new(password.to_owned());
    let login = Login { user_type, name: who(), password: password(), second_factor: None };
    ask(cluster, &scope, login).await;
    let get = GetDigest { purpose: Purpose::ChangePassword, user_type, name: who() };
    let key = key(folder, name);
    let sign = |digest: Digest| (digest, key.sign_digest(digest).unwrap());
    let signed = SignedDigests(ask(cluster, &scope, get).await.into_iter().map(sign).collect());
    let public_key = public_key::parse(&key.public_pem().unwrap()).unwrap();
    let second_factor = Some(NewSecondFactor { public_key, signed });
    ask(cluster, &scope, ChangePassword { user_type, name: who(), password: password(), second_factor })
        .await;
}

fn key(folder: &Path, name: &str) -> PrivateKey {
    let path: PathBuf = folder.join(format!("{name}.key"));
    Locked::load(path.to_str().unwrap()).unwrap().open(None).unwrap()
}
