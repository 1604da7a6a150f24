//! What officers do outside the console of a story: they have keys, and sign files with them.

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use cloudhsm::protocol::user::UserType;
use cloudhsm::signing::approval::Approver;
use cloudhsm::signing::private_key::{Locked, PrivateKey};
use cloudhsm::signing::sign::Order;
use pem::Pem;

/// Makes `officer1.key`, `officer1.pub`, and a registration token with its signature.
pub(crate) fn equip(folder: &Path, name: &str) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let path = |end: &str| folder.join(format!("{name}.{end}"));
    fs::write(path("key"), pem::encode(&Pem::new("PRIVATE KEY", pkcs8.as_ref()))).unwrap();
    fs::write(path("pub"), key(folder, name).public_pem().unwrap()).unwrap();
    fs::write(path("reg"), format!("{name} was here")).unwrap();
    sign(folder, name, path("reg").to_str().unwrap(), None);
}

/// Signs as `cloudhsm_mgmt_util sign` does, and enters an approval.
pub(crate) fn sign(folder: &Path, name: &str, file: &str, approval: Option<(UserType, &str)>) {
    let order = |(user_type, path): (_, &str)| {
        let approver = Approver { user_type, name: name.to_owned(), file: String::new() };
        (path.to_owned(), approver)
    };
    let order = Order { file: file.to_owned(), out: None, approval: approval.map(order) };
    order.carry_out(&key(folder, name)).unwrap();
}

fn key(folder: &Path, name: &str) -> PrivateKey {
    let path: PathBuf = folder.join(format!("{name}.key"));
    Locked::load(path.to_str().unwrap()).unwrap().open(None).unwrap()
}
