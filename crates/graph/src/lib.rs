//! Drawing a state machine: as SVG, laid out here, and as text for Mermaid and Graphviz.
//!
//! The way of a drawing: `read` turns a definition into a [`Graph`], the only thing that the rest knows;
//! [`Graph::mark`] adds what an execution did; `collapse` replaces many alike by a few and a card that counts the
//! others; `layout` finds the places, and `svg`, `mermaid` and `dot` write.
//!
//! Architecture Invariant: only `read.rs` knows the definition's types. Nothing here recurses over the definition or
//! takes more than about `n log n` steps: a definition may nest deep and have 10,000 states.
//!
//! May know: `asl`. What an execution was comes in as [`Execution`], plain data. Start reading at `model.rs`.
#![forbid(unsafe_code)]

mod card;
mod collapse;
mod dot;
mod execution;
mod layout;
mod mermaid;
mod model;
mod nested;
#[cfg(test)]
mod properties;
mod read;
mod svg;
mod text;
mod words;

pub use execution::{Execution, Mark, Outcome, Visit};
pub use model::{Edge, EdgeKind, Flow, FlowId, Graph, Kind, Node, NodeId};

/// What a drawing is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One file without scripts or outside references, for light and dark backgrounds.
    Svg,
    /// A Mermaid flowchart.
    Mermaid,
    /// Graphviz's language, with clusters.
    Dot,
}

impl Graph {
    /// Writes the drawing. Of many branches or states that are alike it shows a few; [`Graph::collapse`] decides.
    pub fn draw(&self, format: Format) -> String {
        match format {
            Format::Svg => svg::draw(self),
            Format::Mermaid => mermaid::draw(self),
            Format::Dot => dot::draw(self),
        }
    }
}
