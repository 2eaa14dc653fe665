//! The objects of a bucket whose keys start with a prefix, page by page.

use std::collections::VecDeque;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use faastlane_payload::Payload;
use object_store::ObjectMeta;
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use serde_json::json;

use crate::bucket::{Bucket, Place};
use crate::error::ItemsError;
use crate::folder_walk::{File, FolderWalk};
use crate::reader_spec::ListObjects;

/// What a listing says of an object.
pub(crate) struct ListedObject {
    pub(crate) key: String,
    pub(crate) size: u64,
    etag: String,
    /// Seconds since 1970.
    last_modified: i64,
}

impl ListedObject {
    /// The item that stands for it where the objects themselves are not read.
    pub(crate) fn metadata(&self) -> Payload {
        Payload::from_value(json!({
            "Etag": self.etag,
            "Key": self.key,
            "LastModified": self.last_modified,
            "Size": self.size,
            // object_store does not hand it on; a folder has none.
            "StorageClass": "STANDARD",
        }))
    }
}

pub(crate) struct Listing {
    bucket: Arc<Bucket>,
    request: ListObjects,
    pages: Pages,
}

enum Pages {
    Folder(FolderWalk),
    S3 { store: Arc<AmazonS3>, page: VecDeque<ObjectMeta>, next: NextPage },
}

enum NextPage {
    First,
    After(String),
    None,
}

impl Listing {
    pub(crate) fn new(bucket: Arc<Bucket>, request: ListObjects) -> Result<Self, ItemsError> {
        let pages = match &bucket.place {
            Place::S3(store) => {
                Pages::S3 { store: Arc::clone(store), page: VecDeque::new(), next: NextPage::First }
            }
            Place::Folder { root, .. } => match FolderWalk::new(root, &request.prefix) {
                Ok(walk) => Pages::Folder(walk),
                Err(error) => return Err(not_listed(root, &error)),
            },
        };
        Ok(Self { bucket, request, pages })
    }

    fn step(&mut self) -> Result<Option<ListedObject>, ItemsError> {
        match &mut self.pages {
            Pages::Folder(walk) => loop {
                let Some(file) = walk.next() else { return Ok(None) };
                let file = file.map_err(|error| not_listed(&self.bucket.name, &error))?;
                if self.request.start_after.as_ref().is_none_or(|start| file.key > *start) {
                    return Ok(Some(of_file(file)));
                }
            },
            Pages::S3 { store, page, next } => loop {
                if let Some(object) = page.pop_front() {
                    return Ok(Some(of_object(object)));
                }
                let token = match std::mem::replace(next, NextPage::None) {
                    NextPage::None => return Ok(None),
                    NextPage::First => None,
                    NextPage::After(token) => Some(token),
                };
                let options = PaginatedListOptions {
                    offset: self.request.start_after.clone(),
                    max_keys: self.request.max_keys,
                    page_token: token,
                    ..PaginatedListOptions::default()
                };
                let prefix = Some(self.request.prefix.as_str()).filter(|prefix| !prefix.is_empty());
                let listed = self.bucket.runtime.block_on(store.list_paginated(prefix, options));
                let listed = listed.map_err(|error| ItemsError::reader(self.bucket.explain(&error, "")))?;
                page.extend(listed.result.objects);
                *next = listed.page_token.map_or(NextPage::None, NextPage::After);
            },
        }
    }
}

impl Iterator for Listing {
    type Item = Result<ListedObject, ItemsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

fn not_listed(folder: impl AsRef<std::path::Path>, error: &std::io::Error) -> ItemsError {
    ItemsError::reader(format!("The folder {} cannot be listed: {error}.", folder.as_ref().display()))
}

fn of_object(object: ObjectMeta) -> ListedObject {
    ListedObject {
        key: object.location.into(),
        size: object.size,
        etag: object.e_tag.unwrap_or_default(),
        last_modified: object.last_modified.timestamp(),
    }
}

/// A file's tag is what changes with the file, since a digest would have to read it.
fn of_file(file: File) -> ListedObject {
    let metadata = &file.metadata;
    let (inode, seconds, nanos) = (metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
    ListedObject {
        etag: format!("\"{inode:x}-{seconds:x}{nanos:08x}-{:x}\"", metadata.len()),
        size: metadata.len(),
        last_modified: seconds,
        key: file.key,
    }
}
