//! Where an execution is: one branch per line of states in progress.

use crate::action::Turn;
use crate::child_result::Results;
use crate::event::{InvocationId, Micros, ReadItem, TimerId, TransferId};
use crate::item::{Item, List};
use crate::variables::Variables;
use faastlane_asl::definition::StateIndex;
use faastlane_payload::Payload;
use std::collections::VecDeque;
use std::sync::Arc;

/// The machine's own states in progress, or those of one branch of a Parallel or one iteration of a Map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    /// Tells this branch from a later one in the same slot.
    pub(crate) serial: u32,
    /// The slot of the branch whose Parallel or Map this is part of.
    pub(crate) parent: Option<u32>,
    pub(crate) turns: Arc<[Turn]>,
    pub(crate) state: StateIndex,
    pub(crate) activity: Activity,
    /// Whether it is among those that can go on.
    pub(crate) queued: bool,
    /// Of the current state, before `InputPath`.
    pub(crate) input: Payload,
    pub(crate) entered_event: u64,
    pub(crate) entered_at: Micros,
    pub(crate) last_event: u64,
    /// Retries so far, by retrier; short where the rest are 0.
    pub(crate) retries: Vec<u32>,
    /// What `$$.Map.Item` is here.
    pub(crate) item: Option<Item>,
    pub(crate) variables: Arc<Variables>,
    /// `$$.Task.Token`, of a task that waits for somebody to return it.
    pub(crate) task_token: Option<Arc<str>>,
    /// Of the first branch of a child execution.
    pub(crate) child: Option<Box<ChildExecution>>,
    /// The first branch of the child execution that this one belongs to; `None` in the execution itself.
    pub(crate) root: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Activity {
    /// To enter the state.
    Enter,
    /// To try the state that has been entered, again.
    Attempt,
    Invoking {
        invocation: InvocationId,
        timer: Option<TimerId>,
        /// The timer is the heartbeat's.
        heartbeat: bool,
    },
    /// A Wait state.
    Waiting {
        timer: TimerId,
    },
    /// Between a failed try and the next.
    Backoff {
        timer: TimerId,
    },
    Group(Box<Group>),
}

/// A Parallel or Map in progress.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// The state's effective input.
    pub(crate) input: Payload,
    pub(crate) source: Source,
    /// The next child to start.
    pub(crate) next: u32,
    pub(crate) running: u32,
    /// How many may run at a time.
    pub(crate) concurrency: u32,
    pub(crate) tolerance: Tolerance,
    pub(crate) failed: u32,
    /// By child; `None` before it ends, where its failure was tolerated and is not told of, or where it went to a writer.
    pub(crate) results: Vec<Option<Payload>>,
    /// Of the results together.
    pub(crate) result_bytes: usize,
    /// Of a distributed Map.
    pub(crate) run: Option<Box<MapRun>>,
}

/// Where the children of a group come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// A Parallel's branches: how many there are.
    Branches(u32),
    /// A Map's items, and the next of them.
    Items { items: List, next: u32 },
    /// Items that are read while the Map runs.
    Stream(Stream),
}

#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Stream {
    /// Read and not taken yet.
    pub(crate) buffer: VecDeque<ReadItem>,
    /// How many were taken.
    pub(crate) taken: u32,
    /// More have been asked for.
    pub(crate) asked: bool,
    /// There are no more to be read.
    pub(crate) ended: bool,
}

/// What a distributed Map has besides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapRun {
    /// `MapRunArn`
    pub(crate) arn: Arc<str>,
    /// Of the reader and the writer.
    pub(crate) transfer: TransferId,
    /// How many items a child gets; `None` without a batcher, where it gets the item itself.
    pub(crate) batch: Option<Batch>,
    pub(crate) results: Results,
    /// All children have ended, and the writer is about to.
    pub(crate) closing: bool,
}

/// `ItemBatcher`, evaluated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) input: Option<Payload>,
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

/// An execution of its own: an item, or a batch of items, of a distributed Map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChildExecution {
    /// `$$.Execution.Name`
    pub(crate) name: Arc<str>,
    /// `$$.Execution.Id`
    pub(crate) id: Arc<str>,
    pub(crate) input: Payload,
    pub(crate) started_at: Micros,
    /// The last event of its own history.
    pub(crate) last_event: u64,
}

/// How many failed iterations a Map stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tolerance {
    pub(crate) count: Option<u32>,
    /// 0 to 100.
    pub(crate) percentage: Option<f64>,
}

impl Tolerance {
    pub(crate) fn is_given(self) -> bool {
        self.count.is_some() || self.percentage.is_some()
    }

    pub(crate) fn is_exceeded(self, failed: u32, total: u32) -> bool {
        let share = |percentage: f64| f64::from(failed) * 100.0 > percentage * f64::from(total);
        match (self.count, self.percentage) {
            (None, None) => failed > 0,
            (count, percentage) => count.is_some_and(|count| failed > count) || percentage.is_some_and(share),
        }
    }
}

/// Branches by slot. Slots are used again, serials are not.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Branches {
    slots: Vec<Option<Branch>>,
    free: Vec<u32>,
}

impl Branches {
    pub(crate) fn insert(&mut self, branch: Branch) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(branch);
                slot
            }
            None => {
                self.slots.push(Some(branch));
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// `None` where the slot is empty or was never used: identifiers from outside may be anything.
    pub(crate) fn get(&self, slot: u32) -> Option<&Branch> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Branch> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn clear(&mut self) {
        *self = Branches::default();
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Branch> {
        let removed = self.slots.get_mut(slot as usize)?.take();
        if removed.is_some() {
            self.free.push(slot);
        }
        removed
    }

    /// Inside of a branch, at any depth, or everything without one; the innermost first.
    pub(crate) fn inside(&self, slot: Option<u32>) -> Vec<u32> {
        let mut found: Vec<(usize, u32)> = (0u32..)
            .zip(&self.slots)
            .filter_map(|(candidate, branch)| Some((candidate, branch.as_ref()?)))
            .filter(|(_, branch)| {
                slot.is_none() || self.ancestors(branch).any(|ancestor| Some(ancestor) == slot)
            })
            .map(|(candidate, branch)| (branch.turns.len(), candidate))
            .collect();
        found.sort_by_key(|(depth, slot)| (std::cmp::Reverse(*depth), *slot));
        found.into_iter().map(|(_, slot)| slot).collect()
    }

    fn ancestors<'b>(&'b self, branch: &'b Branch) -> impl Iterator<Item = u32> + 'b {
        std::iter::successors(branch.parent, |slot| self.get(*slot)?.parent)
    }
}

/// A slot that is known to be in use.
impl std::ops::Index<u32> for Branches {
    type Output = Branch;

    fn index(&self, slot: u32) -> &Branch {
        self.get(slot).expect("a branch in progress keeps its slot")
    }
}

impl std::ops::IndexMut<u32> for Branches {
    fn index_mut(&mut self, slot: u32) -> &mut Branch {
        self.get_mut(slot).expect("a branch in progress keeps its slot")
    }
}
