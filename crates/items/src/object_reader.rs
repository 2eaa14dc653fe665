//! An object's bytes as a blocking reader, a chunk at a time.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::runtime::Runtime;

/// Reads what arrives, and asks for more only when that is used up.
pub(crate) struct ObjectReader {
    runtime: Arc<Runtime>,
    chunks: BoxStream<'static, object_store::Result<Bytes>>,
    chunk: Bytes,
}

impl ObjectReader {
    pub(crate) fn new(
        runtime: Arc<Runtime>,
        chunks: BoxStream<'static, object_store::Result<Bytes>>,
    ) -> Self {
        Self { runtime, chunks, chunk: Bytes::new() }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.chunks.next()) {
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
