//! What functions print, line by line, under their names.

use faastlane_machine::InvocationLog;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
const LONGEST: usize = 64 << 10;

/// Where lines come from: a domain, by position in the plan, in a lane.
pub(crate) type Place = (usize, u32);

/// Reads the logs of all domains: as they come, on a thread of its own, so that no function waits for room in its pipe; and when
/// somebody asks, who then needs to wait for no other thread.
pub(crate) struct LogReaders {
    printed: Arc<Mutex<Printed>>,
    /// Says to the thread that there are more pipes, and ends it when it goes.
    follower: Option<(PipeWriter, JoinHandle<()>)>,
}

#[derive(Default)]
struct Printed {
    streams: Vec<Stream>,
    /// What has not yet been taken.
    lines: Vec<LogLine>,
}

struct Stream {
    place: Place,
    pipe: Arc<PipeReader>,
    /// By the marker that was read last.
    function: usize,
    request_id: String,
    /// The beginning of a line whose end has not been read.
    open: Vec<u8>,
    /// A part of that line was given out already: its end alone makes no line.
    cut: bool,
}

impl LogReaders {
    /// One pipe a domain. `lines` have been read already.
    ///
    /// # Errors
    /// The system has no descriptor or thread for it.
    pub(crate) fn start(pipes: Vec<PipeReader>, lines: Vec<LogLine>) -> io::Result<Self> {
        let streams = pipes.into_iter().enumerate().map(|(domain, pipe)| Stream::of((domain, 0), pipe));
        let printed = Arc::new(Mutex::new(Printed { streams: streams.collect(), lines }));
        let (called, calling) = io::pipe()?;
        let followed = Arc::clone(&printed);
        let thread = std::thread::Builder::new().name("logs".into());
        let follower = thread.spawn(move || follow(&followed, called))?;
        Ok(Self { printed, follower: Some((calling, follower)) })
    }

    fn printed(&self) -> MutexGuard<'_, Printed> {
        lock(&self.printed)
    }

    /// Reads one more pipe.
    pub(crate) fn add(&mut self, place: Place, pipe: PipeReader) {
        self.printed().streams.push(Stream::of(place, pipe));
        if let Some((calling, _)) = &mut self.follower {
            // It holds the other end until it is joined.
            calling.write_all(&[0]).ok();
        }
    }

    /// What has been printed since the last call: at these places to the last byte, elsewhere to the end of a line.
    pub(crate) fn take_all(&self, places: impl Iterator<Item = Place>) -> Vec<LogLine> {
        let mut printed = self.printed();
        printed.read_all();
        places.for_each(|place| printed.cut(place));
        std::mem::take(&mut printed.lines)
    }

    /// Undoes [`Self::take_all`].
    pub(crate) fn put_back(&self, lines: Vec<LogLine>) {
        self.printed().lines.splice(..0, lines);
    }

    /// The rest, once the processes have ended.
    pub(crate) fn finish(&self) -> Vec<LogLine> {
        let mut printed = self.printed();
        printed.read_all();
        let places: Vec<Place> = printed.streams.iter().map(|stream| stream.place).collect();
        places.into_iter().for_each(|place| printed.cut(place));
        std::mem::take(&mut printed.lines)
    }

    /// The end of what was printed in an invocation that has come back, each line with its end.
    pub(crate) fn tail(&self, place: Place, request_id: &str) -> String {
        let mut printed = self.printed();
        printed.read_all();
        printed.cut(place);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let wanted = |line: &&LogLine| line.domain == place.0 && line.request_id == request_id;
        for line in printed.lines.iter().rev().filter(wanted) {
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
}

impl Drop for LogReaders {
    fn drop(&mut self) {
        if let Some((calling, follower)) = self.follower.take() {
            drop(calling);
            // It has nothing that could panic; if it did, what it read is still there.
            drop(follower.join());
        }
    }
}

fn watch(pipe: &PipeReader) -> PollFd<'_> {
    PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)
}

fn lock(printed: &Mutex<Printed>) -> MutexGuard<'_, Printed> {
    printed.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Printed {
    /// Reads what is there now, and not what is printed meanwhile.
    fn read_all(&mut self) {
        let Self { streams, lines } = self;
        // One system call where nothing was printed, which is most often.
        let mut fds: Vec<PollFd<'_>> = streams.iter().map(|stream| watch(&stream.pipe)).collect();
        if poll(&mut fds, Some(&Timespec::default())) != Ok(0) {
            streams.iter_mut().for_each(|stream| stream.read(lines));
        }
    }

    /// Takes the beginning of a line for a line.
    fn cut(&mut self, place: Place) {
        let Self { streams, lines } = self;
        if let Some(stream) =
            streams.iter_mut().find(|stream| stream.place == place && !stream.open.is_empty())
        {
            let open = std::mem::take(&mut stream.open);
            stream.give(&open, lines);
            stream.cut = true;
        }
    }
}

