//! The items of a distributed Map, one after the other.

use std::io::Read;
use std::sync::Arc;

use faastlane_payload::Payload;

use crate::bucket::Bucket;
use crate::csv_rows::CsvRows;
use crate::decompress::decompressed;
use crate::error::ItemsError;
use crate::json_items::{Entry, JsonItems};
use crate::json_lines::JsonLines;
use crate::listing::Listing;
use crate::manifest::{AthenaFiles, inventory};
use crate::reader_spec::{Format, GetObject, ManifestType, ReaderConfig, ReaderSpec, Source};
use crate::stores::Stores;

/// One item, and what the context object says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// `Map.Item.Value`.
    pub value: Payload,
    /// `Map.Item.Key`: the member's name, where the data set is an object.
    pub key: Option<String>,
    /// `Map.Item.Source`: `s3://bucket/key`, or `s3://bucket` for a listing's objects.
    pub source: Arc<str>,
}

/// What one item may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an item's text in its file. Step Functions reads items of up to 8 MB, and lets the `ItemSelector`
    /// make them fit a child's input, which is for the caller to check.
    pub max_item_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_item_bytes: 8 << 20 }
    }
}

type Entries = Box<dyn Iterator<Item = Result<Entry, ItemsError>> + Send>;
type Inner = Box<dyn Iterator<Item = Result<Item, ItemsError>> + Send>;

/// The items, read as they are asked for. Ends after the first error, and after `MaxItems`.
pub struct Items {
    inner: Inner,
    left: u64,
}

impl Iterator for Items {
    type Item = Result<Item, ItemsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let item = self.inner.next();
        self.left = if matches!(item, Some(Ok(_))) { self.left - 1 } else { 0 };
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, usize::try_from(self.left).ok())
    }
}

/// Opens what an `ItemReader` reads. Only as much is read as is needed to find out that there are items.
///
/// # Errors
/// `States.ItemReaderFailed`: a bucket or an object that is not there or may not be read, or a file that is not what
/// it should be. What is wrong further on comes from [`Items`], `States.DataLimitExceeded` among it.
pub fn open(spec: &ReaderSpec, stores: &Stores, limits: Limits) -> Result<Items, ItemsError> {
    let config = &spec.config;
    let inner = match &spec.source {
        Source::GetObject(object) => {
            let bucket = open_bucket(stores, &object.bucket)?;
            match config.manifest {
                None => {
                    items_of_object(&bucket, &object.key, object.version.as_deref(), format(config)?, limits)?
                }
                Some(ManifestType::S3Inventory) => of_inventory(bucket, object, config, limits)?,
                Some(ManifestType::AthenaData) => of_athena(bucket, object, config, stores.clone(), limits)?,
            }
        }
        Source::ListObjects(request) => {
            let bucket = open_bucket(stores, &request.bucket)?;
            let objects = Listing::new(Arc::clone(&bucket), request.clone())?;
            if config.load_and_flatten {
                let format = format(config)?.clone();
                // What the console makes for a folder is an object without bytes. It has no items.
                let objects = objects.filter(|object| object.as_ref().map_or(true, |object| object.size > 0));
                flattened(objects, move |object| items_of_object(&bucket, &object.key, None, &format, limits))
            } else {
                let source: Arc<str> = bucket.uri("").into();
                Box::new(objects.map(move |object| {
                    Ok(Item { value: object?.metadata(), key: None, source: Arc::clone(&source) })
                }))
            }
        }
    };
    Ok(Items { inner, left: config.max_items })
}

/// The items in the bytes of a file, for a config without a manifest. For bytes that are at hand (a test's data set),
/// and for fuzzing.
///
/// # Errors
/// As [`open`].
pub fn items_in(
    bytes: impl Read + Send + 'static,
    config: &ReaderConfig,
    source: &str,
    limits: Limits,
) -> Result<Items, ItemsError> {
    let entries = entries(Box::new(bytes), format(config)?, limits).map_err(|error| error.at(source))?;
    Ok(Items { inner: with_source(entries, source.into()), left: config.max_items })
}

