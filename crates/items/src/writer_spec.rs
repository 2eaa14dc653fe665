//! Where a `ResultWriter` writes, checked.

use serde_json::Value;

use crate::error::ItemsError;
use crate::reader_spec::Fields;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub bucket: String,
    /// Empty, or without a `/` at its end.
    pub prefix: String,
}

/// How the records of a file are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputType {
    /// One array.
    #[default]
    Json,
    /// One value a line.
    JsonLines,
}

impl Destination {
    /// Reads the fields of a `ResultWriter` whose paths and expressions have been evaluated.
    ///
    /// # Errors
    /// `States.Runtime` for a resource or a value that does not exist, and without a bucket.
    pub fn parse(resource: &str, parameters: &Value) -> Result<Self, ItemsError> {
        if resource.rsplit_once(":::").is_none_or(|(_, api)| api != "s3:putObject") {
            let cause = "The ResultWriter's Resource is not supported: it is arn:aws:states:::s3:putObject.";
            return Err(ItemsError::runtime(cause));
        }
        let fields = Fields::of(parameters, "Parameters")?;
        let prefix = fields.text("Prefix")?.unwrap_or_default();
        let prefix = prefix.strip_suffix('/').unwrap_or(&prefix).to_owned();
        Ok(Self { bucket: fields.required("Bucket")?, prefix })
    }
}
