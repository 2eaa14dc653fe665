//! `faastlane bench apps`: the paper's four applications end to end, the time between their functions, and what they would be
//! billed, beside every function in a process of its own behind an HTTP server.

mod ours;
mod peers;

use crate::BenchError;
use crate::contest::{Entry, take_turns};
use crate::outside::Outside;
use crate::report::{Contestant, Heading, MissingPeer, Unavailable};
use crate::statistics::Summary;
use faastlane_compose::{Isolation, load, plan};
use ours::App;
use peers::Served;
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

const METRIC: &str = "from handing the event over to having the output, in microseconds";

/// Section 5 of the paper (Kotni et al., USENIX ATC 2021). `peers/apps.py` knows them by these names.
pub const APPLICATIONS: [&str; 4] = ["finra", "ml-prediction", "healthcare", "sentiment"];

/// How much is measured. Each number is at least 1.
#[derive(Clone, Debug)]
pub struct AppsOptions {
    /// The folder that has a folder of a workflow for each, with `events/default.json`.
    pub examples: PathBuf,
    /// In a round.
    pub executions: usize,
    pub rounds: usize,
}

/// A measurement and what it needs of the outside.
pub struct Apps<'a> {
    pub options: &'a AppsOptions,
    pub outside: &'a Outside<'a>,
}

/// `faastlane bench apps --json`.
#[derive(Clone, Debug, Serialize)]
pub struct AppsReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    /// Applications that could not.
    pub missing_apps: Vec<MissingPeer>,
    pub rounds: usize,
    pub executions_per_round: usize,
    pub contests: Vec<AppContest>,
}

#[derive(Clone, Debug, Serialize)]
pub struct AppContest {
    pub app: String,
    /// Calls of functions in one execution.
    pub calls: u64,
    pub cost: Cost,
    /// Ours first, the strongest isolation before the others.
    pub contestants: Vec<AppContestant>,
}

#[derive(Clone, Debug, Serialize)]
pub struct AppContestant {
    #[serde(flatten)]
    pub contestant: Contestant,
    /// Between the first call of a function and the last return, when no function ran.
    pub interaction: Summary,
    /// The median of it over the median of the whole.
    pub interaction_share: f64,
    /// Its median over that of the first contestant; `None` where either is too noisy.
    pub interaction_ratio: Option<f64>,
}

/// What one execution would be billed on average, by the time that functions took in ours. Gigabytes times milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    /// As one unit, which has the memory of all functions for as long as it takes.
    pub unit_gb_ms: f64,
    /// Each call rounded up to a millisecond, with the memory of its function.
    pub apart_gb_ms: f64,
}

/// What interaction took, round by round, in microseconds: a contender has one kind of samples, and this is the other.
type Interactions = Rc<RefCell<Vec<Vec<f64>>>>;

impl Apps<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, two executions of the same event differ, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<AppsReport, BenchError> {
        let Apps { options, outside } = self;
        let begun = outside.begin();
        let (ways, unavailable) = outside.isolations()?;
        let mut surroundings = outside.surroundings.clone();
        surroundings.overrides.isolation = Some(ways[0]);
        let (mut contests, mut missing_apps, mut about) = (Vec::new(), Vec::new(), None);
        for app in APPLICATIONS {
            let folder = options.examples.join(app);
            if !folder.is_dir() {
                let reason = format!("{} is no folder", folder.display());
                missing_apps.push(MissingPeer { peer: app, reason });
                continue;
            }
            progress(&format!("{app}: composing"));
            let workflow = load(&folder, &surroundings).map_err(BenchError::Compose)?;
            let planned = plan(&workflow, outside.host, &mut |_| ()).map_err(BenchError::Compose)?;
            let python = planned.pythons[0].clone();
            about = Some((planned.isolation, python));
            contests.push(self.contest(app, &folder, progress)?);
        }
        let (isolation, python) = match about {
            Some(about) => about,
            None => {
                let (_, plan) = crate::line::of_hops(1, crate::line::Domains::Apart)?.compose(
                    outside,
                    ways[0],
                    1 << 20,
                )?;
                (plan.isolation, plan.pythons[0].clone())
            }
        };
        Ok(AppsReport {
            heading: begun.heading("apps", METRIC, &python, outside),
            isolation,
            unavailable,
            missing_apps,
            rounds: options.rounds,
            executions_per_round: options.executions,
            contests,
        })
    }

    fn contest(
        &self,
        app: &'static str,
        folder: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<AppContest, BenchError> {
        let Apps { options, outside } = self;
        let event = folder.join("events").join("default.json");
        let input: Value = serde_json::from_slice(&fs::read(&event)?).map_err(std::io::Error::from)?;
        let (ways, _) = outside.isolations()?;
        let (mut entries, mut interactions, mut measured) = (Vec::new(), Vec::new(), None);
        for &way in &ways {
            let ours = App::start(outside, folder, way, &input, options.executions)?;
            interactions.push(ours.interactions.clone());
            measured.get_or_insert((ours.output.clone(), ours.plan.clone(), ours.metering.clone()));
            entries.push(Entry::new(true, ours));
        }
        let Some((output, plan, metering)) = measured else { return Err(BenchError::Interrupted) };
        let served = Served::new(app, &plan, &event, output, options.executions)?;
        interactions.push(served.interactions.clone());
        entries.push(Entry::new(false, served));
        let contestants = take_turns(app, options.rounds, entries, outside, progress)?;
        let metering = metering.borrow();
        let executions = metering.executions.max(1);
        Ok(AppContest {
            app: app.to_owned(),
            calls: metering.calls() / executions,
            cost: Cost {
                unit_gb_ms: metering.gb_ms() / executions as f64,
                apart_gb_ms: metering.apart_gb_ms() / executions as f64,
            },
            contestants: with_interaction(contestants, &interactions),
        })
    }
}

fn with_interaction(contestants: Vec<Contestant>, interactions: &[Interactions]) -> Vec<AppContestant> {
    let summaries: Vec<Summary> =
        interactions.iter().map(|rounds| Summary::of(rounds.borrow().as_slice())).collect();
    let ours = summaries.first().cloned();
    let both = |(contestant, interaction): (Contestant, Summary)| AppContestant {
        interaction_share: (interaction.p50_us / contestant.summary.p50_us).clamp(0.0, 1.0),
        interaction_ratio: ours
            .as_ref()
            .filter(|ours| !ours.too_noisy && !interaction.too_noisy && ours.p50_us > 0.0)
            .map(|ours| interaction.p50_us / ours.p50_us),
        contestant,
        interaction,
    };
    contestants.into_iter().zip(summaries).map(both).collect()
}
