//! `ResultWriter`: the results of child executions into files, one after the other, and a manifest of the files.

use faastlane_payload::Payload;
use serde_json::{Value, json};

use crate::bucket::{Bucket, Upload};
use crate::error::ItemsError;
use crate::result_record::{ChildResult, ChildStatus, MapRun};
use crate::stores::Stores;
use crate::writer_spec::{Destination, OutputType, WriterConfig};

/// Writes `<prefix>/<map run>/SUCCEEDED_0.json`, `FAILED_0.json`, `PENDING_0.json`, their successors where one would
/// become too large, and `manifest.json`.
///
/// A file can be seen when it is whole. One that is given up, because an error came or the writer was dropped, is
/// never seen.
pub struct ResultWriter {
    bucket: Bucket,
    config: WriterConfig,
    run: MapRun,
    /// Ends with `/`.
    folder: String,
    max_file_bytes: u64,
    /// In the order of the manifest.
    series: [Series; 3],
}

/// The files of one status.
struct Series {
    status: &'static str,
    current: Option<OpenFile>,
    /// Keys and bytes.
    finished: Vec<(String, u64)>,
}

struct OpenFile {
    key: String,
    upload: Upload,
    bytes: u64,
}

impl ResultWriter {
    /// What Step Functions allows of one file, in bytes.
    pub const MAX_FILE_BYTES: u64 = 5_000_000_000;

    /// Opens the bucket; nothing is written yet.
    ///
    /// # Errors
    /// `States.ResultWriterFailed`: there is no such bucket.
    pub fn open(
        destination: &Destination,
        config: WriterConfig,
        stores: &Stores,
        run: MapRun,
        max_file_bytes: u64,
    ) -> Result<Self, ItemsError> {
        let bucket = Bucket::open(stores, &destination.bucket).map_err(ItemsError::writer)?;
        let separator = if destination.prefix.is_empty() { "" } else { "/" };
        let folder = format!("{}{separator}{}/", destination.prefix, run.id());
        let series = ["FAILED", "PENDING", "SUCCEEDED"].map(|status| Series {
            status,
            current: None,
            finished: Vec::new(),
        });
        Ok(Self { bucket, config, run, folder, max_file_bytes, series })
    }

    /// Adds one child execution to the file of its status.
    ///
    /// # Errors
    /// `States.ResultWriterFailed`.
    pub fn write(&mut self, child: &ChildResult) -> Result<(), ItemsError> {
        let records = child
            .records(&self.run, self.config.transformation)
            .map_err(|error| ItemsError::writer(format!("A result cannot be written: {error}.")))?;
        let series = match child.status {
            ChildStatus::Succeeded { .. } => 2,
            ChildStatus::Pending => 1,
            ChildStatus::Failed { .. } | ChildStatus::TimedOut { .. } | ChildStatus::Aborted => 0,
        };
        for record in records {
            self.write_record(series, record)?;
        }
        Ok(())
    }

    fn write_record(&mut self, series: usize, record: Value) -> Result<(), ItemsError> {
        let text = Payload::from_value(record).to_json();
        let text =
            text.map_err(|error| ItemsError::writer(format!("A result cannot be written: {error}.")))?;
        let (before_first, between, after_last, extension) = match self.config.output_type {
            OutputType::Json => ("[", ",", "]", "json"),
            OutputType::JsonLines => ("", "\n", "\n", "jsonl"),
        };
        let (bucket, limit) = (&self.bucket, self.max_file_bytes);
        let series = &mut self.series[series];
        let with_record =
            |file: &OpenFile| file.bytes + (between.len() + text.len() + after_last.len()) as u64;
        if series.current.as_ref().is_some_and(|file| with_record(file) > limit) {
            series.finish(bucket, after_last)?;
        }
        let mut bytes = Vec::with_capacity(text.len() + 1);
        let file = match &mut series.current {
            Some(file) => {
                bytes.extend_from_slice(between.as_bytes());
                file
            }
            None => {
                bytes.extend_from_slice(before_first.as_bytes());
                let key = format!("{}{}_{}.{extension}", self.folder, series.status, series.finished.len());
                let upload = bucket.write(&key).map_err(ItemsError::writer)?;
                series.current.insert(OpenFile { key, upload, bytes: 0 })
            }
        };
        bytes.extend_from_slice(text.as_bytes());
        file.append(bucket, bytes)
    }

    /// Ends the files and writes the manifest. What comes back is the Map state's result:
    /// `{"MapRunArn": …, "ResultWriterDetails": {"Bucket": …, "Key": …}}`.
    ///
    /// # Errors
    /// `States.ResultWriterFailed`.
    pub fn finish(mut self) -> Result<Payload, ItemsError> {
        let after_last = match self.config.output_type {
            OutputType::Json => "]",
            OutputType::JsonLines => "\n",
        };
        for series in &mut self.series {
            series.finish(&self.bucket, after_last)?;
        }
        let files = self.series.iter().map(|series| {
            let files = series.finished.iter().map(|(key, bytes)| json!({ "Key": key, "Size": bytes }));
            (series.status.to_owned(), Value::Array(files.collect()))
        });
        let manifest = json!({
            "DestinationBucket": self.bucket.name,
            "MapRunArn": self.run.arn,
            "ResultFiles": Value::Object(files.collect()),
        });
        let key = format!("{}manifest.json", self.folder);
        let upload = self.bucket.write(&key).map_err(ItemsError::writer)?;
        let mut file = OpenFile { key, upload, bytes: 0 };
        file.append(&self.bucket, manifest.to_string().into_bytes())?;
        let (key, _) = file.finish(&self.bucket)?;
        Ok(Payload::from_value(json!({
            "MapRunArn": self.run.arn,
            "ResultWriterDetails": { "Bucket": self.bucket.name, "Key": key },
        })))
    }
}

impl Drop for ResultWriter {
    fn drop(&mut self) {
        for file in self.series.iter_mut().filter_map(|series| series.current.take()) {
            file.upload.abort();
        }
    }
}

impl Series {
    fn finish(&mut self, bucket: &Bucket, after_last: &str) -> Result<(), ItemsError> {
        let Some(mut file) = self.current.take() else { return Ok(()) };
        file.append(bucket, after_last.as_bytes().to_vec())?;
        self.finished.push(file.finish(bucket)?);
        Ok(())
    }
}

impl OpenFile {
    fn append(&mut self, bucket: &Bucket, bytes: Vec<u8>) -> Result<(), ItemsError> {
        self.bytes += bytes.len() as u64;
        self.upload.write(bytes).map_err(|error| ItemsError::writer(bucket.explain(&error, &self.key)))
    }

    /// Key and bytes.
    fn finish(self, bucket: &Bucket) -> Result<(String, u64), ItemsError> {
        match self.upload.finish() {
            Ok(()) => Ok((self.key, self.bytes)),
            Err(error) => {
                let place = bucket.uri(&self.key);
                Err(ItemsError::writer(format!("{place} could not be written: {error}.")))
            }
        }
    }
}
