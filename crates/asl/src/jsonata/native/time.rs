//! Dates and times: `$now`, `$millis`, `$fromMillis`.

use super::date_picture::{Marker, Part, parse};
use super::integer::{Case, Format, Grouping, Primary, leading_integer};
use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::error::quoted;
use crate::jsonata::value::Value;

pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAY: f64 = 86_400_000.0;
/// What JavaScript's dates reach, in milliseconds. Source: ECMA-262, "Time Values and Time Range".
pub(super) const FARTHEST: f64 = 8.64e15;
const ISO_8601: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

/// An instant, taken apart, in UTC.
pub(super) struct Date {
    millis: f64,
    year: f64,
    /// From 0.
    month: f64,
    day: f64,
}

impl Date {
    /// `millis` are finite and within [`FARTHEST`].
    pub(super) fn new(millis: f64) -> Date {
        // Source: <https://howardhinnant.github.io/date_algorithms.html>, `civil_from_days`, whose years begin in March.
        let days = (millis / DAY).floor() as i64 + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 2 } else { month - 10 };
        let year = year_of_era + era * 400 + i64::from(month < 2);
        Date { millis, year: year as f64, month: month as f64, day: day as f64 }
    }

    /// From 1, Monday, to 7.
    fn weekday(&self) -> f64 {
        ((self.millis / DAY).floor() + 3.0).rem_euclid(7.0) + 1.0
    }

    fn midnight(&self) -> f64 {
        (self.millis / DAY).floor() * DAY
    }

    /// A component that is a number.
    pub(super) fn component(&self, component: char) -> Option<f64> {
        let part = |unit: f64, count: f64| (self.millis / unit).floor().rem_euclid(count);
        let hours = part(3_600_000.0, 24.0);
        Some(match component {
            'Y' => self.year,
            'M' => self.month + 1.0,
            'D' => self.day,
            'd' => (self.midnight() - instant(self.year, 0.0, 1.0)) / DAY + 1.0,
            'F' => self.weekday(),
            'W' => self.week(start_of_weeks(self.year, 0.0), start_of_weeks(self.year + 1.0, 0.0), || {
                start_of_weeks(self.year - 1.0, 0.0)
            }),
            'w' => self.week(
                start_of_weeks(self.year, self.month),
                start_of_weeks(self.year, self.month + 1.0),
                || start_of_weeks(self.year, self.month - 1.0),
            ),
            'X' if self.millis < start_of_weeks(self.year, 0.0) => self.year - 1.0,
            'X' if self.millis >= start_of_weeks(self.year + 1.0, 0.0) => self.year + 1.0,
            'X' => self.year,
            'x' if self.millis < start_of_weeks(self.year, self.month) => {
                (self.month + 11.0).rem_euclid(12.0) + 1.0
            }
            'x' if self.millis >= start_of_weeks(self.year, self.month + 1.0) => {
                (self.month + 1.0).rem_euclid(12.0) + 1.0
            }
            'x' => self.month + 1.0,
            'H' => hours,
            'h' if hours % 12.0 == 0.0 => 12.0,
            'h' => hours % 12.0,
            'P' => f64::from(u8::from(hours >= 12.0)),
            'm' => part(60_000.0, 60.0),
            's' => part(1_000.0, 60.0),
            'f' => self.millis.floor().rem_euclid(1_000.0),
            _ => return None,
        })
    }

    /// The number of the week among those that start at one instant and end at the next; before them, among the ones
    /// before.
    fn week(&self, start: f64, end: f64, before: impl FnOnce() -> f64) -> f64 {
        let today = self.midnight();
        let number = |start: f64| ((today - start) / (7.0 * DAY)).floor() + 1.0;
        if today < start {
            number(before())
        } else if today >= end {
            1.0
        } else {
            number(start)
        }
    }
}

/// Midnight of a day, in milliseconds since 1970; months count from 0 and may be more than a year has. NaN far beyond
/// what dates reach.
pub(super) fn instant(year: f64, month: f64, day: f64) -> f64 {
    let year = year + (month / 12.0).floor();
    if !(-1e6..1e6).contains(&year) {
        return f64::NAN;
    }
    let year = year as i64;
    let month = month.rem_euclid(12.0) as i64 + 1;
    // Source: <https://howardhinnant.github.io/date_algorithms.html>, `days_from_civil`.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    ((era * 146_097 + day_of_era - 719_468) as f64 + day - 1.0) * DAY
}

