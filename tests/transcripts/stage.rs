//! Stage directions: what happens to the cluster around the console.

use std::fs;
use std::io::Cursor;
use std::process::Command;
use std::rc::Rc;

use cloudhsm::cluster::Cluster;
use cloudhsm::cmu::Session;
use cloudhsm::console::{EchoedBy, Script};
use cloudhsm::hsmd::keeping::folder::CA;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::kmu::Build;
use cloudhsm::protocol::key::Lifetime;
use cloudhsm::protocol::user::UserType;
use cloudhsm::shell::{self, Unreachable};
use tokio::runtime::Runtime;
use tokio::task::block_in_place;

use crate::common::{SHORT, TestCluster};
use crate::{keys, officers};

pub(crate) struct Stage {
    runtime: Rc<Runtime>,
    interrupt: Interrupt,
    cluster: Option<TestCluster>,
    /// Another console, which stays connected.
    elsewhere: Option<Cluster>,
    /// Whether the story is about the banner.
    pub(crate) shows_start: bool,
    pub(crate) unreachable: Unreachable,
    pub(crate) tool: Tool,
    /// `create_object_minimum_nodes`
    pub(crate) minimum_nodes: usize,
    /// `CLOUDHSM_KMU_BUILD`
    pub(crate) build: Build,
    /// The line by which somebody has logged in when the story begins.
    pub(crate) login: Option<String>,
}

/// Whose story it is.
#[derive(Clone, PartialEq)]
pub(crate) enum Tool {
    Console,
    Keys,
    /// The words behind `singlecmd`.
    Single(Vec<String>),
}

impl Stage {
    pub(crate) fn new(runtime: Rc<Runtime>, interrupt: Interrupt) -> Self {
        Self {
            runtime,
            interrupt,
            cluster: None,
            elsewhere: None,
            shows_start: false,
            unreachable: Unreachable::GiveUp,
            tool: Tool::Console,
            minimum_nodes: 1,
            build: Build::default(),
            login: None,
        }
    }

    pub(crate) fn console(&self) -> Cluster {
        self.cluster.as_ref().unwrap().console(&self.interrupt)
    }

    /// The directions:
    ///
    /// * `key_mgmt_util`: the story is that tool's; `singlecmd <words>`: it is run so; `minimum nodes 3`: its
    ///   `create_object_minimum_nodes`; `build B`: its `CLOUDHSM_KMU_BUILD`; `cat <file>` shows a file that it wrote
    /// * `openssl genrsa -out [DIR]/x`: the real one
    /// * `a CU alice`: there is one, with the password crypto12; `alice is logged in`: in the story's session;
    ///   `alice has logged in`: with the password alicepassword
    /// * `servers 3`: a new cluster; `activated`: its CO is admin with the password newpassword1
    /// * `limits are short`: for a story in which one is reached
    /// * `clone of server 0`: a cloned cluster of one HSM, which follows the others in the configuration;
    ///   `stranger`: an HSM of another family
    /// * `shows the start`: the banner is part of the story; `--allow-unreachable`: as the option
    /// * `server 1 dies after 2`: answers two more calls, hangs up on the next, and nobody listens from then on; and what
    ///   else is a [`Direction`](cloudhsm::hsmd::faults::Direction), but `server 1 restarts` is a real restart
    /// * `customerCA.crt is missing`, `is garbage`, `is back`
    /// * `PO.crt is customerCA.crt`: two files of the cluster's folder are equal, byte for byte
    /// * `CUs alice bob`: users 3 and 4, with the passwords alicepassword and bobpassword
    /// * `alice makes an AES key labelled x`, and what else [`keys`](crate::keys) knows; at the end `on server 0`,
    ///   or it is made on all; `shows the file [DIR]/x`
    /// * `COs officer1 officer2`: with the passwords officer1password and so on; `registered officer1 officer2`: they
    ///   have keys, `[DIR]/officer1.key` and `.pub`, for approvals; `equipped officer1`: a key that nobody registered;
    ///   `admin has a second factor`: that key
    /// * `officer1 signs [DIR]/x`; `officer1 approves [DIR]/x in [DIR]/approval.txt`; so do CUs: `alice, a CU, approves …`
    /// * `[DIR]/x is cut`, `grows`, `is [DIR]/y`, `is gone`, `says <text>`: what happens to a file; `/` ends a line
    /// * `elsewhere <command>`: what another console does that stays connected; `elsewhere is gone`
    fn obey(&mut self, direction: &str) -> String {
        let runtime = self.runtime.clone();
        let words: Vec<&str> = direction.split(' ').collect();
        match words[..] {
            ["servers", nodes] => {
                let nodes = nodes.parse().unwrap();
                self.cluster = Some(runtime.block_on(TestCluster::start(nodes)));
            }
            ["activated"] => {
                self.play_elsewhere(
                    "loginHSM PRECO admin password\nchangePswd PRECO admin newpassword1\ny\nlogoutHSM\n",
                );
                self.elsewhere = None;
            }
            ["CUs", ref names @ ..] => self.create_users("CU", names),
            [name, "makes", "a" | "an", ref what @ ..] => self.make_keys(name, what),
            ["shows", "the", "file", file] => {
                let text = fs::read_to_string(self.with_paths(file)).unwrap();
                return if text.ends_with('\n') { text } else { text + "\n" };
            }
            ["shows", "the", "start"] => self.shows_start = true,
            ["--allow-unreachable"] => self.unreachable = Unreachable::GoOn,
            ["limits", "are", "short"] => self.cluster().limits = SHORT,
            ["clone", "of", "server", number] => {
                runtime.block_on(self.cluster().add_clone(number.parse().unwrap(), 1));
            }
            ["stranger"] => runtime.block_on(self.cluster().add_stranger()),
            ["server", number, "restarts"] => {
                runtime.block_on(self.cluster().restart(number.parse().unwrap()));
            }
            ["server" | "clock", ..] => {
                let direction = direction.parse().unwrap();
                runtime.block_on(self.cluster().obey(&direction));
            }
            ["customerCA.crt", "is", state] => self.set_ca(state),
            [file, "is", other] if other.ends_with(".crt") => {
                let read = |name: &str| fs::read_to_string(self.cluster.as_ref().unwrap().path().join(name));
                assert_eq!(read(file).unwrap(), read(other).unwrap(), "{file}, {other}");
            }
            ["elsewhere", "is", "gone"] => self.leave(),
            ["elsewhere", ..] => {
                let lines = self.with_paths(&words[1..].join(" ")).replace(" / ", "\n");
                self.play_elsewhere(&format!("{lines}\n"));
            }
            _ => self.direct_users(&words),
        }
        String::new()
    }

