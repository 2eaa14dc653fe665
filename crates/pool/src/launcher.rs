//! Where instances of a bundle come from: one template, and its copies.

use crate::crowd::Crowd;
use crate::instance::{Instance, InstanceError, Part, StartError, StartedUp};
use crate::process::{CopyError, Spawner};
use crate::template::Template;
use faastlane_asl::source::Source;
use faastlane_compose::{Durations, Plan};
use faastlane_instance::{CallReport, DomainSize};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Makes instances of one bundle, as many as are wanted, from any thread. They end with this value.
///
/// The first one takes as long as it takes to load the functions, which is done once, in a template; the others are copies of
/// it. Where it cannot be copied, each instance loads the functions itself: [`Self::not_copied`] says why.
pub struct Launcher {
    executable: PathBuf,
    plan: Arc<Plan>,
    definition: Source,
    spawner: Spawner,
    source: Mutex<Sources>,
    launched: AtomicU64,
    pub(crate) crowd: Crowd,
    durations: Mutex<Durations>,
    no_lane: Mutex<Option<String>>,
}

/// How many instances in a row are made in place of ones that ended before they were ready.
const MOST_IN_VAIN: u32 = 5;

#[derive(Default)]
struct Sources {
    template: Option<Template>,
    not_copied: Option<String>,
}

impl Launcher {
    /// `executable` becomes an instance when its first argument is [`crate::INSTANCE_ARGUMENT`].
    pub fn new(executable: PathBuf, plan: Plan, definition: Source) -> Self {
        let plan = Arc::new(plan);
        let mut durations = Durations::default();
        for function in &plan.functions {
            function.usual.into_iter().for_each(|usual| durations.set(&function.name, usual));
        }
        Self {
            executable,
            plan,
            definition,
            spawner: Spawner::new(),
            source: Mutex::default(),
            launched: AtomicU64::new(0),
            crowd: Crowd::new(),
            durations: Mutex::new(durations),
            no_lane: Mutex::default(),
        }
    }

    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Loads the functions, so that instances come up soon.
    ///
    /// # Errors
    /// They cannot be loaded.
    pub fn prepare(&self, stop: &dyn Fn() -> bool) -> Result<(), StartError> {
        let mut sources = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.template.is_none() {
            sources.template = Some(self.template(stop)?);
        }
        Ok(())
    }

    fn template(&self, stop: &dyn Fn() -> bool) -> Result<Template, StartError> {
        Template::start(&self.executable, &self.spawner, &self.plan, &self.definition, stop)
    }

    /// Why instances are not copies of one template, once that has turned out.
    pub fn not_copied(&self) -> Option<String> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).not_copied.clone()
    }

    /// Why a lane that was wanted could not be had, if that happened: the first reason.
    pub(crate) fn no_lane(&self) -> Option<String> {
        self.no_lane.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn say_no_lane(&self, why: String) {
        self.no_lane.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// How long calls have been taking, those that the plan knew of among them: to be kept for the bundle's next launcher.
    pub fn durations(&self) -> Durations {
        self.durations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn learn(&self, calls: &[CallReport]) {
        let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            let name = &self.plan.functions[call.function].name;
            let (took, busy) = (call.called_ns..call.returned_ns, call.handed_ns..call.received_ns);
            durations.add(name, took.end.saturating_sub(took.start), busy.end.saturating_sub(busy.start));
        }
    }

    /// How many instances have come up.
    pub fn launched(&self) -> u64 {
        self.launched.load(Ordering::Relaxed)
    }

    /// The numbers of the template's processes; none where there is no template.
    pub fn template_processes(&self) -> Vec<u32> {
        let sources = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        sources.template.iter().flat_map(Template::processes).collect()
    }

    /// A new instance, with every function loaded.
    pub(crate) fn launch(&self, stop: &dyn Fn() -> bool) -> Result<(Instance, StartedUp), StartError> {
        let begin = Instant::now();
        self.crowd.free_thread();
        let (mut in_vain, mut printed) = (0, Vec::new());
        loop {
            let (mut instance, domains) = {
                let mut sources = self.source.lock().unwrap_or_else(PoisonError::into_inner);
                self.make(&mut sources, stop)?
            };
            match instance.await_ready(stop) {
                Ok(()) => {
                    instance.put_back(printed);
                    self.launched.fetch_add(1, Ordering::Relaxed);
                    return Ok((instance, StartedUp { took: begin.elapsed(), domains }));
                }
                // Its functions were loaded when it was made, so that it is nobody's fault: somebody killed it.
                Err(InstanceError::Died { .. }) if in_vain < MOST_IN_VAIN => {
                    in_vain += 1;
                    printed.extend(instance.close());
                }
                Err(error) => {
                    printed.extend(instance.close());
                    return Err(StartError { error, logs: printed });
                }
            }
        }
    }

    /// Makes one more process for an instance.
    pub(crate) fn make_lane(&self, instance: &mut Instance, part: Part) -> Result<(), CopyError> {
        let sources = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        match &sources.template {
            Some(template) => template.copy_lane(instance, part),
            None => Err(CopyError::Gone),
        }
    }

    fn make(
        &self,
        sources: &mut Sources,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Instance, Vec<DomainSize>), StartError> {
        // A template that has ended is made anew, once.
        for _ in 0..2 {
            let mut template = match sources.template.take() {
                Some(template) => template,
                None => self.template(stop)?,
            };
            let domains = template.domains().to_vec();
            if sources.not_copied.is_some() {
                return Ok((template.into_instance()?, domains));
            }
            match template.copy() {
                Ok(instance) => {
                    sources.template = Some(template);
                    return Ok((instance, domains));
                }
                Err(CopyError::Refused(why)) => {
                    sources.not_copied = Some(why);
                    return Ok((template.into_instance()?, domains));
                }
                Err(CopyError::System(error)) => return Err(error.into()),
                Err(CopyError::Forged(part)) => {
                    return Err(InstanceError::Faulted(Box::new(part.forged(&self.plan))).into());
                }
                Err(CopyError::Gone) => {}
            }
        }
        let how = "its template ended twice".into();
        Err(InstanceError::Died { how, loading: Vec::new() }.into())
    }
}
