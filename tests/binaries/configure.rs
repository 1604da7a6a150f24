//! `configure`: what it changes in the two files, and what it leaves as it was.

#[path = "configure/failing.rs"]
mod failing;
#[path = "configure/files.rs"]
mod files;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::certificates::openssl;
use crate::cluster::{Cluster, listed};
use crate::process::{configure, console, must_be_installed, run, text};
use files::Files;

#[test]
fn one_address_goes_into_both_files_and_every_other_byte_stays() {
    let files = Files::new();
    let (client, console) = (files.client_text(), files.console_text());
    let ended = files.configure(&["-a", "10.7.7.7"]).with_code(0);
    assert_eq!(ended.stdout, files.announcement("server"));
    assert_eq!(ended.stderr, "");
    // The original's daemon port stays.
    assert_eq!(files.client_text(), client.replace("10.10.4.20", "10.7.7.7"));
    let first = console.replace("hsm-a.example", "10.7.7.7").replace("\"east\"", "\"10.7.7.7\"");
    let (start, second) = first.split_once(" , {").unwrap();
    let (_, end) = second.split_once("} }").unwrap();
    assert_eq!(files.console_text(), format!("{start}{end}"));
}

#[test]
fn a_port_other_than_the_daemons_is_replaced_and_one_that_is_asked_for_is_written() {
    let files = Files::new();
    let client = files.client_text().replace("10.10.4.20", "10.7.7.7");
    for (arguments, port) in
        [(&["-a", "10.7.7.7", "--port", "3000"][..], "3000"), (&["-a", "10.7.7.7"], "2225")]
    {
        files.configure(arguments).with_code(0);
        assert_eq!(files.client_text(), client.replace("2223", port));
    }
}

#[test]
fn what_is_not_json_stays_but_is_reported() {
    let files = Files::new();
    let console = "# mine\n{\"servers\": [ // east\n  {\"hostname\": \"a\", \"port\": \"2225\", \"enable\": true,},\n\
                   # west\n  {\"hostname\": \"b\", },\n], }\n";
    let client = files.client_text().replacen('{', "{ // mine", 1).replace("2223", "\"2223\"");
    fs::write(&files.console, console).unwrap();
    fs::write(&files.client, &client).unwrap();
    let ended = files.configure(&["-a", "10.7.7.7"]).with_code(0);
    assert_eq!(ended.stdout, files.announcement("server"));
    let (of_client, of_console) = (files.client.display(), files.console.display());
    let expected = format!(
        "configure: {of_client}: line 1, column 3: a comment is not JSON; it is ignored\n\
         configure: {of_client}: line 33, column 17: \"2223\" should be a number, without quotes\n\
         configure: {of_console}: line 1, column 1: a comment is not JSON; it is ignored (3 in all)\n\
         configure: {of_console}: line 3, column 29: \"2225\" should be a number, without quotes\n\
         configure: {of_console}: line 3, column 47: true should be \"yes\"\n\
         configure: {of_console}: line 3, column 51: \
         a comma before a closing bracket is not JSON; it is ignored (4 in all)\n"
    );
    assert_eq!(ended.stderr, expected);
    assert_eq!(files.client_text(), client.replace("10.10.4.20", "10.7.7.7"));
    let first = console.replace("\"a\"", "\"10.7.7.7\"").replace("true,", "true, \"name\": \"10.7.7.7\",");
    let (start, rest) = first.split_once(",\n# west").unwrap();
    let (_, end) = rest.split_once('}').unwrap();
    assert_eq!(files.console_text(), format!("{start}{end}"));
}

#[test]
fn jq_sees_no_change_but_the_intended_ones() {
    must_be_installed("jq");
    let files = Files::new();
    let before = [sorted(&files.client), sorted(&files.console)];
    files.configure(&["-a", "10.7.7.7", "--port", "3000"]).with_code(0);
    let client = r#".server.hostname = "10.7.7.7" | .server.port = 3000"#;
    let console = r#".servers |= [.[0] + {hostname: "10.7.7.7", name: "10.7.7.7", port: 3000}]"#;
    for (before, path, change) in [(&before[0], &files.client, client), (&before[1], &files.console, console)]
    {
        let expected = files.path("expected");
        fs::write(&expected, before).unwrap();
        assert_eq!(sorted(path), jq(change, &expected), "{}", path.display());
    }
}