    /// Those about the key tool and its user.
    fn direct_users(&mut self, words: &[&str]) {
        match *words {
            ["key_mgmt_util"] => self.tool = Tool::Keys,
            ["singlecmd", ref command @ ..] => {
                self.tool = Tool::Single(command.iter().map(|word| self.with_paths(word)).collect());
            }
            ["a", "CU", name] => {
                self.play_elsewhere(&format!(
                    "loginHSM CO admin newpassword1\ncreateUser CU {name} crypto12\ny\nlogoutHSM\n"
                ));
                self.elsewhere = None;
            }
            [name, "is", "logged", "in"] => {
                self.login = Some(format!("loginHSM -u CU -s {name} -p crypto12"));
            }
            [name, "has", "logged", "in"] => {
                self.login = Some(format!("loginHSM -u CU -s {name} -p {name}password"));
            }
            ["build", name] => self.build = Build::parse(name).unwrap(),
            ["openssl", ref arguments @ ..] => {
                let arguments = arguments.iter().map(|argument| self.with_paths(argument));
                let output = Command::new("openssl").args(arguments).output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            ["minimum", "nodes", number] => self.minimum_nodes = number.parse().unwrap(),
            _ => self.direct_officers(words),
        }
    }

    /// Those about approvals, and the files that they need.
    fn direct_officers(&mut self, words: &[&str]) {
        match *words {
            ["COs", ref names @ ..] => self.create_users("CO", names),
            ["registered", ref names @ ..] => names.iter().for_each(|name| self.register(name)),
            ["equipped", name] => officers::equip(&self.cluster().path(), name),
            [name, "has", "a", "second", "factor"] => self.give_second_factor(name),
            [name, "signs", file] => {
                officers::sign(&self.cluster().path(), name, &self.with_paths(file), None);
            }
            [ref name @ .., "approves", file, "in", approval] => {
                let (user_type, name) = match name {
                    [name] => (UserType::Co, *name),
                    [name, "a", "CU,"] => (UserType::Cu, name.trim_end_matches(',')),
                    _ => panic!("no such approver: {words:?}"),
                };
                let (file, approval) = (self.with_paths(file), self.with_paths(approval));
                officers::sign(&self.cluster().path(), name, &file, Some((user_type, &approval)));
            }
            [file, ref what @ ..] if file.starts_with("[DIR]") => self.alter(file, what),
            _ => panic!("no such direction: {words:?}"),
        }
    }

    /// What a person types for `[DIR]`.
    fn with_paths(&self, text: &str) -> String {
        text.replace("[DIR]", self.cluster.as_ref().unwrap().path().to_str().unwrap())
    }

    /// The cluster's folder is another one each time.
    pub(crate) fn without_paths(&self, text: &str) -> String {
        text.replace(self.cluster.as_ref().unwrap().path().to_str().unwrap(), "[DIR]")
    }

    fn cluster(&mut self) -> &mut TestCluster {
        self.cluster.as_mut().unwrap()
    }

    fn give_second_factor(&mut self, name: &str) {
        officers::equip(&self.cluster().path(), name);
        let (mut cluster, folder) = (self.console(), self.cluster().path());
        let password = password(name);
        self.runtime.block_on(officers::give_second_factor(&mut cluster, &folder, name, &password));
        self.part(cluster);
    }

    fn register(&mut self, name: &str) {
        officers::equip(&self.cluster().path(), name);
        let user_type = if name.starts_with("officer") || name == "admin" { "CO" } else { "CU" };
        let password = password(name);
        let file = |end: &str| self.with_paths(&format!("[DIR]/{name}.{end}"));
        self.play_elsewhere(&format!(
            "loginHSM {user_type} {name} {password}\nregisterQuorumPubKey {user_type} {name} {} {} {}\ny\nlogoutHSM\n",
            file("reg"),
            file("reg.sig"),
            file("pub"),
        ));
        self.elsewhere = None;
    }

    fn alter(&mut self, file: &str, what: &[&str]) {
        let path = self.with_paths(file);
        let content = fs::read(&path).unwrap_or_default();
        match what {
            ["is", "cut"] => fs::write(path, &content[..content.len() - 1]).unwrap(),
            ["grows"] => fs::write(path, content.repeat(33)).unwrap(),
            ["is", "gone"] => fs::remove_file(path).unwrap(),
            ["is", other] => drop(fs::copy(self.with_paths(other), path).unwrap()),
            ["says", text @ ..] => {
                let text = self.with_paths(&text.join(" ")).replace(" / ", "\n");
                fs::write(path, text).unwrap();
            }
            _ => panic!("{file} {what:?}"),
        }
    }

    fn create_users(&mut self, user_type: &str, names: &[&str]) {
        let mut lines = String::from("loginHSM CO admin newpassword1\n");
        names
            .iter()
            .for_each(|name| lines.push_str(&format!("createUser {user_type} {name} {name}password\ny\n")));
        self.play_elsewhere(&lines);
        self.leave();
    }

    fn make_keys(&mut self, name: &str, what: &[&str]) {
        let mut cluster = self.console();
        let (what, servers) = match what {
            [what @ .., "on", "server", number] => (what, vec![number.parse().unwrap()]),
            what => (what, cluster.everywhere()),
        };
        let new = keys::parse(what);
        self.runtime.block_on(keys::make(&mut cluster, name, &new, &servers));
        self.elsewhere = Some(cluster);
        // A session key lives as long as its maker's connection.
        if new.template.lifetime == Lifetime::Token {
            self.leave();
        }
    }

    fn set_ca(&mut self, state: &str) {
        let path = self.cluster().path();
        let (ca, kept) = (path.join(CA), path.join("hsm0").join(CA));
        match state {
            "missing" => fs::remove_file(ca).unwrap(),
            "garbage" => fs::write(ca, "garbage").unwrap(),
            "another" => {
                let key = rcgen::KeyPair::generate().unwrap();
                let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
                fs::write(ca, params.self_signed(&key).unwrap().pem()).unwrap();
            }
            "back" => drop(fs::copy(kept, ca).unwrap()),
            _ => panic!("{state}"),
        }
    }

    fn leave(&mut self) {
        let gone = self.elsewhere.take().unwrap();
        self.part(gone);
    }

    fn part(&self, console: Cluster) {
        self.runtime.block_on(self.cluster.as_ref().unwrap().part(console));
    }

    fn play_elsewhere(&mut self, lines: &str) {
        let cluster = match self.elsewhere.take() {
            Some(cluster) => cluster,
            None => {
                let mut cluster = self.console();
                let scope = cluster.everywhere();
                self.runtime.block_on(cluster.open(&scope, |_| (), |_, _| ()));
                cluster
            }
        };
        let mut text = Vec::new();
        let mut console = Script::new(Cursor::new(lines), &mut text, str::to_owned, EchoedBy::Console);
        let mut session = Session::new(&mut console, cluster, Interrupt::default(), self.runtime.clone());
        while let Some(true) =
            shell::step(&mut session).map(|outcome| outcome == cloudhsm::cmu::Outcome::Done)
        {}
        self.elsewhere = Some(session.cluster);
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("failed:"), "elsewhere: {text}");
    }
}

impl cloudhsm::transcript::Stage for Stage {
    fn direct(&mut self, direction: &str) -> Result<String, String> {
        // A direction can stand at a question that a change under way asks, and starts things of its own.
        Ok(block_in_place(|| self.obey(direction)))
    }

    fn typed(&self, line: &str) -> String {
        self.with_paths(line)
    }
}

/// Of a user of the stage.
fn password(name: &str) -> String {
    if name == "admin" { "newpassword1".to_owned() } else { format!("{name}password") }
}
