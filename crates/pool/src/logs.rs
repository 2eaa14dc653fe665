//! What functions print, line by line, under their names.

use std::io::{BufRead, BufReader, PipeReader};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

/// A line that a function printed, or logged, or that native code in its domain wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// By position in the plan.
    pub domain: usize,
    /// The function's position among those of its domain.
    pub function: usize,
    /// Empty for what was printed while the function was loaded.
    pub request_id: String,
    /// When the supervisor read it, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// Without the line's end. Bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// A line longer than this is cut into several.
const LONGEST: u64 = 64 << 10;

/// Reads the logs of all domains, each on a thread of its own.
pub(crate) struct LogReaders {
    lines: Receiver<LogLine>,
    threads: Vec<JoinHandle<()>>,
}

impl LogReaders {
    pub(crate) fn start(pipes: Vec<PipeReader>) -> Self {
        let (sender, lines) = channel();
        let threads = pipes
            .into_iter()
            .enumerate()
            .map(|(domain, pipe)| {
                let sender = sender.clone();
                std::thread::spawn(move || read(domain, pipe, &sender))
            })
            .collect();
        Self { lines, threads }
    }

    /// What has been read since the last call.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        self.lines.try_iter().collect()
    }

    /// The rest, once nobody has the writing ends any more.
    pub(crate) fn finish(self) -> Vec<LogLine> {
        for thread in self.threads {
            // A reader has nothing that could panic; if it did, its lines so far are still there.
            drop(thread.join());
        }
        self.lines.try_iter().collect()
    }
}

fn read(domain: usize, pipe: PipeReader, lines: &Sender<LogLine>) {
    let mut pipe = BufReader::new(pipe);
    let (mut function, mut request_id) = (0, String::new());
    let mut line = Vec::new();
    loop {
        line.clear();
        match std::io::Read::take(&mut pipe, LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if let Some((position, id)) = marker(text) {
            (function, request_id) = (position, id);
            continue;
        }
        let at_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        let text = String::from_utf8_lossy(text).into_owned();
        if lines.send(LogLine { domain, function, request_id: request_id.clone(), at_us, text }).is_err() {
            return;
        }
    }
}

/// The line that a domain's runtime puts in front of each invocation's output: record separator, function, request id.
fn marker(line: &[u8]) -> Option<(usize, String)> {
    let text = std::str::from_utf8(line.strip_prefix(b"\x1e")?).ok()?;
    let (function, request_id) = text.split_once(' ')?;
    Some((function.parse().ok()?, request_id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_belong_to_the_marker_before_them() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let logs = LogReaders::start(vec![reader]);
        writer.write_all(b"loading\n\x1e0 id-1\none\ntwo\n\x1e1 id-2\nthr\xffee\nno end").unwrap();
        drop(writer);
        let lines: Vec<_> =
            logs.finish().into_iter().map(|line| (line.function, line.request_id, line.text)).collect();
        let expected = [
            (0, "", "loading"),
            (0, "id-1", "one"),
            (0, "id-1", "two"),
            (1, "id-2", "thr\u{fffd}ee"),
            (1, "id-2", "no end"),
        ];
        assert_eq!(lines, expected.map(|(function, id, text)| (function, id.to_owned(), text.to_owned())));
    }
}
