//! Control groups of the kernel, in version 2 or 1: where new ones can be made, and what one holds its processes to.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }

    /// The file of a group that sets its limit.
    fn limit_file(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Memory, Version::Two) => "memory.max",
            (Self::Memory, Version::One) => "memory.limit_in_bytes",
            (Self::Cpu, Version::Two) => "cpu.max",
            (Self::Cpu, Version::One) => "cpu.cfs_quota_us",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = match self {
            Self::One => 1,
            Self::Two => 2,
        };
        write!(f, "a control group (version {number})")
    }
}

/// A group in which groups can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parent {
    version: Version,
    folder: PathBuf,
}

/// Where groups can be made for the instances of this process, or why not.
pub(crate) struct ControlGroups {
    memory: Result<Parent, String>,
    cpu: Result<Parent, String>,
}

/// What the groups of this program's instances are called; the number of their process follows.
const PREFIX: &str = "faastlane-";
/// Those that could not be removed yet, since a process in them was not gone.
static LEFT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

impl ControlGroups {
    /// Found out once: a process stays where it is.
    pub(crate) fn of_this_process() -> &'static Self {
        static FOUND: OnceLock<ControlGroups> = OnceLock::new();
        FOUND.get_or_init(|| {
            if faastlane_sandbox::left_out("control-groups") {
                let reason = || Err("left out for a test".to_owned());
                return Self { memory: reason(), cpu: reason() };
            }
            let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            let find = |controller| usable(controller, &groups, &mounts);
            let mut found = Self { memory: find(Controller::Memory), cpu: find(Controller::Cpu) };
            found.settle_on_one();
            for parent in found.memory.iter().chain(&found.cpu) {
                remove_stale(&parent.folder);
            }
            found
        })
    }

    /// Two places in one hierarchy are of no use, since a process can be in one group of it only.
    fn settle_on_one(&mut self) {
        let (Ok(memory), Ok(cpu)) = (&self.memory, &self.cpu) else { return };
        if [memory, cpu].iter().all(|parent| parent.version == Version::Two) && memory.folder != cpu.folder {
            let [memory, cpu] = [memory, cpu].map(|parent| parent.folder.display().to_string());
            self.cpu = Err(format!("{cpu} has the cpu controller on, but memory is held in {memory}"));
        }
    }

    /// Whether a group for memory is one for CPU time too.
    pub(crate) fn are_one_hierarchy(&self) -> bool {
        matches!((&self.memory, &self.cpu), (Ok(memory), Ok(cpu)) if memory.folder == cpu.folder)
    }

    fn parent(&self, controller: Controller) -> &Result<Parent, String> {
        match controller {
            Controller::Memory => &self.memory,
            Controller::Cpu => &self.cpu,
        }
    }

    /// Which version holds a group of processes to a limit here, or why none does.
    pub(crate) fn can(&self, controller: Controller) -> Result<Version, &str> {
        self.parent(controller).as_ref().map(|parent| parent.version).map_err(String::as_str)
    }

    pub(crate) fn make(&self, controller: Controller) -> io::Result<Group> {
        let parent = self.parent(controller).as_ref().map_err(|reason| io::Error::other(reason.as_str()))?;
        Group::make(parent)
    }
}

/// A group of processes. Goes with this value, once its processes have.
pub(crate) struct Group {
    version: Version,
    folder: PathBuf,
}

