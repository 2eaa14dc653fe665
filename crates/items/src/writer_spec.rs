//! What a `ResultWriter` says, checked.

use serde_json::Value;

use crate::error::ItemsError;
use crate::reader_spec::Fields;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterSpec {
    /// Absent where the results are only given another form, and are the state's result themselves.
    pub destination: Option<Destination>,
    pub config: WriterConfig,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub bucket: String,
    /// Empty, or without a `/` at its end.
    pub prefix: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterConfig {
    pub transformation: Transformation,
    pub output_type: OutputType,
}

/// What a file says of a child execution that has succeeded. Of others it says everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transformation {
    /// Everything: name, times, input and output.
    #[default]
    None,
    /// Its output.
    Compact,
    /// The elements of its output, where that is an array; else its output.
    Flatten,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputType {
    /// One array.
    #[default]
    Json,
    /// One value a line.
    JsonLines,
}

impl WriterSpec {
    /// Reads the fields of a `ResultWriter` whose paths and expressions have been evaluated.
    ///
    /// # Errors
    /// `States.Runtime` for a resource, a value or a combination that does not exist.
    pub fn parse(
        resource: Option<&str>,
        parameters: Option<&Value>,
        config: Option<&Value>,
    ) -> Result<Self, ItemsError> {
        let destination = match (resource.map(|resource| resource.rsplit_once(":::")), parameters) {
            (None, None) if config.is_some() => None,
            (Some(Some((_, "s3:putObject"))), Some(parameters)) => {
                let fields = Fields::of(parameters, "Parameters")?;
                let prefix = fields.text("Prefix")?.unwrap_or_default();
                let prefix = prefix.strip_suffix('/').unwrap_or(&prefix).to_owned();
                Some(Destination { bucket: fields.required("Bucket")?, prefix })
            }
            (Some(_), Some(_)) => {
                let cause =
                    "The ResultWriter's Resource is not supported: it is arn:aws:states:::s3:putObject.";
                return Err(ItemsError::runtime(cause));
            }
            _ => {
                let cause =
                    "A ResultWriter has a WriterConfig, or a Resource and Parameters, or all of them.";
                return Err(ItemsError::runtime(cause));
            }
        };
        let config = match config {
            None => WriterConfig::default(),
            Some(config) => read_config(config)?,
        };
        Ok(Self { destination, config })
    }
}

fn read_config(config: &Value) -> Result<WriterConfig, ItemsError> {
    let fields = Fields::of(config, "WriterConfig")?;
    let transformations = [
        ("NONE", Transformation::None),
        ("COMPACT", Transformation::Compact),
        ("FLATTEN", Transformation::Flatten),
    ];
    Ok(WriterConfig {
        transformation: fields.choice("Transformation", &transformations)?.unwrap_or_default(),
        output_type: fields
            .choice("OutputType", &[("JSON", OutputType::Json), ("JSONL", OutputType::JsonLines)])?
            .unwrap_or_default(),
    })
}
