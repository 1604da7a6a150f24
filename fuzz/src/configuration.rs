//! Configuration files, as programs read them and as `configure` changes them.

use std::fs;
use std::path::Path;

use cloudhsm::config::ClientConfig;
use cloudhsm::config::Config;
use cloudhsm::configure::{Files, HostPort, Update};
use cloudhsm::wire::Limits;
use futures_util::FutureExt;
use serde_json::Value;

const HOST: &str = "192.0.2.1";
const PORT: u16 = 2226;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    console(text);
    client(text);
}

/// What can be read can be edited: one server remains, a copy of an earlier one, and everything else stays.
fn console(text: &str) {
    let read = Config::from_text(Path::new(""), text);
    let changed = configured(text, |path| Files { client: None, console: Some(path.into()) });
    let is_of_objects = |servers: &Vec<Value>| servers.iter().all(Value::is_object);
    if strict(text).is_none_or(|json| !json["servers"].as_array().is_some_and(is_of_objects)) {
        return;
    }
    assert_eq!(changed.is_some(), read.is_ok());
    let (Some(changed), Ok(read)) = (changed, read) else { return };
    let servers: Vec<_> = Config::from_text(Path::new(""), &changed).unwrap().servers().cloned().collect();
    let [server] = servers.as_slice() else { panic!("{} servers in {changed}", servers.len()) };
    assert_eq!((server.hostname.as_str(), server.name(), server.port), (HOST, HOST, PORT));
    assert!(read.servers().any(|old| old.certificate == server.certificate && old.pkey == server.pkey));
    let (mut before, mut after) = (json(text), json(&changed));
    before["servers"] = Value::Null;
    after["servers"] = Value::Null;
    assert_eq!(after, before);
    let (start, end) = around_servers(&tokens(text));
    let (new_start, new_end) = around_servers(&tokens(&changed));
    assert_eq!((new_start, new_end), (start, end));
}

/// What can be read can be edited: two values change, and not a blank besides.
fn client(text: &str) {
    let read = ClientConfig::from_text(Path::new(""), text);
    let changed = configured(text, |path| Files { client: Some(path.into()), console: None });
    if strict(text).is_none_or(|json| !json["server"].is_object()) {
        return;
    }
    assert_eq!(changed.is_some(), read.is_ok());
    let Some(changed) = changed else { return };
    let server = ClientConfig::from_text(Path::new(""), &changed).unwrap().server();
    assert_eq!((server.hostname.as_str(), server.port), (HOST, PORT));
    let mut before = json(text);
    before["server"]["hostname"] = HOST.into();
    before["server"]["port"] = PORT.into();
    assert_eq!(json(&changed), before);
    let (before, after) = (tokens(text), tokens(&changed));
    assert_eq!(before.len(), after.len());
    let other = before.iter().zip(&after).filter(|(before, after)| before != after).map(|(_, after)| *after);
    assert!(other.clone().count() <= 2);
    assert!(other.into_iter().all(|new| new == format!("{HOST:?}") || new == PORT.to_string()));
}

/// The file's text after `configure -a`; `None` if that fails, which leaves the file as it is.
fn configured(text: &str, files: impl Fn(&Path) -> Files) -> Option<String> {
    let path = super::file("configured", text.as_bytes());
    let configure = || {
        let update = Update::Server(HostPort { hostname: HOST.to_owned(), port: PORT });
        let prepared = files(&path).prepare(&update, Limits::default()).now_or_never().unwrap();
        prepared.map(|changes| changes.into_iter().for_each(|change| change.make().unwrap()))
    };
    let done = configure();
    let after = fs::read_to_string(&path).unwrap();
    if done.is_err() {
        assert_eq!(after, text);
        return None;
    }
    assert!(after.contains(HOST), "nothing was changed");
    let backup = path.with_extension("bak");
    assert_eq!(fs::read_to_string(&backup).unwrap_or_else(|_| after.clone()), text);
    // A second time changes nothing.
    configure().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
    let _ = fs::remove_file(backup);
    Some(after)
}

fn json(text: &str) -> Value {
    strict(text).unwrap()
}

/// Parses an object, the ignored keys included.
fn strict(text: &str) -> Option<Value> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok().filter(Value::is_object)
}

/// Splits JSON into strings, blanks and everything else.
fn tokens(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string(rest),
            ' ' | '\t' | '\r' | '\n' => rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len(),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest.find([' ', '\t', '\r', '\n', '{', '}', '[', ']', ',', ':', '"']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// The length of a string with its quotes, in bytes.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, character)| {
        let ends = *character == '"' && !is_escaped;
        is_escaped = *character == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// The tokens before and after the array of servers.
fn around_servers<'a>(tokens: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut depth, mut start, mut end) = (0_usize, None, None);
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "{" | "[" => depth += 1,
            "}" | "]" => depth -= 1,
            key if depth == 1 && is_servers(key) && start.is_none() => start = Some(at),
            _ => {}
        }
        if depth == 1 && *token == "]" && start.is_some() && end.is_none() {
            end = Some(at);
        }
    }
    (tokens[..start.unwrap()].to_vec(), tokens[end.unwrap()..].to_vec())
}

/// Whether this is the key `servers`, however it is escaped.
fn is_servers(token: &str) -> bool {
    serde_json::from_str::<String>(token).is_ok_and(|key| key == "servers")
}