/// The Monday of the first week that has most of its days in the month.
fn start_of_weeks(year: f64, month: f64) -> f64 {
    let first = instant(year, month, 1.0);
    let weekday = Date::new(first).weekday();
    if weekday > 4.0 { first + (8.0 - weekday) * DAY } else { first - (weekday - 1.0) * DAY }
}

pub(super) fn format(millis: f64, picture: Option<&str>, timezone: Option<&str>) -> Result<String, Fault> {
    let offset = timezone.map_or(0.0, leading_integer);
    let (hours, minutes) = ((offset / 100.0).floor(), offset % 100.0);
    let local = millis + (60.0 * hours + minutes) * 60_000.0;
    if local.is_nan() || local.abs() > FARTHEST {
        return Err(Fault::value("D1001", "null".to_owned()));
    }
    let date = Date::new(local);
    let mut text = String::new();
    for part in parse(picture.unwrap_or(ISO_8601))? {
        match part {
            Part::Literal(literal) => text += &literal,
            Part::Marker(marker) if matches!(marker.component, 'Z' | 'z') => {
                text += &zone(&marker, hours, minutes)?;
            }
            Part::Marker(marker) => text += &component(&marker, &date)?,
        }
    }
    Ok(text)
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Title => text.to_owned(),
    }
}

fn component(marker: &Marker, date: &Date) -> Result<String, Fault> {
    let Some(mut value) = date.component(marker.component) else { return Ok("ISO".to_owned()) };
    if marker.component == 'P' {
        let text = if value > 0.0 { "pm" } else { "am" };
        return Ok(if marker.names == Some(Case::Upper) { text.to_uppercase() } else { text.to_owned() });
    }
    if let Some(digits) = marker.year_digits {
        value %= 10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX));
    }
    let misnamed = || Fault::value("D3133", quoted(&marker.component.to_string()));
    if let Some(case) = marker.names {
        let index = (value - 1.0).max(0.0) as usize;
        let name = match marker.component {
            'M' | 'x' => MONTHS.get(index),
            'F' => DAYS.get(index),
            _ => None,
        };
        let name = cased(name.ok_or_else(misnamed)?, case);
        return Ok(name.chars().take(marker.widest.unwrap_or(usize::MAX)).collect());
    }
    marker.integer.as_ref().ok_or_else(misnamed)?.format(value)
}

fn zone(marker: &Marker, hours: f64, minutes: f64) -> Result<String, Fault> {
    let offset = hours * 100.0 + minutes;
    if offset == 0.0 && marker.traditional {
        return Ok("Z".to_owned());
    }
    let Some(format) = &marker.integer else { return Ok(String::new()) };
    let mut text = match &format.primary {
        Primary::Decimal { grouping: Grouping::Every(..), .. } => format.format(offset)?,
        Primary::Decimal { mandatory: 1 | 2, .. } => {
            let mut text = format.format(hours)?;
            if minutes != 0.0 {
                text = format!("{text}:{}", Format::parse("00")?.format(minutes)?);
            }
            text
        }
        Primary::Decimal { mandatory: 3 | 4, .. } => format.format(offset)?,
        _ => return Err(Fault::new("D3134")),
    };
    if offset >= 0.0 {
        text.insert(0, '+');
    }
    Ok(if marker.component == 'z' { format!("GMT{text}") } else { text })
}

pub(super) fn now<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (picture, timezone) = (arguments.text(0)?, arguments.text(1)?);
    Ok(Value::text(format(evaluator.now_millis as f64, picture.as_deref(), timezone.as_deref())?))
}

pub(super) fn millis<'a>(evaluator: &mut Evaluator<'a, '_>, _: Arguments<'a>) -> Outcome<'a> {
    Ok(Value::number(evaluator.now_millis as f64))
}

pub(super) fn from_millis<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(millis) = arguments.number(0)? else { return Ok(Value::Undefined) };
    let (picture, timezone) = (arguments.text(1)?, arguments.text(2)?);
    Ok(Value::text(format(millis.trunc(), picture.as_deref(), timezone.as_deref())?))
}
