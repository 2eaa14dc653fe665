//! What functions print, line by line, under their names.

use faastlane_machine::InvocationLog;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write};
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

/// Where lines come from: a domain, by position in the plan, in a lane.
pub(crate) type Place = (usize, u32);

/// Reads the logs of all domains, each on a thread of its own.
pub(crate) struct LogReaders {
    sender: Sender<Read>,
    read: Receiver<Read>,
    /// What has been received and not yet been taken, with the position of its stream.
    lines: Vec<(usize, LogLine)>,
    streams: Vec<Stream>,
    marks: u64,
}

struct Stream {
    place: Place,
    /// The writing end, for marks.
    marking: PipeWriter,
    reader: JoinHandle<()>,
}

/// With the position of its stream.
enum Read {
    Line(usize, LogLine),
    /// One that the supervisor wrote itself, or else a function that forged one in its own domain.
    Mark {
        stream: usize,
        number: u64,
    },
}

impl LogReaders {
    /// One pipe a domain. `lines` have been read already.
    pub(crate) fn start(pipes: Vec<(PipeReader, PipeWriter)>, lines: Vec<LogLine>) -> Self {
        let (sender, read) = channel();
        let mut readers = Self { sender, read, lines: Vec::new(), streams: Vec::new(), marks: 0 };
        readers.put_back(lines);
        for (domain, pipe) in pipes.into_iter().enumerate() {
            readers.add((domain, 0), pipe);
        }
        readers
    }

    /// Reads one more pipe.
    pub(crate) fn add(&mut self, place: Place, (pipe, marking): (PipeReader, PipeWriter)) {
        let (stream, sender) = (self.streams.len(), self.sender.clone());
        let reader = std::thread::spawn(move || follow(stream, place.0, pipe, &sender));
        self.streams.push(Stream { place, marking, reader });
    }

    /// What has been printed since the last call at these places, and what of the others has been read.
    pub(crate) fn take_all(&mut self, places: impl Iterator<Item = Place>) -> Vec<LogLine> {
        let marked = places.filter_map(|place| self.mark(place)).collect();
        self.receive_until(marked);
        self.take()
    }

    /// Undoes [`Self::take_all`], while nothing has been printed since.
    pub(crate) fn put_back(&mut self, lines: Vec<LogLine>) {
        // Whole lines, which no mark can have cut.
        self.lines.splice(..0, lines.into_iter().map(|line| (usize::MAX, line)));
    }

    /// What has been read since the last call.
    fn take(&mut self) -> Vec<LogLine> {
        self.lines.extend(self.read.try_iter().filter_map(Read::line));
        std::mem::take(&mut self.lines).into_iter().map(|(_, line)| line).collect()
    }

    /// The rest, once the processes have ended.
    pub(crate) fn finish(mut self) -> Vec<LogLine> {
        for Stream { marking, reader, .. } in std::mem::take(&mut self.streams) {
            // With this the last writing end is gone, and the reader comes to the end. It has nothing that could panic; if it
            // did, its lines so far are still there.
            drop(marking);
            drop(reader.join());
        }
        self.take()
    }

    /// The end of what was printed in an invocation that has come back, each line with its end. What is looked for has been
    /// written, but perhaps not been read, so a mark is sent after it.
    pub(crate) fn tail(&mut self, place: Place, request_id: &str) -> String {
        let marked = self.mark(place).into_iter().collect();
        self.receive_until(marked);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let printed = |line: &&LogLine| line.domain == place.0 && line.request_id == request_id;
        for line in self.lines.iter().rev().map(|(_, line)| line).filter(printed) {
            lines.push(line.text.as_str());
            bytes += line.text.len() + 1;
            if bytes > InvocationLog::TAIL_BYTES {
                break;
            }
        }
        lines.reverse();
        let text: String = lines.into_iter().flat_map(|line| [line, "\n"]).collect();
        let cut = text.len().saturating_sub(InvocationLog::TAIL_BYTES);
        let start = (cut..text.len()).find(|at| text.is_char_boundary(*at));
        text[start.unwrap_or(text.len())..].to_owned()
    }

    /// Sends a mark through the pipe of a place.
    fn mark(&mut self, place: Place) -> Option<(usize, u64)> {
        let stream = self.streams.iter().position(|stream| stream.place == place)?;
        self.marks += 1;
        // In one piece: it is shorter than what a pipe takes at once. The reader is gone if it cannot be written.
        self.streams[stream].marking.write_all(format!("\n\x1e\x1e{}\n", self.marks).as_bytes()).ok()?;
        Some((stream, self.marks))
    }

    /// Receives until all these marks have come, by stream and number.
    fn receive_until(&mut self, mut marked: Vec<(usize, u64)>) {
        while !marked.is_empty() {
            let Ok(read) = self.read.recv() else { return };
            match read {
                Read::Line(stream, line) => self.lines.push((stream, line)),
                Read::Mark { stream, number } if marked.contains(&(stream, number)) => {
                    marked.retain(|mark| *mark != (stream, number));
                    self.remove_cut(stream);
                }
                Read::Mark { .. } => {}
            }
        }
    }

