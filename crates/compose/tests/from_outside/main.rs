//! The composer from outside: folders in, plans and findings out. Nothing here needs a network.

mod folder;
mod loading;
mod planning;
mod python_search;
mod requirements;
mod sam;
