//! `ResultWriter`: the results of child executions into files, one after the other, and a manifest of the files.

use faastlane_payload::Payload;
use serde_json::{Value, json};

use crate::bucket::{Bucket, Upload};
use crate::error::ItemsError;
use crate::stores::Stores;
use crate::writer_spec::{Destination, OutputType};

/// Which file a record is found in: there is one for each way in which a child execution can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFile {
    /// Of those that failed, timed out or were aborted.
    Failed,
    /// Of those that were never started, because the Map Run ended before.
    Pending,
    Succeeded,
}

/// Writes `<prefix>/<map run>/SUCCEEDED_0.json`, `FAILED_0.json`, `PENDING_0.json`, their successors where one would
/// become too large, and `manifest.json`.
///
/// A file can be seen when it is whole. One that is given up, because an error came or the writer was dropped, is
/// never seen.
pub struct ResultWriter {
    bucket: Bucket,
    output_type: OutputType,
    /// `arn:aws:states:region:account:mapRun:machine/label:id`; what follows the last colon names the folder.
    map_run: String,
    /// Ends with `/`.
    folder: String,
    max_file_bytes: u64,
    /// In the order of [`ResultFile`], which is the manifest's.
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
        output_type: OutputType,
        stores: &Stores,
        map_run: String,
        max_file_bytes: u64,
    ) -> Result<Self, ItemsError> {
        let bucket = Bucket::open(stores, &destination.bucket).map_err(ItemsError::writer)?;
        let separator = if destination.prefix.is_empty() { "" } else { "/" };
        let id = map_run.rsplit_once(':').map_or(&*map_run, |(_, id)| id);
        let folder = format!("{}{separator}{id}/", destination.prefix);
        let series = ["FAILED", "PENDING", "SUCCEEDED"].map(|status| Series {
            status,
            current: None,
            finished: Vec::new(),
        });
        Ok(Self { bucket, output_type, map_run, folder, max_file_bytes, series })
    }

    /// Adds a record of a child execution to a file.
    ///
    /// # Errors
    /// `States.ResultWriterFailed`.
    pub fn write(&mut self, file: ResultFile, record: &Payload) -> Result<(), ItemsError> {
        let text = record
            .to_json()
            .map_err(|error| ItemsError::writer(format!("A result cannot be written: {error}.")))?;
        let (before_first, between, after_last, extension) = match self.output_type {
            OutputType::Json => ("[", ",", "]", "json"),
            OutputType::JsonLines => ("", "\n", "\n", "jsonl"),
        };
        let (bucket, limit) = (&self.bucket, self.max_file_bytes);
        let series = &mut self.series[file as usize];
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
        let after_last = match self.output_type {
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
            "MapRunArn": self.map_run,
            "ResultFiles": Value::Object(files.collect()),
        });
        let key = format!("{}manifest.json", self.folder);
        let upload = self.bucket.write(&key).map_err(ItemsError::writer)?;
        let mut file = OpenFile { key, upload, bytes: 0 };
        file.append(&self.bucket, manifest.to_string().into_bytes())?;
        let (key, _) = file.finish(&self.bucket)?;
        Ok(Payload::from_value(json!({
            "MapRunArn": self.map_run,
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
