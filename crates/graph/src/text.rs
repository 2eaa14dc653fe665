//! How wide text is, and making it fit. The viewer's fonts are not known: what is measured is Arial with some room, which
//! holds for the fonts that stand in for it.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The kinds of text in a drawing, by size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Font {
    /// Of the whole drawing.
    Title,
    /// Of a state.
    Name,
    /// What stands below a name, and on arrows.
    Small,
}

impl Font {
    pub(crate) fn size(self) -> f64 {
        match self {
            Font::Title => 18.0,
            Font::Name => 13.0,
            Font::Small => 11.0,
        }
    }

    /// Room for other fonts, and for bold letters.
    fn stretch(self) -> f64 {
        match self {
            Font::Title | Font::Name => 1.13,
            Font::Small => 1.06,
        }
    }
}

/// Of Arial, from the space on, in thousandths of the size.
#[rustfmt::skip]
const ADVANCES: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// Of everything else, for each column that a terminal would give it.
const OTHER: f64 = 0.65;
const OTHER_WIDE: f64 = 1.05;

/// In pixels.
pub(crate) fn width(text: &str, font: Font) -> f64 {
    text.graphemes(true).map(|character| character_width(character, font)).sum()
}

fn character_width(character: &str, font: Font) -> f64 {
    let ascii = |byte: u8| ADVANCES.get(usize::from(byte).wrapping_sub(0x20)).copied();
    let em = match (character.as_bytes(), character.width()) {
        ([byte], _) => f64::from(ascii(*byte).unwrap_or(650)) / 1000.0,
        (_, 0 | 1) => OTHER,
        (_, columns) => columns as f64 / 2.0 * OTHER_WIDE,
    };
    em * font.size() * font.stretch()
}

/// The text, or its beginning and `…`.
pub(crate) fn fit(text: &str, font: Font, most: f64) -> String {
    let cut = fitting(text, font, most);
    if cut == text.len() {
        return text.to_owned();
    }
    let cut = fitting(text, font, most - character_width("…", font));
    format!("{}…", text[..cut].trim_end())
}

/// How many bytes of the text fit.
fn fitting(text: &str, font: Font, most: f64) -> usize {
    let mut used = 0.0;
    for (at, character) in text.grapheme_indices(true) {
        used += character_width(character, font);
        if used > most {
            return at;
        }
    }
    text.len()
}

/// On two lines at most, broken where a name has a seam: a space, an underscore, a capital.
pub(crate) fn two_lines(text: &str, font: Font, most: f64) -> Vec<String> {
    let cut = fitting(text, font, most);
    if cut == text.len() {
        return vec![text.to_owned()];
    }
    let seam = seams(&text[..cut]).filter(|at| at * 3 >= cut).last().unwrap_or(cut);
    let seam = if is_seam(text, cut) { cut } else { seam };
    if seam == 0 {
        return vec![fit(text, font, most)];
    }
    vec![text[..seam].trim_end().to_owned(), fit(text[seam..].trim_start(), font, most)]
}

fn seams(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.char_indices().map(|(at, _)| at).filter(|&at| is_seam(text, at))
}

/// Whether a name may be broken before byte `at`.
fn is_seam(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text[..at].chars().next_back(), text[at..].chars().next()) else {
        return false;
    };
    after == ' '
        || matches!(before, ' ' | '_' | '-' | '.' | '/' | ':')
        || before.is_lowercase() && after.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_broken_at_seams_and_shortened() {
        assert_eq!(two_lines("Short", Font::Name, 100.0), ["Short"]);
        assert_eq!(two_lines("CheckMarginBalance", Font::Name, 110.0), ["CheckMargin", "Balance"]);
        assert_eq!(two_lines("check the margin", Font::Name, 80.0), ["check the", "margin"]);
        let long = two_lines(&"x".repeat(80), Font::Name, 100.0);
        assert!(long.len() == 2 && long[1].ends_with('…'), "{long:?}");
        assert!(width(&long[1], Font::Name) <= 100.0);
    }

    #[test]
    fn wide_letters_are_wide() {
        assert!(width("状態", Font::Name) > 2.0 * width("ab", Font::Name) * 0.8);
        assert_eq!(fit("状態機械", Font::Name, 45.0), "状態…");
    }
}
