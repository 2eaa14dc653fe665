//! Colours and icons. Two sets of colours: which one counts is the viewer's choice (`prefers-color-scheme`).

use crate::execution::Outcome;
use crate::model::Kind;
use std::fmt::Write;

/// Colours of one kind of thing: fill and border of the box on a light and on a dark background.
struct Tints {
    light: (&'static str, &'static str),
    dark: (&'static str, &'static str),
}

/// The kinds with the colours of their icon and box, and the icon's strokes in a square of 24.
const KINDS: [(Kind, &str, Tints, &str); 9] = [
    (
        Kind::Task,
        "#2563eb",
        Tints { light: ("#f3f7ff", "#a9c3fb"), dark: ("#131f38", "#35589f") },
        "M8 6h2l6 12M12.3 11.5 8 18",
    ),
    (
        Kind::Pass,
        "#64748b",
        Tints { light: ("#f8fafc", "#c3cedb"), dark: ("#1a212c", "#475569") },
        "M6 12h12M13 7l5 5-5 5",
    ),
    (
        Kind::Choice,
        "#d97706",
        Tints { light: ("#fffaf0", "#f2c67c"), dark: ("#2b2010", "#8a5a14") },
        "M12 5.5l6.5 6.5-6.5 6.5-6.5-6.5z",
    ),
    (
        Kind::Wait,
        "#7c3aed",
        Tints { light: ("#f9f6ff", "#ccb6fa"), dark: ("#211a36", "#5b3fa0") },
        "M12 5a7 7 0 1 0 .01 0zM12 8.5v3.7l2.6 1.8",
    ),
    (
        Kind::Succeed,
        "#16a34a",
        Tints { light: ("#f2fcf5", "#9fdcb5"), dark: ("#10251a", "#23794a") },
        "M7 12.5l3.5 3.5 6.5-7.5",
    ),
    (
        Kind::Fail,
        "#dc2626",
        Tints { light: ("#fff5f5", "#f5b3b3"), dark: ("#2d1517", "#983a3a") },
        "M8 8l8 8M16 8l-8 8",
    ),
    (
        Kind::Parallel,
        "#0d9488",
        Tints { light: ("#f2fbfa", "#9fd8d2"), dark: ("#0f2423", "#1f6f68") },
        "M7.5 6v12M12 6v12M16.5 6v12",
    ),
    (
        Kind::Map,
        "#c026a3",
        Tints { light: ("#fdf5fb", "#e6b3dc"), dark: ("#291527", "#83336f") },
        "M6.5 7.5h11M6.5 12h11M6.5 16.5h11",
    ),
    (
        Kind::More,
        "#94a3b8",
        Tints { light: ("#f8fafc", "#c3cedb"), dark: ("#1a212c", "#475569") },
        "M6.5 12h.5M12 12h.5M17.5 12h.5",
    ),
];

/// The outcomes with their colours, and a sign's strokes in a square of 16 around its middle.
const OUTCOMES: [(Outcome, &str, Tints, &str); 5] = [
    (
        Outcome::Succeeded,
        "#16a34a",
        Tints { light: ("#ecfaf0", "#62c285"), dark: ("#10281b", "#2b8a54") },
        "M-3.5 .3-1 2.8 3.5-2.6",
    ),
    (
        Outcome::Retried,
        "#0284c7",
        Tints { light: ("#eaf7fe", "#5db7e6"), dark: ("#0f2433", "#2379a8") },
        "M3.3-1.2A3.5 3.5 0 1 0 3.4 1M3.6-4v2.9H.7",
    ),
    (
        Outcome::Caught,
        "#d97706",
        Tints { light: ("#fff6e5", "#eab04e"), dark: ("#2d210d", "#a36f17") },
        "M-3-3.5V.5a2.5 2.5 0 0 0 2.5 2.500H3.500M1 .5 3.5 3 1 5.5",
    ),
    (
        Outcome::Stopped,
        "#64748b",
        Tints { light: ("#eef2f6", "#94a3b8"), dark: ("#212a37", "#64748b") },
        "M-2.5-2.500h5v5h-5z",
    ),
    (
        Outcome::Failed,
        "#dc2626",
        Tints { light: ("#ffefef", "#ec7070"), dark: ("#331617", "#c24343") },
        "M-2.8-2.8 2.8 2.800M2.8-2.8-2.8 2.8",
    ),
];

