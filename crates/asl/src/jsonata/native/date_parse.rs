//! `$toMillis`.

use super::date_picture::{Marker, Part, parse};
use super::integer::{Grouping, Primary, leading_integer};
use super::time::{DAY, DAYS, Date, FARTHEST, MONTHS, instant};
use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::error::quoted;
use crate::jsonata::value::Value;
use regex::{Captures, Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::LazyLock;

/// Source: the reference implementation, `iso8601regex`.
static ISO_8601: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^([0-9]{4})(?:-([01][0-9]))?(?:-([0-3][0-9]))?",
        r"(?:T([0-2][0-9]):([0-5][0-9]):([0-5][0-9]))?(\.[0-9]+)?(?:([+-][0-2][0-9]):?([0-5][0-9])|Z)?$"
    ))
    .ok()
});

pub(super) fn to_millis<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (text, picture) = (arguments.text(0)?, arguments.text(1)?);
    let Some(text) = text else { return Ok(Value::Undefined) };
    evaluator.spend(100 + text.len())?;
    let millis = match picture {
        None => Some(of_iso_8601(&text).ok_or_else(|| Fault::value("D3110", quoted(&text)))?),
        Some(picture) => {
            evaluator.spend(picture.len() * 10)?;
            of_picture(&text, &picture, evaluator.now_millis as f64)?
        }
    };
    Ok(millis.map_or(Value::Undefined, Value::number))
}

fn of_iso_8601(text: &str) -> Option<f64> {
    let found = ISO_8601.as_ref()?.captures(text)?;
    let number = |index: usize, default: f64| number(&found, index).unwrap_or(default);
    let (month, day, hour) = (number(2, 1.0), number(3, 1.0), number(4, 0.0));
    if !(1.0..=12.0).contains(&month) || !(1.0..=31.0).contains(&day) || hour > 24.0 {
        return None;
    }
    let seconds = (hour * 60.0 + number(5, 0.0)) * 60.0 + number(6, 0.0);
    let millis = found.get(7).map_or(0.0, |fraction| {
        let digits: String = fraction.as_str().chars().skip(1).chain("000".chars()).take(3).collect();
        leading_integer(&digits)
    });
    let hours = number(8, 0.0);
    let minutes = if found.get(8).is_some_and(|hours| hours.as_str().starts_with('-')) {
        -number(9, 0.0)
    } else {
        number(9, 0.0)
    };
    let offset = (hours * 60.0 + minutes) * 60_000.0;
    Some(instant(number(1, 0.0), month - 1.0, day) + seconds * 1_000.0 + millis - offset)
}

fn number(found: &Captures<'_>, index: usize) -> Option<f64> {
    found.get(index).map(|digits| leading_integer(digits.as_str()))
}

/// What was read for each component.
type Components = BTreeMap<char, f64>;

fn of_picture(text: &str, picture: &str, now: f64) -> Result<Option<f64>, Fault> {
    let parts = parse(picture)?;
    let mut pattern = String::from("^");
    for part in &parts {
        pattern += &match part {
            Part::Literal(literal) => format!("({})", regex::escape(literal)),
            Part::Marker(marker) => format!("({})", marker_pattern(marker)?),
        };
    }
    pattern.push('$');
    let engine = RegexBuilder::new(&pattern).case_insensitive(true).size_limit(1 << 20).build();
    let Some(found) = engine.map_err(|_| Fault::Bytes)?.captures(text) else { return Ok(None) };
    let mut components = Components::new();
    for (part, group) in parts.iter().zip(found.iter().skip(1)) {
        if let (Part::Marker(marker), Some(group)) = (part, group)
            && let Some(value) = read(marker, group.as_str())?
        {
            components.insert(marker.component, value);
        }
    }
    if components.is_empty() { Ok(None) } else { assembled(components, now) }
}

fn separator(marker: &Marker) -> Option<char> {
    match marker.integer.as_ref().map(|format| &format.primary) {
        Some(Primary::Decimal { grouping: Grouping::Every(_, separator), .. }) => Some(*separator),
        _ => None,
    }
}

fn marker_pattern(marker: &Marker) -> Result<String, Fault> {
    Ok(match (marker.component, &marker.integer) {
        ('Z' | 'z', _) => {
            let prefix = if marker.component == 'z' { "GMT" } else { "" };
            let rest = separator(marker).map_or(String::new(), |separator| {
                format!("{}[0-9]+", regex::escape(&separator.to_string()))
            });
            format!("{prefix}[-+][0-9]+{rest}")
        }
        ('f', _) => "[0-9]+".to_owned(),
        (_, Some(format)) => format.pattern()?,
        ('M' | 'x' | 'F' | 'P', None) => "[a-zA-Z]+".to_owned(),
        (other, None) => return Err(Fault::value("D3133", quoted(&other.to_string()))),
    })
}

