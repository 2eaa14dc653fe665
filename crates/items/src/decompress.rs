//! Files that are compressed as a whole, which Step Functions knows by their names: `.gz` and `.gzip`, `.zst` and
//! `.zstd`.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// The bytes of an object of this name as they were before compression.
///
/// # Errors
/// It starts as no `zstd` frame does. What is wrong later comes from the reader.
pub(crate) fn decompressed(key: &str, bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let extension = key.rsplit_once('.').map_or("", |(_, extension)| extension);
    if ["gz", "gzip"].iter().any(|name| extension.eq_ignore_ascii_case(name)) {
        return Ok(Box::new(MultiGzDecoder::new(bytes)));
    }
    if ["zst", "zstd"].iter().any(|name| extension.eq_ignore_ascii_case(name)) {
        let frames = StreamingDecoder::new(bytes).map_err(io::Error::other)?;
        return Ok(Box::new(frames));
    }
    Ok(bytes)
}
