//! Pictures of dates and times: `[Y0001]-[M01]-[D01]`.
//!
//! Source: <https://www.w3.org/TR/xpath-functions-31/#date-picture-string>.

use super::Fault;
use super::integer::{Case, Format, Primary, leading_integer};
use crate::jsonata::error::quoted;

pub(super) enum Part {
    Literal(String),
    Marker(Marker),
}

#[derive(Clone)]
pub(super) struct Marker {
    pub(super) component: char,
    /// Written as a name, in this case.
    pub(super) names: Option<Case>,
    pub(super) widest: Option<usize>,
    pub(super) integer: Option<Format>,
    /// How many digits of the year are written.
    pub(super) year_digits: Option<usize>,
    /// `t`: no offset is `Z`.
    pub(super) traditional: bool,
}

/// Source: the reference implementation, `defaultPresentationModifiers`.
fn default_presentation(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

pub(super) fn parse(picture: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut rest = picture;
    while let Some(open) = rest.find('[') {
        literal(&rest[..open], &mut parts);
        if rest[open + 1..].starts_with('[') {
            parts.push(Part::Literal("[".to_owned()));
            rest = &rest[open + 2..];
            continue;
        }
        let Some(length) = rest[open..].find(']') else { return Err(Fault::new("D3135")) };
        let marker: String =
            rest[open + 1..open + length].chars().filter(|letter| !letter.is_whitespace()).collect();
        let marker = self::marker(&marker)?;
        // Numbers that follow each other at once have as many digits as their pictures.
        if marker.integer.is_some()
            && marker.names.is_none()
            && !matches!(marker.component, 'Z' | 'z')
            && let Some(Part::Marker(Marker { integer: Some(before), .. })) = parts.last_mut()
        {
            before.parse_width = before.mandatory_digits().map(|digits| *digits);
        }
        parts.push(Part::Marker(marker));
        rest = &rest[open + length + 1..];
    }
    literal(rest, &mut parts);
    Ok(parts)
}

fn literal(text: &str, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.replace("]]", "]")));
    }
}

fn marker(text: &str) -> Result<Marker, Fault> {
    let component = text.chars().next().unwrap_or(' ');
    let unknown = || Fault::value("D3132", quoted(text.get(..component.len_utf8()).unwrap_or_default()));
    let default = default_presentation(component).ok_or_else(unknown)?;
    let (before, width) = match text.rsplit_once(',') {
        Some((before, width)) => (before, Some(width)),
        None => (text, None),
    };
    let given = &before[component.len_utf8().min(before.len())..];
    let (narrowest, widest) = widths(width);
    let (mut presentation, mut second) = (if given.is_empty() { default } else { given }, None);
    if given.chars().count() > 1 && given.ends_with(['a', 't', 'c', 'o']) {
        let (first, last) = given.split_at(given.len() - 1);
        (presentation, second) = (first, Some(last));
    }
    let mut marker = Marker {
        component,
        names: None,
        widest,
        integer: None,
        year_digits: None,
        traditional: second == Some("t"),
    };
    if presentation.starts_with('n') {
        marker.names = Some(Case::Lower);
    } else if let Some(rest) = presentation.strip_prefix('N') {
        marker.names = Some(if rest.starts_with('n') { Case::Title } else { Case::Upper });
    } else if "YMDdFWwXxHhmsf".contains(component) {
        let picture = second.map_or(presentation.to_owned(), |second| format!("{presentation};{second}"));
        marker.integer = Some(Format::parse(&picture)?);
        fit_width(&mut marker, narrowest);
    }
    if matches!(component, 'Z' | 'z') {
        marker.integer = Some(Format::parse(presentation)?);
    }
    Ok(marker)
}

fn widths(width: Option<&str>) -> (Option<usize>, Option<usize>) {
    let read = |text: &str| {
        let number = leading_integer(text);
        (0.0..1e9).contains(&number).then_some(number as usize)
    };
    match width.map(|width| width.split_once('-').map_or((width, None), |(least, most)| (least, Some(most))))
    {
        Some((least, most)) => (read(least), most.and_then(read)),
        None => (None, None),
    }
}

fn fit_width(marker: &mut Marker, narrowest: Option<usize>) {
    let Some(Format { primary: Primary::Decimal { mandatory, optional, .. }, .. }) = &mut marker.integer
    else {
        return;
    };
    if let Some(narrowest) = narrowest {
        *mandatory = (*mandatory).max(narrowest);
    }
    if marker.component == 'Y' {
        match marker.widest {
            Some(widest) => {
                *mandatory = widest;
                marker.year_digits = Some(widest);
            }
            None if *mandatory + *optional >= 2 => marker.year_digits = Some(*mandatory + *optional),
            None => {}
        }
    }
}
