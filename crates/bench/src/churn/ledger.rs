//! What the functions noted themselves: that nothing finished ran again, and nothing ran that no history tells of.

use super::report::Tally;
use super::workflow::STEPS;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// What an execution's history says that the ledger can be held against.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Attempts of each step.
    pub(super) attempts: [u32; STEPS],
    /// How many attempts may have been begun once more: their instance was lost through no fault of theirs.
    pub(super) made_again: u32,
}

#[derive(Default)]
struct Noted {
    last: (usize, u32),
    begun: [u32; STEPS],
    /// A call began of a step, or an attempt, that had been finished.
    back: Option<(usize, u32)>,
}

/// Adds what is wrong to the tally.
pub(super) fn check(folder: &Path, tally: &mut Tally) -> io::Result<()> {
    let mut noted: HashMap<u64, Noted> = HashMap::new();
    for line in BufReader::new(File::open(super::ledger_file(folder))?).lines() {
        let line = line?;
        let Some((id, step, attempt)) = parse(&line) else {
            tally.problems.push(format!("the ledger has a line `{line}`"));
            continue;
        };
        noted.entry(id).or_default().note(step, attempt);
    }
    for (id, told) in &tally.told {
        let problems = noted.remove(id).unwrap_or_default().against(told).into_iter();
        tally.problems.extend(problems.map(|problem| format!("execution {id}: {problem}")));
    }
    // Of what is lost that is said already.
    noted.retain(|id, _| !tally.lost.contains(id));
    tally
        .problems
        .extend(noted.keys().map(|id| format!("execution {id} is in the ledger, and has no history")));
    Ok(())
}

fn parse(line: &str) -> Option<(u64, usize, u32)> {
    let mut fields = line.split(' ');
    let (id, step, attempt) = (fields.next()?, fields.next()?, fields.next()?);
    let step: usize = step.parse().ok().filter(|step| *step < STEPS)?;
    (fields.next().is_none()).then_some((id.parse().ok()?, step, attempt.parse().ok()?))
}

impl Noted {
    fn note(&mut self, step: usize, attempt: u32) {
        if (step, attempt) < self.last {
            self.back.get_or_insert((step, attempt));
        }
        self.last = (step, attempt);
        self.begun[step] += 1;
    }

    fn against(&self, told: &Told) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some((step, attempt)) = self.back {
            problems.push(format!("attempt {attempt} of step {step} ran after what comes later"));
        }
        let mut again = 0;
        for (step, (&begun, &attempts)) in self.begun.iter().zip(&told.attempts).enumerate() {
            again += begun.saturating_sub(attempts);
            if attempts == 0 && begun > 0 {
                problems.push(format!("step {step} ran, and its history does not say so"));
            }
        }
        if again > told.made_again {
            problems.push(format!(
                "{again} calls more than attempts, of which {} have a reason",
                told.made_again
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(lines: &[&str], attempts: [u32; STEPS], made_again: u32) -> Vec<String> {
        let mut noted = Noted::default();
        for line in lines {
            let (_, step, attempt) = parse(line).unwrap();
            noted.note(step, attempt);
        }
        noted.against(&Told { attempts, made_again })
    }

    #[test]
    fn what_ran_in_order_is_right() {
        let lines = ["1 0 0", "1 0 1", "1 1 0", "1 2 0", "1 3 0", "1 4 0"];
        assert!(problems(&lines, [2, 1, 1, 1, 1], 0).is_empty());
        // An attempt whose instance died before the function ran.
        assert!(problems(&lines[1..], [2, 1, 1, 1, 1], 0).is_empty());
    }

    #[test]
    fn what_runs_again_needs_a_reason() {
        let lines = ["1 0 0", "1 0 0", "1 1 0"];
        assert!(problems(&lines, [1, 1, 0, 0, 0], 1).is_empty());
        assert_eq!(problems(&lines, [1, 1, 0, 0, 0], 0).len(), 1);
        let finished = ["1 0 0", "1 1 0", "1 0 0"];
        assert_eq!(
            problems(&finished, [1, 1, 0, 0, 0], 1),
            ["attempt 0 of step 0 ran after what comes later"]
        );
        assert_eq!(problems(&["1 2 0"], [1, 1, 0, 0, 0], 1).len(), 1);
    }

    #[test]
    fn a_broken_line_is_none() {
        for line in ["", "1 2", "1 9 0", "1 2 3 4", "x 1 1"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
