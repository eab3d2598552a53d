//! Numbers, dates and base64 as text: which are valid, and how they compare.
//!
//! Exact, and without a heap, because decisions read request values by it too.

use core::cmp::Ordering;

/// The longest number, in bytes.
const NUMBER_LIMIT: usize = 400;

/// A decimal number, `-?digits(.digits)?([eE][+-]?digits)?`, as its digits stand in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    negative: bool,
    /// The digits before the dot.
    whole: &'a [u8],
    /// The digits behind the dot.
    fraction: &'a [u8],
    /// The power of ten by which the digits are to be shifted.
    exponent: i32,
}

impl<'a> Number<'a> {
    /// Reads a number; `None` for anything else, for longer texts and for exponents of more than three digits.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        if text.len() > NUMBER_LIMIT {
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
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !fraction.is_none_or(digits) {
            return None;
        }
        let fraction = fraction.unwrap_or_default().as_bytes();
        Some(Self {
            negative,
            whole: whole.as_bytes(),
            fraction,
            exponent,
        })
    }

    /// Returns the digit that counts tens to the power of `place`.
    fn digit(&self, place: i32) -> u8 {
        let place = place - self.exponent;
        let digit = match usize::try_from(place) {
            Ok(up) => self
                .whole
                .len()
                .checked_sub(up + 1)
                .and_then(|at| self.whole.get(at)),
            Err(_) => usize::try_from(-(place + 1))
                .ok()
                .and_then(|at| self.fraction.get(at)),
        };
        digit.copied().unwrap_or(b'0')
    }

    /// Returns the place of the last digit.
    fn lowest(&self) -> i32 {
        // Lengths are at most `NUMBER_LIMIT`.
        self.exponent - i32::try_from(self.fraction.len()).unwrap_or(i32::MAX)
    }

    /// Returns the place before the first digit.
    fn highest(&self) -> i32 {
        self.exponent + i32::try_from(self.whole.len()).unwrap_or_default()
    }

    /// Compares by value; there is no negative zero.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let places = || {
            let from = self.lowest().min(other.lowest());
            (from..self.highest().max(other.highest())).rev()
        };
        let is_zero = |n: &Self| n.whole.iter().chain(n.fraction).all(|&digit| digit == b'0');
        let negative = |n: &Self| n.negative && !is_zero(n);
        match (negative(self), negative(other)) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (sign, _) => {
                let size = places()
                    .map(|place| self.digit(place).cmp(&other.digit(place)))
                    .find(|&order| order != Ordering::Equal)
                    .unwrap_or(Ordering::Equal);
                if sign { size.reverse() } else { size }
            }
        }
    }
}

fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size: i32 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -size } else { size })
}

/// Reads a date as nanoseconds since 1970, negative before.
///
/// The ISO 8601 forms `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, `YYYY-MM-DDThh:mm`, `…:ss`, `…:ss.f`, the
/// last three with `Z` or `±hh:mm`; or seconds since 1970 as an integer or decimal. Four
/// digits are a year.
pub(crate) fn read_date(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let year = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let is_date = year == 4 && matches!(bytes.get(4), None | Some(b'-'));
    if is_date {
        read_iso(bytes)
    } else {
        read_epoch(text)
    }
}

/// Returns whether `text` is base64 of the standard alphabet, padded, with no stray bits.
///
/// Such texts are equal exactly if what they encode is.
#[cfg(feature = "build")]
pub(crate) fn is_base64(text: &str) -> bool {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits = text.trim_end_matches('=');
    // The last digit carries bits of no byte: four where one byte is left, two where two are.
    let stray = match text.len() - digits.len() {
        0 => 0,
        1 => 0b11,
        2 => 0b1111,
        _ => return false,
    };
    let last = digits
        .bytes()
        .next_back()
        .and_then(value)
        .unwrap_or_default();
    text.len().is_multiple_of(4)
        && digits.bytes().all(|byte| value(byte).is_some())
        && last & stray == 0
}

const SECOND: i128 = 1_000_000_000;

fn read_epoch(text: &str) -> Option<i128> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, nanoseconds(fraction.as_bytes())?),
        None => (rest, 0),
    };
    if whole.is_empty() || whole.len() > 18 || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = whole.parse::<i128>().ok()? * SECOND + fraction;
    Some(if negative { -size } else { size })
}

/// Reads one to nine digits behind a dot.
fn nanoseconds(digits: &[u8]) -> Option<i128> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut value = 0;
    for at in 0..9 {
        value = value * 10 + digits.get(at).map_or(Some(0), |&digit| to_digit(digit))?;
    }
    Some(value)
}

fn to_digit(byte: u8) -> Option<i128> {
    byte.is_ascii_digit().then(|| i128::from(byte - b'0'))
}

