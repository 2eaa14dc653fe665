//! A `ReaderConfig` as JSON in the first line, the file that it is for behind it: there are items or an error, and the
//! same ones whether the file comes at once or byte by byte.

#![no_main]

use std::io::{Cursor, Read};

use faastlane_items::{Item, ItemsError, Limits, ReaderConfig, items_in};
use libfuzzer_sys::fuzz_target;

/// Hands out one byte at a time, as a slow connection would.
struct Drops(Cursor<Vec<u8>>);

impl Read for Drops {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

/// Small, so that some items of an input are above it.
const LIMITS: Limits = Limits { max_item_bytes: 512 };

fn read(bytes: impl Read + Send + 'static, config: &ReaderConfig) -> Vec<Result<Item, ItemsError>> {
    match items_in(bytes, config, "s3://bucket/file", LIMITS) {
        Ok(items) => items.collect(),
        Err(error) => vec![Err(error)],
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(config) = serde_json::from_slice(&bytes[..end]) else { return };
    let Ok(config) = ReaderConfig::parse(&config) else { return };
    let file = &bytes[end + 1..];
    let at_once = read(Cursor::new(file.to_vec()), &config);
    assert_eq!(at_once, read(Drops(Cursor::new(file.to_vec())), &config));
    for item in at_once.into_iter().flatten() {
        item.value.value().expect("an item that was read is whole");
    }
});
