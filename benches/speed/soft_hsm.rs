//! SoftHSM, and `pkcs11-tool` to list its keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::hsms::folder;
use super::process::{is_installed, run};

/// What has to be installed for it.
pub(crate) const MISSING: &str = "softhsm2-util, its module and pkcs11-tool";

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// A token in a folder.
pub(crate) struct SoftHsm {
    folder: TempDir,
    module: &'static str,
}

impl SoftHsm {
    /// A token with `count` AES keys: one generated, the others copies of its file, as to generate all of them takes hours.
    /// `None` if SoftHSM is not installed.
    pub(crate) fn with_keys(count: usize) -> Option<Self> {
        let module = MODULES.into_iter().find(|module| Path::new(module).exists())?;
        if !is_installed("softhsm2-util") || !is_installed("pkcs11-tool") {
            return None;
        }
        let soft_hsm = Self { folder: folder(), module };
        let tokens = soft_hsm.folder.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let config = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
        fs::write(soft_hsm.config(), config).unwrap();
        let init =
            ["--init-token", "--free", "--label", "speed", "--so-pin", "12345678", "--pin", "12345678"];
        run(soft_hsm.with_config("softhsm2-util").args(init));
        run(soft_hsm.tool().args(["--keygen", "--key-type", "AES:32", "--label", "key"]));
        soft_hsm.copy_key(&tokens, count);
        Some(soft_hsm)
    }

    /// `pkcs11-tool`, logged in.
    pub(crate) fn tool(&self) -> Command {
        let mut tool = self.with_config("pkcs11-tool");
        tool.args(["--module", self.module, "--token-label", "speed", "--login", "--pin", "12345678"]);
        tool
    }

    fn with_config(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", self.config());
        command
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("softhsm2.conf")
    }

    fn copy_key(&self, tokens: &Path, count: usize) {
        let token = only(tokens, |_| true);
        let key = only(&token, |name| name.ends_with(".object") && name != "token.object");
        for copy in 1..count {
            fs::copy(&key, token.join(format!("00000000-0000-0000-0000-{copy:012x}.object"))).unwrap();
        }
    }
}

fn only(folder: &Path, is_it: impl Fn(&str) -> bool) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| is_it(&path.file_name().unwrap().to_string_lossy())).unwrap()
}
