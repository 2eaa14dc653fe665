//! What each kind of state does. [`crate::run`] calls in here when a branch enters a state, tries it again, or gets
//! what it waited for.

mod choice;
mod group;
mod map;
mod map_results;
mod map_run;
mod pass_succeed_fail;
mod task;
mod wait;

pub(crate) use task::Answer;