fn read(marker: &Marker, text: &str) -> Result<Option<f64>, Fault> {
    let named = |names: &[&str]| {
        let is = |name: &&str| match marker.widest {
            Some(widest) => name.chars().take(widest).eq(text.chars()),
            None => *name == text,
        };
        names.iter().position(is).map(|index| index as f64 + 1.0)
    };
    Ok(match (marker.component, &marker.integer) {
        ('Z' | 'z', _) => {
            Some(offset(marker, text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic())))
        }
        ('f', _) => {
            let digits: String = text.chars().take(3).collect();
            Some((format!("0.{digits}").parse::<f64>().unwrap_or(0.0) * 1_000.0).round())
        }
        (_, Some(format)) => Some(format.read(text)?),
        ('M' | 'x', None) => named(&MONTHS),
        ('F', None) => named(&DAYS),
        _ => match text {
            "am" | "AM" => Some(0.0),
            "pm" | "PM" => Some(1.0),
            _ => None,
        },
    })
}

/// In minutes.
fn offset(marker: &Marker, text: &str) -> f64 {
    let (hours, minutes) = match separator(marker).and_then(|separator| text.split_once(separator)) {
        Some((hours, minutes)) => (leading_integer(hours), leading_integer(minutes)),
        None if text.len() <= 3 => (leading_integer(text), 0.0),
        None => (leading_integer(&text[..3]), leading_integer(&text[3..])),
    };
    hours * 60.0 + minutes
}

/// Whether these components, and no others of `all`, may be there, and one of them is. `types` has a `1` for each that
/// may.
fn is_type(components: &Components, all: &str, types: &str) -> bool {
    let mut any = false;
    for (component, may_be) in all.chars().zip(types.chars()) {
        let is = components.get(&component).is_some_and(|value| *value != 0.0);
        if is && may_be == '0' {
            return false;
        }
        any |= is;
    }
    any
}

/// Components that are missing in front are those of now; those behind are the first ones.
fn assembled(mut components: Components, now: f64) -> Result<Option<f64>, Fault> {
    const DATE: &str = "YXMxWwdD";
    const TIME: &str = "PHhmsf";
    let by_day_of_year = !is_type(&components, DATE, "10100001") && is_type(&components, DATE, "10000010");
    let by_week = is_type(&components, DATE, "01010100") || is_type(&components, DATE, "01001000");
    let half_days = !is_type(&components, TIME, "010111") && is_type(&components, TIME, "101111");
    if by_week {
        return Err(Fault::new("D3136"));
    }
    let date = if by_day_of_year { "YD" } else { "YMD" };
    let time = if half_days { "Phmsf" } else { "Hmsf" };
    let now = Date::new(now.clamp(-FARTHEST, FARTHEST));
    let (mut started, mut ended) = (false, false);
    for component in date.chars().chain(time.chars()) {
        match components.entry(component) {
            Entry::Occupied(_) if ended => return Err(Fault::new("D3136")),
            Entry::Occupied(_) => started = true,
            Entry::Vacant(missing) if started => {
                missing.insert(if "MDd".contains(component) { 1.0 } else { 0.0 });
                ended = true;
            }
            Entry::Vacant(missing) => {
                missing.insert(now.component(component).unwrap_or(0.0));
            }
        }
    }
    let value = |component| components.get(&component).copied().unwrap_or(0.0);
    // As JavaScript reads years of two digits.
    let year = if (0.0..=99.0).contains(&value('Y')) { 1900.0 + value('Y') } else { value('Y') };
    let days = if by_day_of_year {
        instant(year, 0.0, 1.0) + (value('d') - 1.0) * DAY
    } else {
        instant(year, (value('M') - 1.0).max(0.0), value('D'))
    };
    let hours = match half_days {
        true if value('h') == 12.0 => 12.0 * value('P'),
        true => value('h') + 12.0 * value('P'),
        false => value('H'),
    };
    let minutes =
        hours * 60.0 + value('m') - components.get(&'Z').or(components.get(&'z')).copied().unwrap_or(0.0);
    let millis = days + (minutes * 60.0 + value('s')) * 1_000.0 + value('f');
    Ok(Some(if millis.abs() <= FARTHEST { millis } else { f64::NAN }))
}
