//! RFC 3339 instants in the profile of the states language: a capital `T` between date and time, a capital `Z` where
//! there is no offset.

use crate::definition::Timestamp;

impl Timestamp {
    /// Reads `2016-03-14T01:59:00.123Z` or `2016-03-14T01:59:00+01:00`. Digits after the ninth of a fraction are dropped.
    /// `None` for anything else; also for a leap second, which has no place in seconds since 1970.
    ///
    /// Source: <https://states-language.net/spec.html#timestamps>, RFC 3339 section 5.6.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let mut rest = text.as_bytes();
        let year = digits(&mut rest, 4)?;
        literal(&mut rest, b'-')?;
        let month = digits(&mut rest, 2)?;
        literal(&mut rest, b'-')?;
        let day = digits(&mut rest, 2)?;
        literal(&mut rest, b'T')?;
        let hour = digits(&mut rest, 2)?;
        literal(&mut rest, b':')?;
        let minute = digits(&mut rest, 2)?;
        literal(&mut rest, b':')?;
        let second = digits(&mut rest, 2)?;
        let nanos = fraction(&mut rest)?;
        let offset_minutes = offset(&mut rest)?;
        let valid = rest.is_empty()
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !valid {
            return None;
        }
        let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
        Some(Timestamp { nanos: i128::from(minutes * 60 + second) * 1_000_000_000 + i128::from(nanos) })
    }
}

fn literal(rest: &mut &[u8], expected: u8) -> Option<()> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    (*first == expected).then_some(())
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (number, after) = rest.split_at_checked(count)?;
    *rest = after;
    number
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Nanoseconds; 0 where there is no fraction.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if rest.first() != Some(&b'.') {
        return Some(0);
    }
    let count = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (written, after) = rest[1..].split_at(count);
    *rest = after;
    let nanos = (0..9)
        .fold(0, |value, place| value * 10 + written.get(place).map_or(0, |byte| i64::from(byte - b'0')));
    (count > 0).then_some(nanos)
}

/// Minutes east of UTC.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let (sign, after) = rest.split_first()?;
    *rest = after;
    let east = match sign {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(rest, 2)?;
    literal(rest, b':')?;
    let minutes = digits(rest, 2)?;
    (hours < 24 && minutes < 60).then_some(east * (hours * 60 + minutes))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that the leap day is last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_of_years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days_of_months = (153 * month + 2) / 5;
    days_of_years + days_of_months + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instants() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:59:59.5Z", -500_000_000),
            ("2016-03-14T01:59:00Z", 1_457_920_740_000_000_000),
            ("2000-02-29T12:00:00-08:30", 951_856_200_000_000_000),
            ("2016-03-05T21:29:29.2431672529Z", 1_457_213_369_243_167_252),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000_000),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999_999),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp { nanos }), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in [
            "",
            "2016-03-14",
            "2016-03-14 01:59:00Z",
            "2016-03-14t01:59:00z",
            "2016-03-14T01:59:00",
            "2016-03-14T01:59:00.Z",
            "2016-03-14T24:00:00Z",
            "2016-03-14T01:59:60Z",
            "2015-02-29T00:00:00Z",
            "2016-13-01T00:00:00Z",
            "2016-00-01T00:00:00Z",
            "2016-03-14T01:59:00+0100",
            "2016-03-14T01:59:00Z ",
            "2016-3-14T01:59:00Z",
            "２016-03-14T01:59:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
