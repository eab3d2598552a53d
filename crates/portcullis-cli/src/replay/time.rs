//! The times of logs, into the forms that conditions compare.
//!
//! ```text
//! 10/Oct/2025:13:55:36 +0200      2025-10-10T11:55:36.25Z      2025-10-10 11:55:36      1760097336
//! ```
//!
//! All become seconds since 1970; a time without zone is UTC, as CloudFront's is.

use core::fmt::Write;

/// A time: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    seconds: i64,
    nanos: u32,
}

impl Time {
    /// Reads milliseconds since 1970.
    pub(crate) fn of_millis(text: &str) -> Option<Self> {
        let millis: i64 = text.parse().ok().filter(|&millis| millis >= 0)?;
        Some(Self {
            seconds: millis / 1_000,
            nanos: u32::try_from(millis % 1_000).ok()? * 1_000_000,
        })
    }

    /// Reads a time in any of the forms of logs.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
            return Some(Self {
                seconds: seconds.parse().ok()?,
                nanos: nanos(fraction)?,
            });
        }
        let text = text.trim_start_matches('[').trim_end_matches(']');
        if text.as_bytes().get(2) == Some(&b'/') {
            // 10/Oct/2025:13:55:36 +0000
            let month = MONTHS
                .iter()
                .position(|month| text.get(3..6) == Some(month))?;
            let days = days(
                text.get(7..11)?,
                i64::try_from(month).ok()? + 1,
                text.get(..2)?,
            )?;
            return clock(days, text.get(12..)?);
        }
        let number: i64 = digits(text.get(5..7)?)?;
        let days = days(text.get(..4)?, number, text.get(8..10)?)?;
        (text.get(4..5) == Some("-") && text.get(7..8) == Some("-")).then_some(())?;
        matches!(text.as_bytes().get(10), Some(b'T' | b' ')).then_some(())?;
        clock(days, text.get(11..)?)
    }

    /// Returns the seconds since 1970, as text.
    pub(crate) fn epoch(self) -> String {
        format!("{}{}", self.seconds, self.fraction())
    }

    /// Returns the time as ISO 8601 has it, in UTC.
    pub(crate) fn iso(self) -> String {
        let (days, second) = (self.seconds.div_euclid(DAY), self.seconds.rem_euclid(DAY));
        // Civil date from days, by eras of 400 years that start in March.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let of_era_years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of_era_years + of_era_years / 4 - of_era_years / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = of_era_years + era * 400 + i64::from(month <= 2);
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60,
            self.fraction()
        )
    }

    fn fraction(self) -> String {
        let mut text = String::new();
        if self.nanos > 0 {
            // Writing to a String does not fail.
            let _ = write!(text, ".{:09}", self.nanos);
        }
        text.trim_end_matches('0').to_owned()
    }
}

/// Reads the time of a day, with its zone, on a day counted from 1970.
fn clock(days: i64, text: &str) -> Option<Time> {
    let part = |range: core::ops::Range<usize>, limit: i64| {
        digits(text.get(range)?).filter(|&number| number <= limit)
    };
    (text.get(2..3) == Some(":") && text.get(5..6) == Some(":")).then_some(())?;
    let (hour, minute, second) = (part(0..2, 23)?, part(3..5, 59)?, part(6..8, 60)?);
    let mut rest = text.get(8..)?;
    let mut fraction = 0;
    if let Some(behind) = rest.strip_prefix(['.', ',']) {
        let end = behind
            .bytes()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(behind.len());
        fraction = nanos(behind.get(..end)?)?;
        rest = behind.get(end..)?;
    }
    let offset = match rest.trim_start() {
        "" | "Z" | "z" => 0,
        zone => {
            let sign = match zone.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let zone = zone.get(1..)?.replace(':', "");
            (zone.len() == 4).then_some(())?;
            sign * (digits(zone.get(..2)?)? * 3_600 + digits(zone.get(2..)?)? * 60)
        }
    };
    Some(Time {
        seconds: days * DAY + hour * 3_600 + minute * 60 + second - offset,
        nanos: fraction,
    })
}

/// Returns the days since 1970.
fn days(year: &str, month: i64, day: &str) -> Option<i64> {
    let (year, day): (i64, i64) = (digits(year)?, digits(day)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then_some(())?;
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
    text.parse().ok()
}

/// Reads the digits behind a decimal point; what is finer than a nanosecond is left off.
fn nanos(fraction: &str) -> Option<u32> {
    let mut text = fraction.get(..fraction.len().min(9))?.to_owned();
    while text.len() < 9 {
        text.push('0');
    }
    text.parse().ok()
}

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_logs() {
        for (text, iso) in [
            ("10/Oct/2025:13:55:36 +0200", "2025-10-10T11:55:36Z"),
            ("29/Feb/2024:00:00:00 -0030", "2024-02-29T00:30:00Z"),
            ("2025-07-02T22:23:00.186641Z", "2025-07-02T22:23:00.186641Z"),
            ("[2020-11-25T21:26:18.409Z]", "2020-11-25T21:26:18.409Z"),
            ("2019-12-04 21:02:31", "2019-12-04T21:02:31Z"),
            ("2000-03-01T00:00:00+01:00", "2000-02-29T23:00:00Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("1760097336.25", "2025-10-10T11:55:36.25Z"),
        ] {
            assert_eq!(
                Time::read(text).map(Time::iso).as_deref(),
                Some(iso),
                "{text}"
            );
        }
        assert_eq!(
            Time::of_millis("1760097336250").unwrap().epoch(),
            "1760097336.25"
        );
        for wrong in [
            "",
            "-",
            "noon",
            "30/Feb/2024:00:00:00 +0000",
            "2025-13-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00:00X",
            "2025-01-01",
            "1.2.3",
            "é0/Oct/2025",
        ] {
            assert_eq!(Time::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_day_there_and_back() {
        for day in -800_000..800_000_i64 {
            let time = Time {
                seconds: day * DAY,
                nanos: 0,
            };
            let iso = time.iso();
            if iso.starts_with('-') {
                continue;
            }
            assert_eq!(Time::read(&iso), Some(time), "{iso}");
        }
    }
}