#[test]
fn what_was_replaced_is_kept_and_nothing_is_replaced_by_itself() {
    let files = Files::new();
    fs::set_permissions(&files.console, fs::Permissions::from_mode(0o640)).unwrap();
    let before = [files.client_text(), files.console_text()];
    let announced = files.announcement("server");
    for (address, backups) in [("10.7.7.7", 1), ("10.7.7.7", 1), ("10.8.8.8", 2), ("10.8.8.8", 2)] {
        assert_eq!(files.configure(&["-a", address]).with_code(0).stdout, announced);
        assert_eq!(files.names().len(), 2 + 2 * backups, "{:?}", files.names());
    }
    assert_eq!(before, [".client.bak", ".cmu.bak"].map(|name| files.read(name)));
    assert!(files.read(".cmu.bak2").contains("\"10.7.7.7\""), "{}", files.read(".cmu.bak2"));
    for name in [".cmu", ".cmu.bak", ".cmu.bak2"] {
        assert_eq!(fs::metadata(files.path(name)).unwrap().permissions().mode() & 0o777, 0o640, "{name}");
    }
}

#[test]
fn a_symbolic_link_stays_one() {
    let files = Files::new();
    fs::create_dir(files.path("real")).unwrap();
    fs::rename(&files.console, files.path("real/file")).unwrap();
    std::os::unix::fs::symlink("real/file", &files.console).unwrap();
    files.configure(&["-a", "10.7.7.7"]).with_code(0);
    assert!(fs::symlink_metadata(&files.console).unwrap().is_symlink());
    assert!(files.read("real/file").contains("10.7.7.7"));
    assert!(!files.read("real/file.bak").contains("10.7.7.7"));
}

#[test]
fn a_file_that_is_not_named_is_left_alone_while_the_other_is() {
    let files = Files::new();
    let client = files.client_text();
    let only =
        run(&mut configure(&["-a", "10.7.7.7", "--cmu-config", text(&files.console)]), "").with_code(0);
    assert_eq!(only.stdout, format!("Updating server config in {}\n", files.console.display()));
    assert_eq!(files.client_text(), client);
    let console = files.console_text();
    let only =
        run(&mut configure(&["-a", "10.8.8.8", "--client-config", text(&files.client)]), "").with_code(0);
    assert_eq!(only.stdout, format!("Updating server config in {}\n", files.client.display()));
    assert_eq!(files.console_text(), console);
}

#[test]
fn all_members_are_found_and_the_console_reaches_them() {
    let cluster = Cluster::new(3);
    let _daemon = cluster.run();
    let files = Files::of(&cluster);
    let known = files.servers().remove(1);
    let ended = files.configure(&["--cmu", &cluster.address(2), "--port", &cluster.port.to_string()]);
    assert_eq!(ended.with_code(0).stdout, files.announcement("server"));
    assert!(files.client_text().contains(&format!("\"hostname\": \"{}\"", cluster.address(2))));

    let servers = files.servers();
    assert_eq!(servers.len(), 3);
    assert_eq!(servers[1], known, "it stays as it was");
    for node in [0, 2] {
        let mut expected = files.model.clone();
        expected["hostname"] = cluster.address(node).into();
        expected["name"] = expected["hostname"].clone();
        expected["port"] = cluster.port.into();
        assert_eq!(servers[node as usize], expected);
    }
    let played = run(&mut console(&[text(&files.console)]), "listUsers\n").with_code(0);
    assert_eq!(listed(&played.stdout).len(), 3);
    assert_eq!(played.stderr, "");
    files.configure(&["--cmu", &cluster.address(0), "--port", &cluster.port.to_string()]).with_code(0);
    assert_eq!(files.servers(), servers);
    assert_eq!(files.names(), [".client", ".client.bak", ".client.bak2", ".cmu", ".cmu.bak"]);
}

