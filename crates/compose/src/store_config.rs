//! `[stores]` in `faastlane.toml`: what the buckets are that a definition names.
//!
//! ```toml
//! [stores]
//! my-bucket = "data"                                   # a folder, relative to the workflow's
//! photos = { endpoint = "http://127.0.0.1:9000" }      # a service that speaks S3
//! backup = { region = "eu-west-1", bucket = "backup-2025", anonymous = true }   # AWS; the bucket's name there
//! ```
//!
//! Credentials are not written here: they come from the environment, under AWS's names.

use crate::code;
use crate::toml_reader::{Located, TomlReader, to_span};
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// One bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreConfig {
    /// As a definition names it.
    pub name: Located<String>,
    pub target: StoreTarget,
}

/// What a bucket's name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreTarget {
    /// Absolute, if the workflow's folder is; whether it is there is found out when it is used.
    Folder(PathBuf),
    S3 {
        /// With `http://` or `https://`; without it, AWS.
        endpoint: Option<String>,
        region: Option<String>,
        /// The bucket's name over there, if it is another.
        bucket: Option<String>,
        /// Requests are not signed.
        anonymous: bool,
    },
}

const KEYS: [&str; 4] = ["endpoint", "region", "bucket", "anonymous"];

/// Reads the table; `base` is the workflow's folder.
pub(crate) fn read_stores(
    reader: &mut TomlReader<'_>,
    stores: &DeTable<'_>,
    base: &Path,
) -> Vec<StoreConfig> {
    let mut found = Vec::new();
    for (key, value) in stores {
        let name = key.get_ref().as_ref();
        let target = match value.get_ref() {
            DeValue::String(_) => reader.parse_value(value, name, parse_folder).map(|folder| {
                // Joined to an absolute path, the base has no say.
                StoreTarget::Folder(base.join(folder.value))
            }),
            DeValue::Table(table) => Some(read_s3(reader, table, name)),
            _ => {
                let message = format!("`{name}` is no store");
                let hint = "A store is a folder, or a table with `endpoint` or `region`.".to_owned();
                reader.reject(code::BAD_VALUE, &value.span(), message, "expected a string or a table", hint);
                None
            }
        };
        if let Some(target) = target {
            let name = Located { value: name.to_owned(), span: to_span(&key.span()) };
            found.push(StoreConfig { name, target });
        }
    }
    found
}

fn read_s3(reader: &mut TomlReader<'_>, table: &DeTable<'_>, name: &str) -> StoreTarget {
    reader.known_keys(table, &format!("the store `{name}`"), &KEYS);
    let endpoint = reader.parsed(table, "endpoint", parse_endpoint);
    let region = reader.string(table, "region");
    let bucket = reader.string(table, "bucket");
    let anonymous = reader.boolean(table, "anonymous").unwrap_or(false);
    let value = |located: Option<Located<String>>| located.map(|located| located.value);
    StoreTarget::S3 { endpoint: value(endpoint), region: value(region), bucket: value(bucket), anonymous }
}

fn parse_folder(text: &str) -> Result<String, String> {
    match text {
        "" => Err("expected a folder".to_owned()),
        _ if text.contains("://") => Err("expected a folder; a service is `{ endpoint = \"…\" }`".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

fn parse_endpoint(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace)) {
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => Err("expected http://host:port or https://host".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use faastlane_asl::source::Source;

    type Stores = Vec<(String, StoreTarget)>;
    /// Code and the text under the caret of each.
    type Findings = Vec<(&'static str, String)>;

    fn read(text: &str) -> (Stores, Findings) {
        let (config, findings) = Config::read(&Source::new("faastlane.toml", text), Path::new("/w"));
        let stores = config.stores.into_iter().map(|store| (store.name.value, store.target)).collect();
        let findings = findings.into_iter().map(|finding| {
            let (source, span) = finding.place.unwrap();
            (finding.code, source.text[span.start..span.end].to_owned())
        });
        (stores, findings.collect())
    }

    #[test]
    fn everything_that_can_be_said() {
        let (stores, findings) = read(
            r#"
            [stores]
            in = "data"
            out = "/tmp/out"
            minio = { endpoint = "http://127.0.0.1:9000/", region = "us-east-1" }
            [stores.public]
            bucket = "other"
            anonymous = true
            "#,
        );
        assert_eq!(findings, []);
        let minio = StoreTarget::S3 {
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            region: Some("us-east-1".to_owned()),
            bucket: None,
            anonymous: false,
        };
        let public = StoreTarget::S3 {
            endpoint: None,
            region: None,
            bucket: Some("other".to_owned()),
            anonymous: true,
        };
        let expected = [
            ("in", StoreTarget::Folder("/w/data".into())),
            ("minio", minio),
            ("out", StoreTarget::Folder("/tmp/out".into())),
            ("public", public),
        ];
        assert_eq!(stores, expected.map(|(name, target)| (name.to_owned(), target)));
    }

    #[test]
    fn every_mistake_is_found_at_its_place() {
        let text = "[stores]\na = 1\nb = ''\nc = 's3://b'\nd = { endpont = 'x' }\n\
                    e = { endpoint = '127.0.0.1' }\nf = { anonymous = 'yes' }\n";
        let (_, mut findings) = read(text);
        findings.sort();
        let expected = [
            ("FL0211", "endpont"),
            ("FL0212", "''"),
            ("FL0212", "'127.0.0.1'"),
            ("FL0212", "'s3://b'"),
            ("FL0212", "'yes'"),
            ("FL0212", "1"),
        ];
        assert_eq!(findings, expected.map(|(code, place)| (code, place.to_owned())));
    }
}
