//! Short words for people: durations, numbers of things, shortened texts.

use unicode_segmentation::UnicodeSegmentation;

/// `830 µs`, `9.69 ms`, `1.250 s`
pub(crate) fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.2} ms", us as f64 / 1e3),
        _ => format!("{:.3} s", us as f64 / 1e6),
    }
}

/// `1 state`, `2 states`
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first characters, as a person counts them, and `…` where there are more than `most`.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut characters = text.graphemes(true);
    let short: String = characters.by_ref().take(most).collect();
    match characters.next() {
        None => short,
        // Room for the mark.
        Some(_) => text.graphemes(true).take(most.saturating_sub(1)).chain(["…"]).collect(),
    }
}

/// Makes what cannot be seen visible: `␊` for a line break. Drawings and their formats take no control characters.
pub(crate) fn visible(text: &str) -> String {
    let replace = |letter: char| match letter {
        '\0'..='\x1f' => char::from_u32(0x2400 + letter as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        // Would turn what follows around, outside of the name too.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => letter,
    };
    text.chars().map(replace).collect()
}
