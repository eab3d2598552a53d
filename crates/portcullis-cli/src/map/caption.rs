//! What is said around a picture, in whatever form it is drawn.

use ipnet::IpNet;

use super::palette::{BLEND_NOTE, CLASSES, Class, Rgb};
use super::picture::Survey;

/// The words around a picture.
#[derive(Clone, Debug)]
pub(super) struct Caption {
    /// What it shows.
    pub(super) title: String,
    /// What was asked, one fact a line.
    pub(super) lines: Vec<String>,
    /// What the colours are.
    pub(super) legend: Vec<Entry>,
    /// What else there is to know of the colours.
    pub(super) notes: Vec<String>,
}

/// A colour and what has it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) color: Rgb,
    pub(super) label: &'static str,
    /// How many addresses, in words.
    pub(super) count: String,
}

impl Caption {
    /// Returns the words for a survey of what `asked` says.
    pub(super) fn new(survey: &Survey<'_>, asked: Vec<String>, special_use: bool) -> Self {
        let mut notes = vec![BLEND_NOTE.to_owned()];
        if special_use {
            notes.push("hatched: special-use addresses (IANA)".to_owned());
        }
        Self {
            title: format!(
                "{} by source address, {}",
                if survey.is_diff() {
                    "Changed decisions"
                } else {
                    "Decisions"
                },
                survey.within
            ),
            lines: asked,
            legend: legend(survey.classes, survey.counts()),
            notes,
        }
    }
}

fn legend(classes: &'static [Class], counts: [u128; CLASSES]) -> Vec<Entry> {
    classes
        .iter()
        .zip(counts)
        .map(|(class, count)| Entry {
            color: class.color,
            label: class.label,
            count: amount(count),
        })
        .collect()
}

/// Returns a number of addresses as it is read best.
///
/// Exact up to a quadrillion and for powers of two; else its first two digits.
pub(super) fn amount(count: u128) -> String {
    if count == u128::MAX {
        return "2^128".to_owned();
    }
    let digits = count.to_string();
    if digits.len() <= 15 {
        return grouped(&digits);
    }
    if count.is_power_of_two() {
        return format!("2^{}", count.trailing_zeros());
    }
    let mut leading = digits.chars();
    let (first, second) = (leading.next().unwrap_or('0'), leading.next().unwrap_or('0'));
    format!("about {first}.{second}e{}", digits.len() - 1)
}

/// Returns digits with a comma before every third from the right.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns what a grid's block is labelled with, from the fullest to the shortest: what all of
/// `prefix` starts with, and the last group of that.
pub(super) fn labels(prefix: IpNet) -> [String; 2] {
    let length = usize::from(prefix.prefix_len());
    match prefix {
        IpNet::V4(net) => {
            let octets = net.network().octets();
            let shown: Vec<String> = octets
                .iter()
                .take(length.div_ceil(8).max(1))
                .map(u8::to_string)
                .collect();
            let last = shown.last().cloned().unwrap_or_default();
            let last = if shown.len() > 1 {
                format!(".{last}")
            } else {
                last
            };
            [shown.join("."), last]
        }
        IpNet::V6(net) => {
            let segments = net.network().segments();
            let shown: Vec<String> = segments
                .iter()
                .take(length.div_ceil(16).max(1))
                .map(|segment| format!("{segment:04x}"))
                .collect();
            let mut last = shown.last().cloned().unwrap_or_default();
            last.truncate(match length % 16 {
                0 => 4,
                bits => bits.div_ceil(4),
            });
            let colon = if shown.len() > 1 { ":" } else { "" };
            [
                format!("{}/{length}", net.network()),
                format!("{colon}{last}"),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_where_they_can_be_read() {
        for (count, expected) in [
            (0, "0"),
            (256, "256"),
            (4_294_967_296, "4,294,967,296"),
            (999_999_999_999_999, "999,999,999,999,999"),
            (1 << 96, "2^96"),
            ((1 << 96) - 1, "about 7.9e28"),
            (u128::MAX, "2^128"),
        ] {
            assert_eq!(amount(count), expected);
        }
    }

    #[test]
    fn labels_of_blocks() {
        for (prefix, full, short) in [
            ("10.0.0.0/8", "10", "10"),
            ("203.17.0.0/16", "203.17", ".17"),
            ("203.0.0.0/24", "203.0.0", ".0"),
            ("2001:db8:1200::/40", "2001:db8:1200::/40", ":12"),
            ("2001:db8::/32", "2001:db8::/32", ":0db8"),
            ("3000::/4", "3000::/4", "3"),
        ] {
            assert_eq!(labels(prefix.parse().unwrap()), [full, short], "{prefix}");
        }
    }
}