impl Group {
    fn make(parent: &Parent) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.folder.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self { version: parent.version, folder })
    }

    pub(crate) fn add(&self, process: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }

    pub(crate) fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        fs::write(self.folder.join(Controller::Memory.limit_file(self.version)), bytes.to_string())?;
        let (swap, most) = match self.version {
            Version::Two => ("memory.swap.max", 0),
            Version::One => ("memory.memsw.limit_in_bytes", bytes),
        };
        match fs::write(self.folder.join(swap), most.to_string()) {
            // A kernel that counts no swap.
            Err(error) if [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&error.kind()) => {
                Ok(())
            }
            written => written,
        }
    }

    pub(crate) fn limit_cpus(&self, cpus: f64) -> io::Result<()> {
        const PERIOD_US: u32 = 100_000;
        // At least a millisecond: the kernel takes no less.
        let quota = ((cpus * f64::from(PERIOD_US)) as u64).max(1000);
        let file = self.folder.join(Controller::Cpu.limit_file(self.version));
        match self.version {
            Version::Two => fs::write(file, format!("{quota} {PERIOD_US}")),
            Version::One => {
                fs::write(self.folder.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
                fs::write(file, quota.to_string())
            }
        }
    }

    /// `None` on version 2 before Linux 5.19.
    pub(crate) fn peak_bytes(&self) -> Option<u64> {
        let file = match self.version {
            Version::Two => "memory.peak",
            Version::One => "memory.max_usage_in_bytes",
        };
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }

    /// Whether the kernel has ended a process of the group for want of memory.
    pub(crate) fn killed_any(&self) -> bool {
        let file = match self.version {
            Version::Two => "memory.events",
            Version::One => "memory.oom_control",
        };
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        left.push(std::mem::take(&mut self.folder));
        left.retain(|folder| fs::remove_dir(folder).is_err_and(|error| error.kind() != ErrorKind::NotFound));
    }
}

/// Removes groups whose program was killed before it could. Those with processes in them are not removed.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')).map(|(pid, _)| pid);
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another command may have removed it in the meantime.
            drop(fs::remove_dir(entry.path()));
        }
    }
}

/// A group in which a group with a limit can really be made: tried, not guessed.
fn usable(controller: Controller, groups: &str, mounts: &str) -> Result<Parent, String> {
    let name = controller.name();
    let own = own_group(name, groups, mounts)
        .ok_or_else(|| format!("no mounted control group hierarchy has the {name} controller"))?;
    let mut problem = match try_in(controller, &own) {
        Ok(()) => return Ok(own),
        Err(problem) => problem,
    };
    // Version 2 takes no groups with limits into one that has processes itself. Beside it there is room, as long as that
    // is no way out of a limit.
    let unlimited =
        |file: &str| fs::read_to_string(own.folder.join(file)).is_ok_and(|limit| limit.starts_with("max"));
    let room = own.version == Version::Two && unlimited("memory.max") && unlimited("cpu.max");
    if let Some(beside) = own.folder.parent().filter(|_| room) {
        let beside = Parent { version: Version::Two, folder: beside.to_owned() };
        match try_in(controller, &beside) {
            Ok(()) => return Ok(beside),
            Err(other) => problem = format!("{problem}; {other}"),
        }
    }
    Err(problem)
}

fn try_in(controller: Controller, parent: &Parent) -> Result<(), String> {
    let folder = parent.folder.display();
    if parent.version == Version::Two {
        let on = fs::read_to_string(parent.folder.join("cgroup.subtree_control")).unwrap_or_default();
        if !on.split_whitespace().any(|name| name == controller.name()) {
            fs::write(parent.folder.join("cgroup.subtree_control"), format!("+{}", controller.name()))
                .map_err(|error| format!("{folder} gives no {} controller on: {error}", controller.name()))?;
        }
    }
    let group = Group::make(parent).map_err(|error| format!("no group can be made in {folder}: {error}"))?;
    match group.folder.join(controller.limit_file(parent.version)).exists() {
        true => Ok(()),
        false => Err(format!("groups in {folder} take no limit of {}", controller.name())),
    }
}

/// The group that this process is in, as a folder, in the hierarchy that has the controller. `groups` is its
/// `/proc/self/cgroup`, `mounts` its `/proc/self/mountinfo` (proc(5), cgroups(7)).
fn own_group(controller: &str, groups: &str, mounts: &str) -> Option<Parent> {
    let mut unified = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        if controllers.split(',').any(|name| name == controller) {
            let folder = mounted(mounts, "cgroup", Some(controller), path)?;
            return Some(Parent { version: Version::One, folder });
        }
        if controllers.is_empty() {
            unified = Some(path);
        }
    }
    let folder = mounted(mounts, "cgroup2", None, unified?)?;
    let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    let has = controllers.split_whitespace().any(|name| name == controller);
    has.then_some(Parent { version: Version::Two, folder })
}

