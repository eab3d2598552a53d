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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_decimals() {
        use Ordering::{Equal, Greater, Less};
        for (left, expected, right) in [
            ("1", Equal, "1"),
            ("1", Equal, "1.0"),
            ("1", Equal, "001.000"),
            ("10", Equal, "1e1"),
            ("10", Equal, "1E+1"),
            ("0.1", Equal, "1e-1"),
            ("1234.5", Equal, "12.345e2"),
            ("0.0012", Equal, "12e-4"),
            ("0", Equal, "-0"),
            ("0", Equal, "-0.00e5"),
            ("0", Equal, "0e999"),
            ("9", Less, "10"),
            ("10", Less, "10.00000000000000000000000000000000000001"),
            ("0.1", Less, "0.11"),
            ("0.5", Greater, "0.49"),
            ("-1", Less, "0"),
            ("-2", Less, "-1"),
            ("-0.5", Greater, "-0.51"),
            ("-1", Less, "1"),
            ("9007199254740993", Greater, "9007199254740992"),
            ("0.1", Less, "0.1000000000000000055511151231257827"),
            ("1e999", Greater, "9e998"),
            ("1e-999", Greater, "0"),
            ("1e-999", Less, "1e-998"),
            ("-1e999", Less, "-9e998"),
        ] {
            let (a, b) = (number(left).unwrap(), number(right).unwrap());
            assert_eq!(a.cmp(&b), expected, "{left} and {right}");
            assert_eq!(b.cmp(&a), expected.reverse(), "{right} and {left}");
            assert_eq!(a == b, expected == Equal, "{left} and {right}");
        }
    }

    #[test]
    fn what_is_no_number_does_not_read() {
        for text in [
            "", "-", "+1", "--1", ".5", "5.", "-.5", "1.e5", "1e", "1e+", "1e1000", "1e0001",
            "1e1.5", "1 ", " 1", "1,000", "0x10", "1_000", "NaN", "inf", "Infinity", "1.2.3",
            "1e5e5", "١", "1.-5", "e5", "1e--5",
        ] {
            assert_eq!(number(text), None, "`{text}`");
        }
    }

    #[test]
    fn numbers_have_at_most_400_characters() {
        assert!(number(&"1".repeat(400)).is_some());
        assert_eq!(number(&"1".repeat(401)), None);
        assert_eq!(number(&format!("-{}", "1".repeat(400))), None);
        assert_eq!(number(&format!("1.{}", "0".repeat(399))), None);
    }

    /// The seconds are those of the proleptic Gregorian calendar, from another implementation.
    #[test]
    fn dates_count_seconds_from_1970() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("0000", -62_167_219_200),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("1583-10-15", -12_187_756_800),
            ("1899-12-31T23:59:59Z", -2_208_988_801),
            ("1900-03-01", -2_203_891_200),
            ("1969-12-31T23:59:59Z", -1),
            ("1999-12-31T23:59:59Z", 946_684_799),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2024-02-29T12:30:00+05:45", 1_709_189_100),
            ("2026-11-21T06:06:00-11:30", 1_795_282_560),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
            ("2100-03-01", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("2020", 1_577_836_800),
            ("2020-07", 1_593_561_600),
            ("2020-07-15", 1_594_771_200),
            ("2020-07-15T10:20Z", 1_594_808_400),
            ("2020-07-15T10:20:30Z", 1_594_808_430),
            ("2020-07-15T10:20:30+00:00", 1_594_808_430),
            ("2020-07-15T10:20:30-00:00", 1_594_808_430),
            ("2020-07-15T10:20+23:59", 1_594_722_060),
            // A day earlier, and a day later, in UTC than in the zone.
            ("2020-01-01T00:00+00:01", 1_577_836_740),
            ("2019-12-31T23:59-00:01", 1_577_836_800),
            ("0", 0),
            ("1594808430", 1_594_808_430),
            ("-1", -1),
            // Four digits are a year, any other number of them is seconds.
            ("20", 20),
            ("-2020", -2020),
            ("02020", 2020),
            ("999999999999999999", 999_999_999_999_999_999),
            ("-999999999999999999", -999_999_999_999_999_999),
        ] {
            assert_eq!(date(text), Some(seconds * NANOSECONDS), "{text}");
        }
    }

    #[test]
    fn dates_are_exact_to_the_nanosecond() {
        for (text, nanoseconds) in [
            ("1970-01-01T00:00:00.5Z", 500_000_000),
            ("1970-01-01T00:00:00.000000001Z", 1),
            ("1970-01-01T00:00:01.25+00:00", 1_250_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("1.5", 1_500_000_000),
            ("0.000000001", 1),
            ("-0.000000001", -1),
            ("-1.5", -1_500_000_000),
            ("2020.5", 2_020_500_000_000),
        ] {
            assert_eq!(date(text), Some(nanoseconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_does_not_read() {
        for text in [
            "",
            "-",
            "2020-",
            "2020-1",
            "2020-13",
            "2020-00",
            "2020-01-00",
            "2020-01-32",
            "2020-04-31",
            "2020-02-30",
            "2021-02-29",
            "1900-02-29",
            "2020-01-01-01",
            "20200101T00:00Z",
            "2020T00:00Z",
            "2020-01T00:00Z",
            "2020-01-01T",
            "2020-01-01T00Z",
            "2020-01-01T00:00",
            "2020-01-01T00:00:00",
            "2020-01-01t00:00Z",
            "2020-01-01T00:00z",
            "2020-01-01 00:00Z",
            "2020-01-01T24:00Z",
            "2020-01-01T00:60Z",
            "2020-01-01T00:00:60Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00.1234567890Z",
            "2020-01-01T00:00.5Z",
            "2020-01-01T0:00Z",
            "2020-01-01T00:00:00+24:00",
            "2020-01-01T00:00:00+00:60",
            "2020-01-01T00:00:00+0000",
            "2020-01-01T00:00:00+00",
            "2020-01-01T00:00:00+-1:00",
            "2020-01-01T00:00Z+00:00",
            "2020-01-01T00:00:00ZZ",
            "2020-01-01Z",
            "-2020-01-01",
            "+2020",
            "12020-01-01",
            "1.",
            ".5",
            "1.1234567890",
            "1e9",
            "1234567890123456789",
            " 2020",
            "2020-01-01 ",
            "２０２０",
            "now",
        ] {
            assert_eq!(date(text), None, "`{text}`");
        }
    }

    #[test]
    fn every_day_of_two_centuries_follows_the_one_before() {
        let mut days = -27_028; // 1896-01-01
        for year in 1896..2104 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    assert_eq!(date(&text), Some(days * 86_400 * NANOSECONDS), "{text}");
                    days += 1;
                }
            }
        }
        assert_eq!(days, 48_942); // 2104-01-01
    }

    #[test]
    fn base64_reads_its_own_test_vectors() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg==", b"foob"),
            ("Zm9vYmE=", b"fooba"),
            ("Zm9vYmFy", b"foobar"),
            ("+/+/", &[0xfb, 0xff, 0xbf]),
            ("AAAA", &[0, 0, 0]),
            ("////", &[255, 255, 255]),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes), "`{text}`");
        }
    }

    #[test]
    fn what_is_no_canonical_base64_does_not_read() {
        for text in [
            "Zg", "Zg=", "Zm8", "Z", "Z===", "=", "====", "Zg==Zg==", "Z=g=", "Zh==", "Zm9=",
            "Zm9v\n", "Zm 9", "-_-_", "Zm9v====", "Zgü",
        ] {
            assert_eq!(base64(text), None, "`{text}`");
        }
    }
}
