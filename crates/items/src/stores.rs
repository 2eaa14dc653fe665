//! Which bucket names there are, and what is behind each.
//!
//! A definition that was written for AWS names buckets. `[stores]` in `faastlane.toml` says what each stands for: a
//! folder, or a bucket of a service that speaks S3. A bucket may also be named as `file:///absolute/folder`.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a bucket's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// An absolute folder; an object's key is a path below it. Keys with `..` are refused; symbolic links, which whoever
    /// owns the folder has put there, are followed when one names a file.
    Folder(PathBuf),
    S3(S3Store),
}

/// A bucket of a service that speaks S3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct S3Store {
    /// `http://127.0.0.1:9000`; without it, AWS. Addressed as `endpoint/bucket/key`.
    pub endpoint: Option<String>,
    /// Without it, `AWS_REGION` or `AWS_DEFAULT_REGION`, else `us-east-1`.
    pub region: Option<String>,
    /// The bucket's name over there; without it, the name in the definition.
    pub bucket: Option<String>,
    /// Requests are not signed: for public buckets.
    pub anonymous: bool,
}

/// The buckets there are, and the environment that holds the credentials for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stores {
    /// By the name that a definition uses.
    pub by_name: BTreeMap<String, Store>,
    /// The environment's variables, of which those that start with `AWS_` are looked at: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and those of containers and web identities.
    pub environment: BTreeMap<String, String>,
}

impl Stores {
    /// What `bucket` stands for; `None` if nobody said.
    pub fn find(&self, bucket: &str) -> Option<Store> {
        if let Some(folder) = bucket.strip_prefix("file://") {
            let folder = PathBuf::from(folder);
            return folder.is_absolute().then_some(Store::Folder(folder));
        }
        self.by_name.get(bucket).cloned()
    }
}