/// Everything else, light and dark. `%` stands for the drawing, so that other drawings on a page keep their colours.
const LIGHT: &str = "\
%{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif}
% .paper,% .lane,% .chip rect{fill:#fff}
% text{fill:#475569;font-size:11px}
% .title{fill:#0f172a;font-size:18px;font-weight:700}
% .name{fill:#0f172a;font-size:13px;font-weight:600}
% .box{stroke-width:1.3}
% .lane{stroke:#d5dde7;stroke-dasharray:4 4}
% .sign{fill:none;stroke:#fff;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
% .line{fill:none;stroke:#7b8aa0;stroke-width:1.5}
% .head{fill:#7b8aa0}
% .catch.line{stroke:#d9534f;stroke-dasharray:5 4}
% .catch.head{fill:#d9534f}
% .chip rect{stroke:#d5dde7}
% .chip.catch rect{stroke:#f0b9b7}
% .chip.catch text{fill:#b3322e}
% .dot{fill:#334155}
% .ring{fill:none;stroke:#334155;stroke-width:1.5}
% .more>.box{stroke-dasharray:4 3}
% .faint{opacity:.45}
% .unreached>.box{fill:none;stroke:#c3cedb;stroke-dasharray:3 3}
% .unreached>.icon{fill:#a8b4c4}
% .unreached>text{fill:#8593a6}
";
const DARK: &str = "\
% .paper,% .lane,% .chip rect{fill:#0d1117}
% text{fill:#9fb0c6}
% .title,% .name{fill:#e6edf5}
% .lane{stroke:#2c3645}
% .line{stroke:#71819a}
% .head{fill:#71819a}
% .catch.line{stroke:#e0716d}
% .catch.head{fill:#e0716d}
% .chip rect{stroke:#364357}
% .chip.catch rect{stroke:#74403f}
% .chip.catch text{fill:#f0a09d}
% .dot{fill:#b8c5d6}
% .ring{stroke:#b8c5d6}
% .unreached>.box{fill:none;stroke:#3b4859}
% .unreached>.icon{fill:#4a586b}
% .unreached>text{fill:#748398}
";

/// The class of the whole drawing.
pub(super) const ROOT: &str = "faastlane";

/// The style sheet, with the rules for an execution's outcomes only where there is one.
pub(super) fn style(with_outcomes: bool) -> String {
    let mut css = String::new();
    let mut dark = String::new();
    let mut tint = |class: &str, tints: &Tints, accent: &str, accent_class: &str| {
        let (fill, stroke) = tints.light;
        let _ = writeln!(css, "% .{class}>.box{{fill:{fill};stroke:{stroke}}}");
        let _ = writeln!(css, "% .{class}>.{accent_class}{{fill:{accent}}}");
        let (fill, stroke) = tints.dark;
        let _ = writeln!(dark, "% .{class}>.box{{fill:{fill};stroke:{stroke}}}");
    };
    for (kind, accent, tints, _) in &KINDS {
        tint(&kind.name().to_lowercase(), tints, accent, "icon");
    }
    if with_outcomes {
        for (outcome, accent, tints, _) in &OUTCOMES {
            tint(outcome.word(), tints, accent, "badge");
        }
    }
    let css = format!("{css}{LIGHT}@media (prefers-color-scheme:dark){{\n{dark}{DARK}}}\n");
    css.replace('%', &format!(".{ROOT}"))
}

pub(super) fn icon(kind: Kind) -> &'static str {
    KINDS.iter().find(|(other, ..)| *other == kind).map_or("", |(.., strokes)| strokes)
}

pub(super) fn badge(outcome: Outcome) -> &'static str {
    OUTCOMES.iter().find(|(other, ..)| *other == outcome).map_or("", |(.., strokes)| strokes)
}
