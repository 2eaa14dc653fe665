#![forbid(unsafe_code)]

pub mod definition;
pub mod diagnostic;
pub mod number;
pub mod path;
pub mod source;
pub mod template;