fn read_iso(bytes: &[u8]) -> Option<i128> {
    let mut at = Reader { rest: bytes };
    let year = at.number(4)?;
    let month = if at.skip(b'-') { at.number(2)? } else { 1 };
    let day = if at.skip(b'-') { at.number(2)? } else { 1 };
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_epoch(year, month, day) * 86_400;
    if at.rest.is_empty() {
        return Some(midnight * SECOND);
    }
    if bytes.get(10) != Some(&b'T') || !at.skip(b'T') {
        return None;
    }
    let (hour, minute) = at.clock()?;
    let (mut second, mut fraction) = (0, 0);
    if at.skip(b':') {
        second = at.number(2)?;
        if at.skip(b'.') {
            let digits = at
                .rest
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let (run, rest) = at.rest.split_at_checked(digits)?;
            fraction = nanoseconds(run)?;
            at.rest = rest;
        }
    }
    if second > 59 {
        return None;
    }
    let offset = match at.rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let mut zone = Reader { rest: zone };
            let (hours, minutes) = zone.clock()?;
            if !zone.rest.is_empty() {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = midnight + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * SECOND + fraction)
}

/// Reads fixed-width fields from the left.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Reads exactly `width` digits.
    fn number(&mut self, width: usize) -> Option<i128> {
        let (digits, rest) = self.rest.split_at_checked(width)?;
        self.rest = rest;
        digits
            .iter()
            .try_fold(0, |value, &digit| Some(value * 10 + to_digit(digit)?))
    }

    /// Skips `byte` if it is next.
    fn skip(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads `hh:mm` up to 23:59.
    fn clock(&mut self) -> Option<(i128, i128)> {
        let hour = self.number(2)?;
        let minute = if self.skip(b':') {
            self.number(2)?
        } else {
            return None;
        };
        (hour <= 23 && minute <= 59).then_some((hour, minute))
    }
}

const fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i128, month: i128) -> i128 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// Counts years from March, so that the leap day ends a year and months have a linear rule.
const fn days_from_epoch(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let ascending = [
            "-1e999",
            "-10",
            "-9.5",
            "-1e-999",
            "0",
            "1e-17",
            "2e-17",
            "0.1",
            "0.10000000000000000001",
            "1",
            "9007199254740992",
            "9007199254740993",
            "1e20",
            "1e999",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                let (x, y) = (Number::read(a).unwrap(), Number::read(b).unwrap());
                assert_eq!(x.compare(&y), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in [
            ("1", "1.0"),
            ("-0", "0"),
            ("100", "1e2"),
            ("0.5", "5E-1"),
            ("007", "7"),
            ("1200e-2", "12.00"),
        ] {
            let order = Number::read(a).unwrap().compare(&Number::read(b).unwrap());
            assert_eq!(order, Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "", "-", "+1", ".5", "5.", "1e", "1e1000", "1e+", " 1", "1 ", "0x1", "1,0", "NaN", "١",
            "1.2.3", "1e2.0",
        ] {
            assert!(Number::read(text).is_none(), "{text}");
        }
        assert!(Number::read(&"1".repeat(401)).is_none());
        assert!(Number::read(&"1".repeat(400)).is_some());
    }

    #[test]
    fn base64_is_canonical() {
        for text in ["", "YQ==", "YWI=", "YWJj", "+/+/", "AAAA"] {
            assert!(is_base64(text), "{text}");
        }
        for text in [
            "YQ", "YQ=", "YR==", "YWJ=", "Y===", "====", "=", "YQ==YQ==", "YW J", "-_-_", "YWJjZ",
            "é===",
        ] {
            assert!(!is_base64(text), "{text}");
        }
    }

    #[test]
    fn dates_by_example() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("1970", 0),
            ("2024", 1_704_067_200),
            ("2024-03", 1_709_251_200),
            ("2024-02-29", 1_709_164_800),
            ("2024-01-01T00:00Z", 1_704_067_200),
            ("2024-01-01T00:00:01Z", 1_704_067_201),
            ("2024-01-01T01:00:00+01:00", 1_704_067_200),
            ("2023-12-31T19:30:00-04:30", 1_704_067_200),
            ("0000-01-01", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("1900-03-01", -2_203_891_200),
            ("1704067200", 1_704_067_200),
            ("-1", -1),
            ("0", 0),
            ("12345", 12_345),
            ("123", 123),
        ] {
            assert_eq!(read_date(text), Some(seconds * SECOND), "{text}");
        }
        assert_eq!(read_date("1704067200.5"), Some(1_704_067_200_500_000_000));
        assert_eq!(read_date("-1.5"), Some(-1_500_000_000));
        assert_eq!(
            read_date("2024-01-01T00:00:00.123456789Z"),
            Some(1_704_067_200_123_456_789)
        );
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "-",
            "24",
            "2024-",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "1900-02-29",
            "2024-01-32",
            "2024-1-1",
            "2024-01-01T",
            "2024-01-01T00:00",
            "2024-01-01T24:00Z",
            "2024-01-01T00:60Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01t00:00Z",
            "2024-01-01T00:00z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00+0100",
            "2024-01-01T00:00+24:00",
            "2024-01-01 00:00Z",
            "2024-01T00:00Z",
            "2024T00:00Z",
            "1e9",
            "+1",
            "1.",
            ".1",
            "1234567890123456789",
            "20240101T000000Z",
            "2024-01-01T00:00Z ",
            "2024-01-01T00Z",
            "２０２４",
        ] {
            let read = read_date(text);
            let expected = (text == "24").then_some(24 * SECOND);
            assert_eq!(read, expected, "{text}");
        }
    }
}
