//! Tables and pictures in a document that people write: each stands between two markers, which name it, and is put there anew.

use anyhow::{Context as _, bail};
use faastlane_bench::{Kept, Sheet, SheetContest, SheetEntry, Verdict, quantity};
use std::fmt::Write as _;

/// `<!-- evaluation: NAME -->`, then what was put there, then [`END`].
const BEGIN: &str = "<!-- evaluation: ";
const END: &str = "<!-- /evaluation -->";

/// Puts what `of_name` makes of each name between its markers. What is `None` stays as it is.
pub(super) fn filled(text: &str, of_name: impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let marker_end = rest[at..].find("-->").context("a marker does not end")? + at + "-->".len();
        let name = rest[at + BEGIN.len()..marker_end - "-->".len()].trim();
        let end = rest[marker_end..].find(END).with_context(|| format!("there is no {END} after {name}"))?;
        if rest[marker_end..marker_end + end].contains(BEGIN) {
            bail!("there is no {END} after {name}");
        }
        filled.push_str(&rest[..marker_end]);
        match of_name(name) {
            Some(content) => write!(filled, "\n{}\n", content.trim_end())?,
            None => filled.push_str(&rest[marker_end..marker_end + end]),
        }
        filled.push_str(END);
        rest = &rest[marker_end + end + END.len()..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A table for each group of contests, then what is missing, and on what it was measured.
pub(super) fn section(sheet: &Sheet, picture: &str) -> String {
    let mut text = format!("\n![{}]({picture})\n", sheet.title);
    let mut groups: Vec<&str> = Vec::new();
    for contest in &sheet.contests {
        if !groups.contains(&contest.group.as_str()) {
            groups.push(&contest.group);
        }
    }
    for group in groups {
        let contests: Vec<&SheetContest> =
            sheet.contests.iter().filter(|contest| contest.group == group).collect();
        text.push_str(&table(sheet, group, &contests));
    }
    for missing in &sheet.missing {
        text.push_str(&format!("\nNot measured: {missing}.\n"));
    }
    text.push_str(&format!("\n```text\n{}\n```\n", sheet.caption.join("\n")));
    text
}

fn table(sheet: &Sheet, group: &str, contests: &[&SheetContest]) -> String {
    let along = if group.is_empty() { sheet.along.clone() } else { format!("{}, {group}", sheet.along) };
    let ways = ways(contests);
    // Of what they say nothing about, there is no column.
    let promised: Vec<Promised> =
        PROMISED.into_iter().filter(|(_, of)| ways.iter().any(|way| !of(way).is_empty())).collect();
    let mut text = format!("\n| {along} |");
    for (name, _) in &promised {
        text.push_str(&format!(" {name} |"));
    }
    for contest in contests {
        text.push_str(&format!(" {} |", contest.label));
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(promised.len()));
    text.push_str(&"--:|".repeat(contests.len()));
    text.push('\n');
    for way in ways {
        let name = &way.name;
        text.push_str(&if way.ours { format!("| **{name}** |") } else { format!("| {name} |") });
        for (_, of) in &promised {
            text.push_str(&format!(" {} |", of(way)));
        }
        for contest in contests {
            let entry = contest.entries.iter().find(|entry| entry.name == *name);
            text.push_str(&format!(
                " {} |",
                entry.map_or_else(|| "-".to_owned(), |it| cell(it, &sheet.unit))
            ));
        }
        text.push('\n');
    }
    text
}

/// What a way promises: the column's name, and what is in it.
type Promised = (&'static str, fn(&SheetEntry) -> &str);

const PROMISED: [Promised; 2] = [("keeps apart", |way| &way.keeps_apart), ("durable", |way| &way.durable)];

/// An entry of each name, in the order in which they appear.
fn ways<'a>(contests: &[&'a SheetContest]) -> Vec<&'a SheetEntry> {
    let mut ways: Vec<&SheetEntry> = Vec::new();
    for entry in contests.iter().flat_map(|contest| &contest.entries) {
        if !ways.iter().any(|way| way.name == entry.name) {
            ways.push(entry);
        }
    }
    ways
}

/// The median and, of the others, how many times as good ours is.
fn cell(entry: &SheetEntry, unit: &str) -> String {
    let number = if entry.too_noisy { "too noisy".to_owned() } else { quantity(entry.p50, unit) };
    match &entry.ratio_interval {
        Some(interval) if entry.ratio_quoted && interval.low != interval.high => {
            format!("{number} ({}–{}×)", ratio(interval.low), ratio(interval.high))
        }
        _ if entry.ratio_quoted && (entry.ratio - 1.0).abs() > 1e-9 => {
            format!("{number} ({}×)", ratio(entry.ratio))
        }
        _ => number,
    }
}

