//! One bucket: a folder or a bucket of a service that speaks S3, behind one interface that blocks.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetResultPayload, ObjectStore, RetryConfig};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use crate::object_reader::ObjectReader;
use crate::runtime;
use crate::stores::{S3Store, Store, Stores};

/// Bytes of a part of an upload. S3 takes 10,000 parts, so 5 GB fit more than ten times.
const PART_BYTES: usize = 8 << 20;
/// Parts that are on their way at once.
const PARTS_AT_ONCE: usize = 2;
/// How long a request that fails for a passing reason is tried again.
const RETRY_FOR: Duration = Duration::from_secs(30);
const RETRIES: usize = 4;

pub(crate) struct Bucket {
    /// As the definition names it.
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) runtime: Arc<Runtime>,
}

pub(crate) enum Place {
    Folder { root: PathBuf, store: Arc<LocalFileSystem> },
    S3(Arc<AmazonS3>),
}

/// Why a bucket does not do what was asked, as a cause. Whether it failed a reader or a writer is the caller's to say.
pub(crate) type Refusal = String;

impl Bucket {
    pub(crate) fn open(stores: &Stores, name: &str) -> Result<Self, Refusal> {
        // Before any client is made: it wants the cryptography that this chooses.
        let runtime =
            runtime::shared().map_err(|error| format!("No event queue for the network: {error}."))?;
        let place = match stores.find(name) {
            Some(Store::Folder(root)) => open_folder(name, root)?,
            Some(Store::S3(store)) => open_s3(stores, name, &store)?,
            None => return Err(no_such_bucket(name)),
        };
        Ok(Self { name: name.to_owned(), place, runtime })
    }

    /// `s3://bucket/key`, as the context object's `Map.Item.Source` has it; `s3://bucket` without a key.
    pub(crate) fn uri(&self, key: &str) -> String {
        let separator = if key.is_empty() { "" } else { "/" };
        match self.name.strip_prefix("file://") {
            Some(_) => format!("{}{separator}{key}", self.name.trim_end_matches('/')),
            None => format!("s3://{}{separator}{key}", self.name),
        }
    }

    /// The bytes of an object, which are asked for as they are read.
    pub(crate) fn read(&self, key: &str, version: Option<&str>) -> Result<Box<dyn Read + Send>, Refusal> {
        let path = self.path(key)?;
        if version.is_some() && matches!(self.place, Place::Folder { .. }) {
            return Err(format!(
                "`{}` is a folder, whose files have no versions: leave out VersionId.",
                self.name
            ));
        }
        let options = GetOptions { version: version.map(str::to_owned), ..GetOptions::default() };
        let result = self.runtime.block_on(self.store().get_opts(&path, options));
        match result.map_err(|error| self.explain(&error, key))?.payload {
            GetResultPayload::File(file, _) => Ok(Box::new(file)),
            GetResultPayload::Stream(chunks) => {
                Ok(Box::new(ObjectReader::new(Arc::clone(&self.runtime), chunks)))
            }
        }
    }

    /// A new object, which can be seen when it is finished and not before.
    pub(crate) fn write(&self, key: &str) -> Result<Upload, Refusal> {
        let path = self.path(key)?;
        let writer =
            BufWriter::with_capacity(self.store(), path, PART_BYTES).with_max_concurrency(PARTS_AT_ONCE);
        Ok(Upload { runtime: Arc::clone(&self.runtime), writer })
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        match &self.place {
            Place::Folder { store, .. } => Arc::clone(store) as Arc<dyn ObjectStore>,
            Place::S3(store) => Arc::clone(store) as Arc<dyn ObjectStore>,
        }
    }

    /// A key as a path in the bucket. `..` and empty parts are no path, so that none leads out of a folder.
    fn path(&self, key: &str) -> Result<Path, Refusal> {
        Path::parse(key).map_err(|error| format!("The key `{key}` is refused in `{}`: {error}.", self.name))
    }

    /// What a store says, in Step Functions' words where they are known.
    pub(crate) fn explain(&self, error: &Error, key: &str) -> Refusal {
        let name = &self.name;
        let place =
            if key.is_empty() { format!("Bucket: {name}") } else { format!("Bucket: {name}, Key: {key}") };
        let words = match error {
            Error::NotFound { .. } if error.to_string().contains("NoSuchBucket") => {
                return no_such_bucket(name);
            }
            Error::NotFound { .. } => ("The specified key does not exist.", 404, "NoSuchKey"),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                ("Access Denied", 403, "AccessDenied")
            }
            _ => return format!("{} {place}", one_line(error)),
        };
        let (sentence, status, code) = words;
        format!("{sentence} (Service: Amazon S3; Status Code: {status}; Error Code: {code}) {place}")
    }
}

/// An object that is being written.
pub(crate) struct Upload {
    runtime: Arc<Runtime>,
    writer: BufWriter,
}

impl Upload {
    pub(crate) fn write(&mut self, bytes: Vec<u8>) -> object_store::Result<()> {
        self.runtime.block_on(self.writer.put(bytes.into()))
    }

    pub(crate) fn finish(mut self) -> std::io::Result<()> {
        self.runtime.block_on(self.writer.shutdown())
    }

    /// Gives up what has been sent, so that the service does not keep parts of it.
    pub(crate) fn abort(mut self) {
        // That the object was not written is known already; parts that stay behind are the service's to clean up.
        let _ = self.runtime.block_on(self.writer.abort());
    }
}

fn open_folder(name: &str, root: PathBuf) -> Result<Place, Refusal> {
    match LocalFileSystem::new_with_prefix(&root) {
        Ok(store) => Ok(Place::Folder { root, store: Arc::new(store) }),
        Err(_) => Err(format!("The bucket `{name}` is the folder {}, which is not there.", root.display())),
    }
}

fn open_s3(stores: &Stores, name: &str, s3: &S3Store) -> Result<Place, Refusal> {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new().with_retry(retry);
    for (key, value) in &stores.environment {
        let setting =
            key.starts_with("AWS_").then(|| key.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().ok());
        if let Some(setting) = setting.flatten() {
            builder = builder.with_config(setting, value);
        }
    }
    // What the project file says goes before what the environment says.
    if let Some(endpoint) = &s3.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_virtual_hosted_style_request(false);
    }
    if let Some(region) = &s3.region {
        builder = builder.with_region(region);
    }
    if s3.anonymous {
        builder = builder.with_skip_signature(true);
    }
    builder = builder.with_bucket_name(s3.bucket.as_deref().unwrap_or(name));
    match builder.build() {
        Ok(store) => Ok(Place::S3(Arc::new(store))),
        Err(error) => Err(format!("The bucket `{name}` cannot be used: {}.", one_line(&error))),
    }
}

fn no_such_bucket(name: &str) -> Refusal {
    format!(
        "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket) \
         Bucket: {name}. Say what it stands for under [stores] in faastlane.toml."
    )
}

fn one_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
