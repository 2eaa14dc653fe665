//! Where a distributed Map's items come from (`ItemReader`), how they are put into batches (`ItemBatcher`), and
//! where its results go (`ResultWriter`).
//!
//! It runs in the supervisor, never in an instance. It may know `payload` and nothing else of the workspace: what a
//! definition says comes in as JSON that has been evaluated already, the buckets there are as [`Stores`], and what
//! the environment says as a map. The network is reached through the crate `object_store`, on a runtime of this
//! crate's own; everything that is public blocks.
//!
//! Start reading at [`ReaderSpec`] (what is to be read), then [`open`] and [`Items`]; [`ResultWriter`] is the other
//! end. The formats are `csv_rows.rs`, `json_items.rs`, `json_lines.rs` and `manifest.rs`; `bucket.rs` is a folder or
//! an S3 bucket behind one interface.
//!
//! Architecture Invariant: nothing here holds a data set. A reader holds one chunk of the file and one item, a
//! writer one part of an upload, whatever the size of the whole.
//!
//! Source of the rules: the developer guide of AWS Step Functions, "ItemReader (Map)", "ItemBatcher (Map)",
//! "ResultWriter (Map)" and "How Step Functions parses input CSV files".
#![forbid(unsafe_code)]

mod batch;
mod bucket;
mod csv_escape;
mod csv_rows;
mod decompress;
mod error;
mod folder_walk;
mod items;
mod json_items;
mod json_lines;
mod listing;
mod manifest;
mod object_reader;
mod reader_spec;
mod result_writer;
mod runtime;
mod stores;
mod writer_spec;

pub use batch::{Batcher, Batches};
pub use error::{ErrorName, ItemsError};
pub use items::{Item, Items, Limits, items_in, open};
pub use reader_spec::{
    CsvDelimiter, CsvHeader, Format, GetObject, ListObjects, ManifestType, ReaderConfig, ReaderSpec, Source,
};
pub use result_writer::{ResultFile, ResultWriter};
pub use stores::{S3Store, Store, Stores};
pub use writer_spec::{Destination, OutputType};
