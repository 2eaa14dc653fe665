//! The ratios that the project promises, as `SPECIFICATION.md` has them, and whether a run keeps them.

use crate::sheet::{Sheet, SheetEntry};

/// A row of a table: `| promise | benchmark | contest | beside | at least |`.
#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    pub name: String,
    /// The name of a sheet.
    pub sheet: String,
    pub contest: String,
    /// Another entry of the contest, by its name or the end of it after a comma.
    pub beside: String,
    /// How many times as good as that the first entry is.
    pub at_least: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub promise: Promise,
    /// What was measured, with the bounds between which it lies; `None` where it was not.
    pub measured: Option<(f64, Option<(f64, f64)>)>,
    pub kept: Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Yes,
    /// It is less, but by no more than the noise of the run.
    WithinNoise,
    No,
    NotMeasured,
}

/// The rows of all tables whose first column is called `promise`.
///
/// # Errors
/// A row has not five columns, or the last is no number: says which.
pub fn promises(text: &str) -> Result<Vec<Promise>, String> {
    let mut found = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        let Some(cells) = cells(line) else {
            in_table = false;
            continue;
        };
        match cells.as_slice() {
            ["promise", ..] => in_table = true,
            _ if !in_table => {}
            [first, ..] if first.chars().all(|it| matches!(it, '-' | ':')) => {}
            [name, sheet, contest, beside, at_least, ..] => {
                let at_least = at_least.parse().map_err(|_| format!("no number: {line}"))?;
                let [name, sheet, contest, beside] =
                    [name, sheet, contest, beside].map(|&cell| cell.to_owned());
                found.push(Promise { name, sheet, contest, beside, at_least });
            }
            _ => return Err(format!("not five columns: {line}")),
        }
    }
    Ok(found)
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

impl Promise {
    pub fn check(&self, sheets: &[Sheet]) -> Verdict {
        let measured = self
            .find(sheets)
            .map(|entry| (entry.ratio, entry.ratio_interval.map(|interval| (interval.low, interval.high))));
        let kept = match measured {
            None => Kept::NotMeasured,
            Some((ratio, _)) if ratio >= self.at_least => Kept::Yes,
            Some((_, Some((_, high)))) if high >= self.at_least => Kept::WithinNoise,
            Some(_) => Kept::No,
        };
        Verdict { promise: self.clone(), measured, kept }
    }

    fn find<'a>(&self, sheets: &'a [Sheet]) -> Option<&'a SheetEntry> {
        let sheet = sheets.iter().find(|sheet| sheet.name == self.sheet)?;
        let contest = sheet.contests.iter().find(|contest| contest.name == self.contest)?;
        let is_meant = |entry: &&SheetEntry| {
            entry.name == self.beside
                || entry.name.strip_suffix(&self.beside).is_some_and(|it| it.ends_with(", "))
        };
        contest.entries.iter().find(is_meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::SheetContest;
    use crate::statistics::Interval;

    const TABLE: &str = "text\n\n| promise | benchmark | contest | beside | at least |\n|---|---|---|---|--:|\n\
        | hop | hop | 200 B event | HTTP server a function | 4 |\n| lanes | hop | 200 B event | one lane | 1.5 |\n\n\
        | other | table |\n|---|---|\n| a | b |\n";

    fn sheet(ratio: f64, interval: Option<(f64, f64)>) -> Sheet {
        let entry = |name: &str| SheetEntry {
            name: name.to_owned(),
            ours: false,
            keeps_apart: String::new(),
            durable: String::new(),
            p50: 1.0,
            interval: None,
            p99: None,
            too_noisy: false,
            ratio,
            ratio_interval: interval.map(|(low, high)| Interval { low, high }),
            ratio_quoted: true,
        };
        let entries = vec![entry("HTTP server a function"), entry("faastlane, process, one lane")];
        let [group, label] = [String::new(), String::new()];
        Sheet {
            name: "hop".to_owned(),
            title: String::new(),
            metric: String::new(),
            unit: String::new(),
            along: String::new(),
            caption: Vec::new(),
            missing: Vec::new(),
            contests: vec![SheetContest { name: "200 B event".to_owned(), group, label, entries }],
        }
    }

    #[test]
    fn promises_are_read_from_their_table_alone() {
        let found = promises(TABLE).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].beside.as_str(), found[1].at_least), ("HTTP server a function", 1.5));
        assert!(promises("| promise | a |\n|---|---|\n| x | y |\n").is_err());
        assert!(promises(&TABLE.replace("| 4 |", "| four |")).is_err());
    }

    #[test]
    fn a_promise_is_broken_by_more_than_the_noise_alone() {
        let promise = &promises(TABLE).unwrap()[0];
        let kept = |ratio, interval| promise.check(&[sheet(ratio, interval)]).kept;
        assert_eq!(kept(4.0, Some((3.0, 5.0))), Kept::Yes);
        assert_eq!(kept(3.9, Some((3.0, 4.1))), Kept::WithinNoise);
        assert_eq!(kept(3.9, Some((3.0, 3.95))), Kept::No);
        assert_eq!(kept(3.9, None), Kept::No);
        assert_eq!(promise.check(&[]).kept, Kept::NotMeasured);
    }

    #[test]
    fn what_is_beside_may_be_named_by_its_end() {
        let promise = &promises(TABLE).unwrap()[1];
        assert_eq!(promise.check(&[sheet(2.0, None)]).kept, Kept::Yes);
        let of_words = Promise { beside: "lane".to_owned(), ..promise.clone() };
        assert_eq!(of_words.check(&[sheet(2.0, None)]).kept, Kept::NotMeasured);
    }
}
