//! Typed values: numbers, dates and base64, each read from text in a plain way.
//!
//! What is read is compared exactly: numbers as decimals and not as floats, dates to the
//! nanosecond. Text that is not of the type reads as `None`.

use core::cmp::Ordering;

/// A decimal written out, without exponent.
///
/// INVARIANT: `whole` has no leading zeros, `fraction` no trailing ones, and zero is not
/// negative; so equal numbers have equal fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Number {
    /// Compares without the sign: the longer whole part is the larger one, and of parts as
    /// long, or fractions, the one whose first different digit is larger.
    fn compare_magnitude(&self, other: &Self) -> Ordering {
        (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(&other.whole))
            .then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers: `-?digits(.digits)?([eE][+-]?digits)?`, at most 400 characters and 3 digits of exponent.
pub(super) fn number(text: &str) -> Option<Number> {
    if text.chars().count() > 400 {
        return None;
    }
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, digits(fraction)?),
        None => (mantissa, ""),
    };
    let (mut whole, mut fraction) = (digits(whole)?.to_owned(), fraction.to_owned());
    // The exponent moves the point, one digit at a time.
    for _ in 0..exponent {
        let moved = if fraction.is_empty() {
            '0'
        } else {
            fraction.remove(0)
        };
        whole.push(moved);
    }
    for _ in exponent..0 {
        fraction.insert(0, whole.pop().unwrap_or('0'));
    }
    let whole = whole.trim_start_matches('0').to_owned();
    let fraction = fraction.trim_end_matches('0').to_owned();
    let negative = negative && !(whole.is_empty() && fraction.is_empty());
    Some(Number {
        negative,
        whole,
        fraction,
    })
}

/// Reads `[+-]?digits` with at most three digits.
fn read_exponent(text: &str) -> Option<i32> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1, magnitude),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = digits(magnitude)?;
    if magnitude.len() > 3 {
        return None;
    }
    Some(sign * magnitude.parse::<i32>().ok()?)
}

/// Dates: a year, month, day or time with zone as in ISO 8601, or epoch seconds; in nanoseconds
/// since 1970. Exactly four digits are a year. Parts left out are the first instant, in UTC.
pub(super) fn date(text: &str) -> Option<i128> {
    let is_year = fixed(text, 4).is_some();
    if !is_year && let Some(instant) = epoch(text) {
        return Some(instant);
    }
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let fields: Vec<&str> = day.split('-').collect();
    let (year, month, day) = match (fields.as_slice(), time) {
        ([year], None) => (*year, "01", "01"),
        ([year, month], None) => (*year, *month, "01"),
        ([year, month, day], _) => (*year, *month, *day),
        _ => return None,
    };
    let (year, month, day) = (fixed(year, 4)?, fixed(month, 2)?, fixed(day, 2)?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * 24 * 60 * 60 * NANOSECONDS;
    Some(midnight + time.map_or(Some(0), time_of_day)?)
}

const NANOSECONDS: i128 = 1_000_000_000;

/// Reads `-?digits{1,18}(.digits{1,9})?`, seconds. The sign is that of the whole: -1.5 is
/// one and a half second before 1970.
fn epoch(text: &str) -> Option<i128> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1, magnitude),
        None => (1, text),
    };
    let (seconds, nanoseconds) = match magnitude.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction_of_second(fraction)?),
        None => (magnitude, 0),
    };
    let seconds = digits(seconds)?;
    if seconds.len() > 18 {
        return None;
    }
    Some(sign * (seconds.parse::<i128>().ok()? * NANOSECONDS + nanoseconds))
}

/// Reads `hh:mmTZD`, `hh:mm:ssTZD` or `hh:mm:ss.fTZD` as the time since midnight in UTC, which
/// may lie on the day before or after.
fn time_of_day(text: &str) -> Option<i128> {
    let (clock, ahead) = match text.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => {
            let at = text.rfind(['+', '-'])?;
            let (clock, zone) = text.split_at(at);
            let (sign, zone) = match zone.strip_prefix('-') {
                Some(zone) => (-1, zone),
                None => (1, zone.strip_prefix('+')?),
            };
            let (hours, minutes) = zone.split_once(':')?;
            (clock, sign * (two(hours, 23)? * 60 + two(minutes, 59)?))
        }
    };
    let fields: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match *fields {
        [hours, minutes] => (hours, minutes, "00"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let (seconds, nanoseconds) = match seconds.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction_of_second(fraction)?),
        None => (seconds, 0),
    };
    let minutes = two(hours, 23)? * 60 + two(minutes, 59)? - ahead;
    Some((minutes * 60 + two(seconds, 59)?) * NANOSECONDS + nanoseconds)
}

/// Counts the days from 1970-01-01 year by year and month by month.
fn days_since_1970(year: i128, month: i128, day: i128) -> i128 {
    let mut days = day - 1;
    for earlier in 1..month {
        days += days_in_month(year, earlier);
    }
    for passed in 1970..year {
        days += days_in_year(passed);
    }
    for missing in year..1970 {
        days -= days_in_year(missing);
    }
    days
}

fn days_in_year(year: i128) -> i128 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in_month(year: i128, month: i128) -> i128 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Reads one to nine digits after the point of a second, as nanoseconds.
fn fraction_of_second(text: &str) -> Option<i128> {
    let text = digits(text)?;
    if text.len() > 9 {
        return None;
    }
    format!("{text:0<9}").parse().ok()
}

/// Reads two digits that are at most `largest`.
fn two(text: &str, largest: i128) -> Option<i128> {
    fixed(text, 2).filter(|number| *number <= largest)
}

/// Reads exactly `count` digits.
fn fixed(text: &str, count: usize) -> Option<i128> {
    let text = digits(text)?;
    if text.len() != count {
        return None;
    }
    text.parse().ok()
}

/// Returns `text` if it is one ASCII digit or more and nothing else.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Base64: the standard alphabet, padded, with no bit set that is not part of a byte.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let symbols = text.trim_end_matches('=');
    let padding = text.len() - symbols.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bits = Vec::new();
    for symbol in symbols.chars() {
        let number = BASE64.find(symbol)?;
        bits.extend([32, 16, 8, 4, 2, 1].map(|weight| number & weight != 0));
    }
    let bytes = bits.chunks_exact(8);
    if bytes.remainder().contains(&true) {
        return None;
    }
    Some(
        bytes
            .map(|byte| {
                byte.iter()
                    .fold(0, |number, bit| number * 2 + u8::from(*bit))
            })
            .collect(),
    )
}

/// The digits of base64 in ascending order.
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