pub(super) fn ratio(number: f64) -> String {
    let decimals = match number {
        number if number >= 100.0 => 0,
        number if number >= 10.0 => 1,
        _ => 2,
    };
    format!("{number:.decimals$}")
}

/// What was promised and what was seen.
pub(super) fn promises(verdicts: &[Verdict]) -> String {
    let mut text = "\n| promise | at least | measured | kept |\n|---|--:|--:|---|\n".to_owned();
    for verdict in verdicts {
        let measured = match verdict.measured {
            None => "-".to_owned(),
            Some((value, None)) => format!("{}×", ratio(value)),
            Some((value, Some((low, high)))) => format!("{}× ({}–{})", ratio(value), ratio(low), ratio(high)),
        };
        let Verdict { promise, kept, .. } = verdict;
        text.push_str(&format!(
            "| {} | {}× | {measured} | {} |\n",
            promise.name,
            promise.at_least,
            word(*kept)
        ));
    }
    text
}

pub(super) fn word(kept: Kept) -> &'static str {
    match kept {
        Kept::Yes => "yes",
        Kept::WithinNoise => "within the noise",
        Kept::No => "NO",
        Kept::NotMeasured => "not measured",
    }
}

/// The paper's figures: what it claims, and what is seen here beside a server for each function.
pub(super) fn paper(sheets: &[Sheet]) -> String {
    let http = |sheet: &str, contest: &str| {
        let sheet = sheets.iter().find(|it| it.name == sheet)?;
        let contest = sheet.contests.iter().find(|it| it.name == contest)?;
        let ours = contest.entries.first()?.clone();
        Some((ours, contest.entries.iter().find(|entry| entry.name == "HTTP server a function")?.clone()))
    };
    let mut text = "\n| application | interaction | claimed | end to end | claimed | share of interaction, ours / HTTP | billed apart / as one |\n|---|--:|--:|--:|--:|--:|--:|\n".to_owned();
    let apps = sheets.iter().find(|it| it.name == "apps");
    for app in apps.iter().flat_map(|sheet| &sheet.contests).map(|contest| contest.name.as_str()) {
        let (Some((whole, whole_http)), Some((between, between_http))) =
            (http("apps", app), http("interaction", app))
        else {
            continue;
        };
        let share = |between: &SheetEntry, whole: &SheetEntry| 100.0 * between.p50 / whole.p50;
        let cost = sheets.iter().find(|it| it.name == "cost").and_then(|sheet| {
            let contest = sheet.contests.iter().find(|contest| contest.name == app)?;
            contest.entries.last().map(|apart| format!("{}×", ratio(apart.ratio)))
        });
        text.push_str(&format!(
            "| {app} | −{:.1} % | −99.95 % at most | {}× | 15× at most | {:.1} % / {:.1} % | {} |\n",
            100.0 * (1.0 - between.p50 / between_http.p50),
            ratio(whole_http.ratio),
            share(&between, &whole),
            share(&between_http, &whole_http),
            cost.unwrap_or_else(|| "-".to_owned()),
        ));
    }
    let best = sheets.iter().filter(|sheet| sheet.name == "throughput").flat_map(|sheet| &sheet.contests);
    let best = best.filter_map(|contest| {
        let http = contest.entries.iter().find(|entry| entry.name == "HTTP server a function")?;
        Some((http.ratio, contest.name.clone()))
    });
    if let Some((times, clients)) = best.max_by(|one, other| one.0.total_cmp(&other.0)) {
        text.push_str(&format!(
            "\nThroughput: {}× that of a server for each function, with {clients}; claimed: 16× at most.\n",
            ratio(times)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_markers_is_put_there_anew() {
        let text = "a\n<!-- evaluation: hop -->\nold\n<!-- /evaluation -->\nb <!-- evaluation: x -->kept<!-- /evaluation -->\nc";
        let once = filled(text, |name| (name == "hop").then(|| "new\n".to_owned())).unwrap();
        assert_eq!(
            once,
            "a\n<!-- evaluation: hop -->\nnew\n<!-- /evaluation -->\nb <!-- evaluation: x -->kept<!-- /evaluation -->\nc"
        );
        assert_eq!(filled(&once, |name| (name == "hop").then(|| "new\n".to_owned())).unwrap(), once);
    }

    #[test]
    fn markers_that_do_not_match_are_refused() {
        for text in [
            "<!-- evaluation: hop",
            "<!-- evaluation: hop -->",
            "<!-- evaluation: a --><!-- evaluation: b --><!-- /evaluation -->",
        ] {
            assert!(filled(text, |_| Some(String::new())).is_err(), "{text}");
        }
    }
}
