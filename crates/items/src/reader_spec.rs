//! What an `ItemReader` says, checked: `Resource`, `Parameters` (or `Arguments`) and `ReaderConfig` after evaluation.

use serde_json::{Map, Value};

use crate::error::ItemsError;

/// Step Functions' own limit on the items of a Map Run, and what holds without `MaxItems`.
const MOST_ITEMS: u64 = 100_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderSpec {
    pub source: Source,
    pub config: ReaderConfig,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    GetObject(GetObject),
    ListObjects(ListObjects),
}

/// `arn:aws:states:::s3:getObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetObject {
    pub bucket: String,
    pub key: String,
    pub version: Option<String>,
}

/// `arn:aws:states:::s3:listObjectsV2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjects {
    pub bucket: String,
    /// Of keys, not of folders: `folder1` is also the start of `folder10/a`.
    pub prefix: String,
    /// Of a page, not of the whole.
    pub max_keys: Option<usize>,
    /// Only keys that come after it.
    pub start_after: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderConfig {
    /// Of the file that has the items; absent for an inventory, and for a listing whose objects are not read.
    pub format: Option<Format>,
    pub manifest: Option<ManifestType>,
    /// `Transformation: LOAD_AND_FLATTEN`: a listing's objects are read, not only named.
    pub load_and_flatten: bool,
    pub delimiter: CsvDelimiter,
    /// At least 1.
    pub max_items: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Csv {
        delimiter: CsvDelimiter,
        header: CsvHeader,
    },
    /// `pointer` is a JSON Pointer, empty for the whole file.
    Json {
        pointer: String,
    },
    JsonLines,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsvHeader {
    FirstRow,
    Given(Vec<String>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CsvDelimiter {
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Space,
    Tab,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestType {
    AthenaData,
    S3Inventory,
}

impl CsvDelimiter {
    pub(crate) fn byte(self) -> u8 {
        match self {
            CsvDelimiter::Comma => b',',
            CsvDelimiter::Pipe => b'|',
            CsvDelimiter::Semicolon => b';',
            CsvDelimiter::Space => b' ',
            CsvDelimiter::Tab => b'\t',
        }
    }
}

impl ReaderSpec {
    /// Reads the fields of an `ItemReader` whose paths and expressions have been evaluated.
    ///
    /// # Errors
    /// `States.Runtime` for a resource, a value or a combination that does not exist; `States.ItemReaderFailed` for
    /// Parquet, which is not supported.
    pub fn parse(resource: &str, parameters: &Value, config: Option<&Value>) -> Result<Self, ItemsError> {
        let parameters = Fields::of(parameters, "Parameters")?;
        let bucket = parameters.required("Bucket")?;
        let source = match resource.rsplit_once(":::") {
            Some((_, "s3:getObject")) => Source::GetObject(GetObject {
                bucket,
                key: parameters.required("Key")?,
                version: parameters.text("VersionId")?,
            }),
            Some((_, "s3:listObjectsV2")) => Source::ListObjects(ListObjects {
                bucket,
                prefix: parameters.text("Prefix")?.unwrap_or_default(),
                max_keys: parameters.number("MaxKeys")?.and_then(|keys| usize::try_from(keys).ok()),
                start_after: parameters.text("StartAfter")?,
            }),
            _ => {
                let cause = format!(
                    "The ItemReader's Resource `{resource}` is not supported: it is arn:aws:states:::s3:getObject or \
                     arn:aws:states:::s3:listObjectsV2."
                );
                return Err(ItemsError::runtime(cause));
            }
        };
        let config = ReaderConfig::parse(config.unwrap_or(&Value::Null))?;
        let needs_format = match source {
            Source::GetObject(_) => config.manifest != Some(ManifestType::S3Inventory),
            Source::ListObjects(_) => config.load_and_flatten,
        };
        if needs_format && config.format.is_none() {
            return Err(ItemsError::runtime("The ReaderConfig needs an InputType."));
        }
        if matches!(source, Source::ListObjects(_)) && config.manifest.is_some() {
            return Err(ItemsError::runtime(
                "A manifest is read with s3:getObject, not with s3:listObjectsV2.",
            ));
        }
        Ok(Self { source, config })
    }
}

impl ReaderConfig {
    /// Reads a `ReaderConfig`; `null` stands for none.
    ///
    /// # Errors
    /// As [`ReaderSpec::parse`].
    pub fn parse(config: &Value) -> Result<Self, ItemsError> {
        let nothing = Value::Object(Map::new());
        let fields = Fields::of(if config.is_null() { &nothing } else { config }, "ReaderConfig")?;
        let delimiter = fields.choice(
            "CSVDelimiter",
            &[
                ("COMMA", CsvDelimiter::Comma),
                ("PIPE", CsvDelimiter::Pipe),
                ("SEMICOLON", CsvDelimiter::Semicolon),
                ("SPACE", CsvDelimiter::Space),
                ("TAB", CsvDelimiter::Tab),
            ],
        )?;
        let delimiter = delimiter.unwrap_or_default();
        let mut manifest = fields.choice(
            "ManifestType",
            &[("ATHENA_DATA", ManifestType::AthenaData), ("S3_INVENTORY", ManifestType::S3Inventory)],
        )?;
        let format = match fields.text("InputType")?.as_deref() {
            None => None,
            Some("CSV") => Some(Format::Csv { delimiter, header: fields.csv_header()? }),
            Some("JSON") => Some(Format::Json { pointer: fields.pointer()? }),
            Some("JSONL") => Some(Format::JsonLines),
            Some("MANIFEST") => {
                if manifest == Some(ManifestType::AthenaData) {
                    let cause = "ManifestType ATHENA_DATA needs the InputType of the data: CSV or JSONL.";
                    return Err(ItemsError::runtime(cause));
                }
                manifest = Some(ManifestType::S3Inventory);
                None
            }
            Some("PARQUET") => {
                return Err(ItemsError::reader(
                    "InputType PARQUET is not supported: use CSV, JSON or JSONL.",
                ));
            }
            Some(other) => {
                let names = "CSV, JSON, JSONL, MANIFEST, PARQUET";
                return Err(ItemsError::runtime(format!("InputType is `{other}`: it is one of {names}.")));
            }
        };
        if manifest == Some(ManifestType::S3Inventory) && format.is_some() {
            return Err(ItemsError::runtime("ManifestType S3_INVENTORY goes without an InputType."));
        }
        let flatten = fields.choice("Transformation", &[("NONE", false), ("LOAD_AND_FLATTEN", true)])?;
        // Zero stands for no limit of one's own.
        let max_items = fields.number("MaxItems")?.filter(|&items| items > 0).unwrap_or(MOST_ITEMS);
        let max_items = max_items.min(MOST_ITEMS);
        Ok(Self { format, manifest, load_and_flatten: flatten.unwrap_or(false), delimiter, max_items })
    }
}

/// The members of an object, each read with its type.
pub(crate) struct Fields<'a> {
    members: &'a Map<String, Value>,
    what: &'static str,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, what: &'static str) -> Result<Self, ItemsError> {
        match value.as_object() {
            Some(members) => Ok(Self { members, what }),
            None => Err(ItemsError::runtime(format!("{what} is not an object."))),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ItemsError> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<String, ItemsError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| ItemsError::runtime(format!("{} needs `{name}`.", self.what)))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, ItemsError> {
        let Some(value) = self.members.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        // JSONata has one type of numbers, so a whole one may come as 5.0.
        let whole = |number: f64| number.fract() == 0.0 && (0.0..9e15).contains(&number);
        let number = value.as_u64().or_else(|| value.as_f64().filter(|&n| whole(n)).map(|n| n as u64));
        number.map(Some).ok_or_else(|| self.wrong(name, "a whole number that is not negative"))
    }

    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, ItemsError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match choices.iter().find(|(choice, _)| *choice == text) {
            Some((_, chosen)) => Ok(Some(*chosen)),
            None => {
                let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                Err(ItemsError::runtime(format!("{name} is `{text}`: it is one of {}.", names.join(", "))))
            }
        }
    }

    fn csv_header(&self) -> Result<CsvHeader, ItemsError> {
        let headers = self.members.get("CSVHeaders").filter(|headers| !headers.is_null());
        match (self.choice("CSVHeaderLocation", &[("FIRST_ROW", false), ("GIVEN", true)])?, headers) {
            (Some(false), None) => Ok(CsvHeader::FirstRow),
            (Some(true), Some(Value::Array(headers))) => {
                let headers = headers.iter().map(|header| header.as_str().map(str::to_owned));
                let headers = headers.collect::<Option<Vec<_>>>().filter(|headers| !headers.is_empty());
                let headers = headers.ok_or_else(|| self.wrong("CSVHeaders", "an array of strings"))?;
                Ok(CsvHeader::Given(headers))
            }
            (Some(true), Some(_)) => Err(self.wrong("CSVHeaders", "an array of strings")),
            (Some(true), None) => Err(ItemsError::runtime("CSVHeaderLocation GIVEN needs CSVHeaders.")),
            (Some(false), Some(_)) => {
                Err(ItemsError::runtime("CSVHeaders goes with CSVHeaderLocation GIVEN, not FIRST_ROW."))
            }
            (None, _) => {
                Err(ItemsError::runtime("InputType CSV needs CSVHeaderLocation: FIRST_ROW or GIVEN."))
            }
        }
    }

    fn pointer(&self) -> Result<String, ItemsError> {
        let pointer = self.text("ItemsPointer")?.unwrap_or_default();
        if pointer.is_empty() || pointer.starts_with('/') {
            return Ok(pointer);
        }
        Err(ItemsError::runtime(format!(
            "ItemsPointer `{pointer}` is not a JSON Pointer: it starts with `/`."
        )))
    }

    fn wrong(&self, name: &str, expected: &str) -> ItemsError {
        ItemsError::runtime(format!("`{name}` in {} is not {expected}.", self.what))
    }
}