fn format(config: &ReaderConfig) -> Result<&Format, ItemsError> {
    config.format.as_ref().ok_or_else(|| ItemsError::runtime("The ReaderConfig needs an InputType."))
}

fn open_bucket(stores: &Stores, name: &str) -> Result<Arc<Bucket>, ItemsError> {
    Bucket::open(stores, name).map(Arc::new).map_err(ItemsError::reader)
}

fn bytes_of(bucket: &Bucket, key: &str, version: Option<&str>) -> Result<Box<dyn Read + Send>, ItemsError> {
    let bytes = bucket.read(key, version).map_err(ItemsError::reader)?;
    decompressed(key, bytes)
        .map_err(|error| ItemsError::reader(format!("{} cannot be decompressed: {error}.", bucket.uri(key))))
}

fn items_of_object(
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
    format: &Format,
    limits: Limits,
) -> Result<Inner, ItemsError> {
    let bytes = bytes_of(bucket, key, version)?;
    let source = bucket.uri(key);
    let entries = entries(bytes, format, limits).map_err(|error| error.at(&source))?;
    Ok(with_source(entries, source.into()))
}

fn with_source(entries: Entries, source: Arc<str>) -> Inner {
    Box::new(entries.map(move |entry| match entry {
        Ok((key, value)) => Ok(Item { value, key, source: Arc::clone(&source) }),
        Err(error) => Err(error.at(&source)),
    }))
}

fn entries(bytes: Box<dyn Read + Send>, format: &Format, limits: Limits) -> Result<Entries, ItemsError> {
    let limit = limits.max_item_bytes;
    let nameless = |value: Result<Payload, ItemsError>| value.map(|value| (None, value));
    Ok(match format {
        Format::Csv { delimiter, header } => {
            Box::new(CsvRows::new(bytes, delimiter.byte(), header, limit)?.map(nameless))
        }
        Format::Json { pointer } => Box::new(JsonItems::new(bytes, pointer, limit)?),
        Format::JsonLines => Box::new(JsonLines::new(bytes, limit).map(nameless)),
    })
}

fn of_inventory(
    bucket: Arc<Bucket>,
    manifest: &GetObject,
    config: &ReaderConfig,
    limits: Limits,
) -> Result<Inner, ItemsError> {
    let bytes = bytes_of(&bucket, &manifest.key, manifest.version.as_deref())?;
    let (keys, format) =
        inventory(bytes, config.delimiter).map_err(|error| error.at(&bucket.uri(&manifest.key)))?;
    Ok(flattened(keys.into_iter().map(Ok), move |key| items_of_object(&bucket, &key, None, &format, limits)))
}

fn of_athena(
    bucket: Arc<Bucket>,
    manifest: &GetObject,
    config: &ReaderConfig,
    stores: Stores,
    limits: Limits,
) -> Result<Inner, ItemsError> {
    let format = format(config)?.clone();
    let files = AthenaFiles::new(bytes_of(&bucket, &manifest.key, manifest.version.as_deref())?);
    Ok(flattened(files, move |(name, key)| {
        // A folder that the definition names outright stands for the bucket that the manifest names.
        let stands_in = bucket.name.starts_with("file://") && stores.find(&name).is_none();
        let bucket =
            if name == bucket.name || stands_in { Arc::clone(&bucket) } else { open_bucket(&stores, &name)? };
        items_of_object(&bucket, &key, None, &format, limits)
    }))
}

/// The items of many files as one sequence; each file is opened when the one before it has ended.
fn flattened<T>(
    files: impl Iterator<Item = Result<T, ItemsError>> + Send + 'static,
    open: impl Fn(T) -> Result<Inner, ItemsError> + Send + 'static,
) -> Inner {
    let of_file = move |file: Result<T, ItemsError>| {
        file.and_then(&open).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    };
    Box::new(files.flat_map(of_file))
}