    /// A mark begins with a line's end. Where there was no open line for it to end, it made an empty one.
    fn remove_cut(&mut self, stream: usize) {
        let last = self.lines.iter().rposition(|(from, _)| *from == stream);
        if let Some(last) = last.filter(|last| self.lines[*last].1.text.is_empty()) {
            self.lines.remove(last);
        }
    }
}

impl Read {
    fn line(self) -> Option<(usize, LogLine)> {
        match self {
            Read::Line(stream, line) => Some((stream, line)),
            Read::Mark { .. } => None,
        }
    }
}

/// Whether a mark has ended a line that the function has not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    No,
    /// The function's own end of the line makes no empty line.
    EndDue,
    /// It has been read, or else that of another mark, which comes next then.
    EndRead,
}

fn follow(stream: usize, domain: usize, pipe: PipeReader, sender: &Sender<Read>) {
    let mut pipe = BufReader::new(pipe);
    let (mut function, mut request_id) = (0, String::new());
    let mut line = Vec::new();
    let (mut was_empty, mut cut) = (true, Cut::No);
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
        if let Some(number) = mark(text) {
            cut = if was_empty && cut != Cut::EndRead { Cut::No } else { Cut::EndDue };
            if sender.send(Read::Mark { stream, number }).is_err() {
                return;
            }
            continue;
        }
        was_empty = text.is_empty();
        if was_empty && cut == Cut::EndDue {
            cut = Cut::EndRead;
            continue;
        }
        cut = Cut::No;
        let at_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        let text = String::from_utf8_lossy(text).into_owned();
        let line = LogLine { domain, function, request_id: request_id.clone(), at_us, text };
        if sender.send(Read::Line(stream, line)).is_err() {
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

/// The line with which the supervisor finds out how far a reader has come.
fn mark(line: &[u8]) -> Option<u64> {
    std::str::from_utf8(line.strip_prefix(b"\x1e\x1e")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_belong_to_the_marker_before_them() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let logs = LogReaders::start(vec![(reader, writer.try_clone().unwrap())], Vec::new());
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

    #[test]
    fn what_was_printed_is_there_as_soon_as_it_is_taken() {
        let (mut pipes, mut writers) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (reader, writer) = std::io::pipe().unwrap();
            pipes.push((reader, writer.try_clone().unwrap()));
            writers.push(writer);
        }
        let mut logs = LogReaders::start(pipes, Vec::new());
        for round in 0..50 {
            for (domain, writer) in writers.iter_mut().enumerate() {
                write!(writer, "\x1e0 id-{round}\n{round} of {domain}\n").unwrap();
            }
            let mut taken: Vec<_> = logs
                .take_all((0..3).map(|domain| (domain, 0)))
                .into_iter()
                .map(|line| (line.domain, line.request_id, line.text))
                .collect();
            taken.sort();
            let expected =
                [0, 1, 2].map(|domain| (domain, format!("id-{round}"), format!("{round} of {domain}")));
            assert_eq!(taken, expected);
        }
        drop(writers);
        assert!(logs.finish().is_empty());
    }

    #[test]
    fn the_tail_of_an_invocation_is_there_as_soon_as_it_was_written() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut logs = LogReaders::start(vec![(reader, writer.try_clone().unwrap())], Vec::new());
        let mut printed_after = |text: &[u8], request_id: &str| {
            writer.write_all(text).unwrap();
            logs.tail((0, 0), request_id)
        };
        assert_eq!(printed_after(b"loading\n", "id-1"), "");
        assert_eq!(printed_after(b"\x1e0 id-1\none\n\n", "id-1"), "one\n\n");
        // The next invocation prints already.
        assert_eq!(printed_after(b"two\n\x1e0 id-2\nopen", "id-1"), "one\n\ntwo\n");
        assert_eq!(printed_after(b"", "id-2"), "open\n");
        assert_eq!(printed_after(b"\n\x1e0 id-3\n", "id-2"), "open\n");
        let long =
            [b"a".repeat(5000), b"\n".to_vec(), "é".repeat(2500).into_bytes(), b"\n".to_vec()].concat();
        let tail = printed_after(&long, "id-3");
        assert_eq!(tail, "é".repeat(2047) + "\n");
        let texts: Vec<String> = logs.take().into_iter().map(|line| line.text).collect();
        let long = ["a".repeat(5000), "é".repeat(2500)];
        let expected = ["loading", "one", "", "two", "open", &long[0], &long[1]];
        assert_eq!(texts, expected, "marks leave no lines behind");
        drop(writer);
        assert!(logs.finish().is_empty());
    }
}