impl Stream {
    fn of(place: Place, pipe: PipeReader) -> Self {
        Self {
            place,
            pipe: Arc::new(pipe),
            function: 0,
            request_id: String::new(),
            open: Vec::new(),
            cut: false,
        }
    }

    fn read(&mut self, lines: &mut Vec<LogLine>) {
        let Ok(there @ 1..) = ioctl_fionread(&*self.pipe) else { return };
        // Nobody else reads it, so that much is there without waiting.
        let read = Read::take(&*self.pipe, there).read_to_end(&mut self.open);
        debug_assert!(read.is_ok(), "a pipe that holds {there} bytes gives them: {read:?}");
        let text = std::mem::take(&mut self.open);
        let mut rest = text.as_slice();
        while let Some(len) = memchr::memchr(b'\n', rest) {
            self.end_line(&rest[..len], lines);
            rest = &rest[len + 1..];
        }
        while rest.len() >= LONGEST {
            self.give(&rest[..LONGEST], lines);
            self.cut = true;
            rest = &rest[LONGEST..];
        }
        self.open = rest.to_vec();
    }

    fn end_line(&mut self, line: &[u8], lines: &mut Vec<LogLine>) {
        let cut = std::mem::take(&mut self.cut);
        if let Some((position, id)) = marker(line) {
            (self.function, self.request_id) = (position, id);
        } else if !(cut && line.is_empty()) {
            line.chunks(LONGEST).for_each(|part| self.give(part, lines));
            if line.is_empty() {
                self.give(line, lines);
            }
        }
    }

    fn give(&self, text: &[u8], lines: &mut Vec<LogLine>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        lines.push(LogLine {
            domain: self.place.0,
            function: self.function,
            request_id: self.request_id.clone(),
            at_us: now.map_or(0, |since| since.as_micros() as u64),
            text: String::from_utf8_lossy(text).into_owned(),
        });
    }
}

/// Reads whatever comes, until the other end of `called` is closed.
fn follow(printed: &Mutex<Printed>, mut called: PipeReader) {
    // The ends that have been closed are not asked any more: they would always answer.
    let mut closed: Vec<Place> = Vec::new();
    loop {
        let pipes: Vec<(Place, Arc<PipeReader>)> = lock(printed)
            .streams
            .iter()
            .filter(|stream| !closed.contains(&stream.place))
            .map(|stream| (stream.place, Arc::clone(&stream.pipe)))
            .collect();
        let fds = pipes.iter().map(|(_, pipe)| watch(pipe));
        let mut fds: Vec<PollFd<'_>> = fds.chain([watch(&called)]).collect();
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            // Then whoever asks reads.
            Err(_) => return,
            Ok(_) => {}
        }
        let answers: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        lock(printed).read_all();
        let (call, answers) =
            answers.split_last().map_or((PollFlags::HUP, &[][..]), |(call, rest)| (*call, rest));
        closed.extend(
            pipes
                .iter()
                .zip(answers)
                .filter(|(_, answer)| answer.contains(PollFlags::HUP) && !answer.contains(PollFlags::IN))
                .map(|((place, _), _)| *place),
        );
        if call.contains(PollFlags::IN) {
            if called.read(&mut [0; 16]).is_err() {
                return;
            }
        } else if !call.is_empty() {
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

    #[test]
    fn lines_belong_to_the_marker_before_them() {
        let (reader, mut writer) = io::pipe().unwrap();
        let logs = LogReaders::start(vec![reader], Vec::new()).unwrap();
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
            let (reader, writer) = io::pipe().unwrap();
            pipes.push(reader);
            writers.push(writer);
        }
        let logs = LogReaders::start(pipes, Vec::new()).unwrap();
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
        let (reader, mut writer) = io::pipe().unwrap();
        let logs = LogReaders::start(vec![reader], Vec::new()).unwrap();
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
        let texts: Vec<String> = logs.take_all([].into_iter()).into_iter().map(|line| line.text).collect();
        let long = ["a".repeat(5000), "é".repeat(2500)];
        let expected = ["loading", "one", "", "two", "open", &long[0], &long[1]];
        assert_eq!(texts, expected, "looking in between leaves no lines behind");
        drop(writer);
        assert!(logs.finish().is_empty());
    }

    #[test]
    fn nobody_waits_for_room_and_long_lines_are_cut() {
        let (first, _writer) = io::pipe().unwrap();
        let mut logs = LogReaders::start(vec![first], Vec::new()).unwrap();
        let (added, mut writer) = io::pipe().unwrap();
        logs.add((3, 1), added);
        // More than any pipe holds, and nobody asks meanwhile.
        writer.write_all(&vec![b'x'; 40 * LONGEST]).unwrap();
        writer.write_all(b"\nlast").unwrap();
        drop(writer);
        let lines = logs.take_all([(3, 1)].into_iter());
        let lens: Vec<usize> = lines.iter().map(|line| line.text.len()).collect();
        assert_eq!(lens, [vec![LONGEST; 40], vec![4]].concat());
        assert!(lines.iter().all(|line| line.domain == 3));
    }
}
