//! A strict reader of OpenMetrics text, of as much of it as `hsmd` writes.

use std::collections::{BTreeMap, BTreeSet};

/// A page, read.
pub(crate) struct Page(BTreeMap<String, u64>);

/// A family whose samples are being read.
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
}

impl Page {
    /// Reads every line, and panics at the first that should not be there.
    pub(crate) fn read(text: &str) -> Self {
        let lines = text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("no end: {text}"));
        assert!(lines.ends_with('\n') && !lines.contains("\n\n"), "{text}");
        let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
        let mut lines = lines.lines().peekable();
        while let Some(help) = lines.next() {
            let family = family(help, lines.next().unwrap_or_default());
            assert!(families.insert(family.name.to_owned()), "{help} comes twice");
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                let (sample, value) = sample(line, &family);
                assert!(samples.insert(sample.to_owned(), value).is_none(), "{line} comes twice");
            }
        }
        Self(samples)
    }

    /// The names of all samples, without their labels.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.0.keys().filter_map(|sample| Some(sample.split_once('{')?.0)).collect()
    }

    /// A sample by its name and labels, as they are written.
    #[track_caller]
    pub(crate) fn value(&self, sample: &str) -> u64 {
        *self.0.get(sample).unwrap_or_else(|| panic!("no {sample} in {:?}", self.0))
    }

    /// The values of a family without operations, one for each HSM.
    pub(crate) fn each(&self, name: &str) -> Vec<u64> {
        let start = format!("{name}{{hsm=\"hsm-");
        self.0.iter().filter(|(sample, _)| sample.starts_with(&start)).map(|(_, value)| *value).collect()
    }

    /// How often an operation ended so, one for each HSM.
    pub(crate) fn requests(&self, operation: &str, outcome: &str) -> Vec<u64> {
        let end = format!(",operation=\"{operation}\",outcome=\"{outcome}\"}}");
        self.0.iter().filter(|(sample, _)| sample.ends_with(&end)).map(|(_, value)| *value).collect()
    }
}

fn family<'a>(help: &'a str, kind: &'a str) -> Family<'a> {
    let (name, text) = help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect(help);
    let kind = kind.strip_prefix(&format!("# TYPE {name} ")).expect(kind);
    assert!(is_name(name) && name.starts_with("hsmd_"), "{help}");
    assert!(text.ends_with('.') && !text.contains('\\'), "{help}");
    assert!(["counter", "gauge", "info"].contains(&kind), "{name} {kind}");
    assert!(!["_total", "_info"].iter().any(|suffix| name.ends_with(suffix)), "{help}");
    Family { name, kind }
}

fn sample<'a>(line: &'a str, family: &Family<'_>) -> (&'a str, u64) {
    let (sample, value) = line.rsplit_once(' ').expect(line);
    let (name, labels) = sample.split_once('{').expect(line);
    let suffix = match family.kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    assert_eq!(name, format!("{}{suffix}", family.name), "{line}");
    let mut names = BTreeSet::new();
    for label in labels.strip_suffix('}').expect(line).split(',') {
        let (name, value) = label.split_once('=').expect(line);
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).expect(line);
        assert!(is_name(name) && names.insert(name), "{line}");
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{line}");
    }
    let value = value.parse().expect(line);
    assert!(family.kind != "info" || value == 1, "{line}");
    (sample, value)
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(is_letter)
}