#[test]
fn all_members_are_found_by_the_clients_file() {
    let cluster = Cluster::new(3);
    let _daemon = cluster.run();
    let files = Files::of(&cluster);
    let client = files.client_text().replace("10.10.4.20", &cluster.address(1));
    fs::write(&files.client, &client).unwrap();
    files.configure(&["-m"]).with_code(1);
    for (arguments, port) in [(&["-m", "-i", "7", "--port"][..], Some(cluster.port)), (&["-m"], None)] {
        let port = port.map(|port| port.to_string());
        let arguments: Vec<&str> = arguments.iter().copied().chain(port.as_deref()).collect();
        let ended = files.configure(&arguments).with_code(0);
        assert_eq!(ended.stdout, format!("Updating server config in {}\n", files.console.display()));
        let found: Vec<_> = files.servers().iter().map(|server| server["hostname"].clone()).collect();
        assert_eq!(found, [0, 1, 2].map(|node| cluster.address(node)));
        fs::write(&files.client, client.replace("2223", &cluster.port.to_string())).unwrap();
        fs::copy(files.path(".cmu.bak"), &files.console).unwrap();
    }
    assert!(!files.names().contains(&".client.bak".to_owned()), "{:?}", files.names());
}

#[test]
fn a_client_certificate_goes_to_every_server() {
    must_be_installed("openssl");
    let files = Files::new();
    files.make_pair("mine");
    let ended = files.configure_here(&["--ssl", "--pkey", "mine.key", "--cert", "mine.crt"]).with_code(0);
    assert_eq!(ended.stdout, files.announcement("ssl"));
    let [certificate, pkey] = ["mine.crt", "mine.key"].map(|name| text(&files.path(name)).to_owned());
    for server in files.servers() {
        assert_eq!(
            (&server["certificate"], &server["pkey"]),
            (&certificate.as_str().into(), &pkey.as_str().into())
        );
    }
    let client = files.read(".client.bak").replace("/opt/cloudhsm/etc/client.crt", &certificate);
    assert_eq!(files.client_text(), client.replace("/opt/cloudhsm/etc/client.key", &pkey));
}

#[test]
fn a_certificate_that_no_connection_can_be_made_with_is_refused() {
    must_be_installed("openssl");
    let files = Files::new();
    files.make_pair("mine");
    files.make_pair("other");
    openssl(
        files.folder(),
        &["pkey", "-in", "mine.key", "-aes256", "-passout", "pass:x", "-out", "locked.key"],
    );
    fs::write(files.path("empty"), "").unwrap();
    for (cert, pkey, reason) in [
        ("mine.crt", "other.key", "the private key is not the certificate's"),
        ("mine.crt", "locked.key", "locked.key: the private key is encrypted"),
        ("mine.crt", "absent.key", "absent.key: No such file"),
        ("mine.crt", "mine.crt", "mine.crt: no PEM private key in the file"),
        ("empty", "mine.key", "empty: no PEM certificate in the file"),
    ] {
        let refused = files.refuse(&["--ssl", "--pkey", pkey, "--cert", cert]);
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn a_template_is_a_whole_file() {
    for (arguments, file) in [
        (&["--template"][..], "cloudhsm_mgmt_util.cfg"),
        (&["--template", "cmu"], "cloudhsm_mgmt_util.cfg"),
        (&["--template", "client"], "cloudhsm_client.cfg"),
    ] {
        let printed = run(&mut configure(arguments), "").with_code(0).stdout;
        assert_eq!(printed, fs::read_to_string(Path::new("config").join(file)).unwrap());
    }
}

fn sorted(path: &Path) -> String {
    jq(".", path)
}

fn jq(filter: &str, path: &Path) -> String {
    let output = Command::new("jq").args(["-S", filter, text(path)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