/// Where a group's path is to be found among the mounts of a kind.
fn mounted(mounts: &str, kind: &str, option: Option<&str>, path: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        // `36 35 98:0 /root /point rw,… - kind source options`
        let (about, filesystem) = line.split_once(" - ")?;
        let mut about = about.split(' ').skip(3);
        let (root, point) = (about.next()?, about.next()?);
        let mut filesystem = filesystem.split(' ');
        let options = filesystem.clone().nth(2)?;
        let matches = filesystem.next()? == kind
            && option.is_none_or(|wanted| options.split(',').any(|option| option == wanted));
        let below = Path::new(path).strip_prefix(root).ok()?;
        matches.then(|| Path::new(point).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        30 1 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs rw,mode=755\n\
        31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        32 30 0:28 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        33 30 0:29 / /nowhere/unified rw - cgroup2 cgroup2 rw\n";
    const GROUPS: &str = "5:memory:/user/1\n4:cpu,cpuacct:/docker/abc/x\n0::/user/1\n";

    #[test]
    fn the_own_group_is_found_below_where_it_is_mounted() {
        let folder = |controller| own_group(controller, GROUPS, MOUNTS).map(|parent| parent.folder);
        assert_eq!(folder("memory"), Some("/sys/fs/cgroup/memory/user/1".into()));
        assert_eq!(folder("cpu"), Some("/sys/fs/cgroup/cpu,cpuacct/x".into()));
        // Version 2 is mounted, but its folder says of no controller that it has it.
        assert_eq!(folder("io"), None);
        assert_eq!(own_group("memory", "", MOUNTS), None);
        assert_eq!(own_group("memory", GROUPS, ""), None);
    }

    #[test]
    fn where_no_group_can_be_made_it_says_why() {
        for (groups, mounts, reason) in [
            ("", "", "no mounted control group hierarchy has the memory controller"),
            (GROUPS, "31 30 0:27 / /no/such/place rw - cgroup cgroup rw,memory\n", "no group can be made in"),
        ] {
            let problem = usable(Controller::Memory, groups, mounts).unwrap_err();
            assert!(problem.starts_with(reason), "{problem}");
        }
    }

    #[test]
    fn one_hierarchy_is_used_in_one_place() {
        let at = |version, folder: &str| Ok(Parent { version, folder: folder.into() });
        let mut one = ControlGroups { memory: at(Version::Two, "/a"), cpu: at(Version::Two, "/a") };
        one.settle_on_one();
        assert!(one.are_one_hierarchy());
        let mut two =
            ControlGroups { memory: at(Version::One, "/memory/a"), cpu: at(Version::One, "/cpu/a") };
        two.settle_on_one();
        assert!(!two.are_one_hierarchy() && two.can(Controller::Cpu).is_ok());
        let mut apart = ControlGroups { memory: at(Version::Two, "/a"), cpu: at(Version::Two, "/b") };
        apart.settle_on_one();
        assert_eq!(apart.can(Controller::Memory), Ok(Version::Two));
        assert_eq!(apart.can(Controller::Cpu), Err("/b has the cpu controller on, but memory is held in /a"));
    }

    #[test]
    fn groups_go_with_their_values() {
        // A folder stands in for the hierarchy: what is tested is what is made and removed.
        let hierarchy = tempfile::tempdir().unwrap();
        let parent = Parent { version: Version::One, folder: hierarchy.path().to_owned() };
        let group = Group::make(&parent).unwrap();
        assert!(group.folder.starts_with(hierarchy.path()) && group.folder.is_dir());
        assert!(!group.killed_any());
        fs::write(group.folder.join("memory.oom_control"), "oom_kill_disable 0\noom_kill 0\n").unwrap();
        assert!(!group.killed_any());
        fs::write(group.folder.join("memory.oom_control"), "oom_kill_disable 0\noom_kill 2\n").unwrap();
        assert!(group.killed_any());
        fs::remove_file(group.folder.join("memory.oom_control")).unwrap();
        fs::create_dir(hierarchy.path().join(format!("{PREFIX}4194305-0"))).unwrap();
        remove_stale(hierarchy.path());
        assert_eq!(fs::read_dir(hierarchy.path()).unwrap().count(), 1, "that of a process that is there");
        drop(group);
        assert_eq!(fs::read_dir(hierarchy.path()).unwrap().count(), 0);
    }
}
