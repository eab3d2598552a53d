//! The colours of outcomes, and of what changed.
//!
//! Told apart by every kind of colour blindness and in grey: the pairs that matter differ in
//! lightness as well as in hue (blue-green is darker than orange, grey is lighter than both).

/// Red, green and blue, as a screen has them.
pub(super) type Rgb = [u8; 3];

/// Addresses of one kind.
#[derive(Debug)]
pub(super) struct Class {
    /// The name in JSON.
    pub(super) name: &'static str,
    /// The name in a legend.
    pub(super) label: &'static str,
    /// The colour.
    pub(super) color: Rgb,
    /// How much a class counts at least where a cell holds any of it, of [`WHOLE`].
    least: u64,
}

/// The most classes that a picture has.
pub(super) const CLASSES: usize = 4;

/// All of a cell; shares and weights are of this.
pub(super) const WHOLE: u64 = 1 << 16;

/// The decisions: allow, explicit deny, implicit deny.
pub(super) static DECISIONS: [Class; 3] = [
    Class {
        name: "allow",
        label: "allow",
        color: [0x00, 0x7f, 0x8c],
        least: WHOLE / 4 * 3,
    },
    Class {
        name: "explicit_deny",
        label: "explicit deny",
        color: [0xf0, 0x5a, 0x0a],
        least: WHOLE / 4 * 3,
    },
    Class {
        name: "implicit_deny",
        label: "implicit deny",
        color: [0xc9, 0xcd, 0xd1],
        least: WHOLE / 4 * 3,
    },
];

/// What became of addresses: became allowed, became denied, still allowed, still denied.
pub(super) static CHANGES: [Class; CLASSES] = [
    Class {
        name: "became_allowed",
        label: "became allowed",
        color: [0x00, 0x7f, 0x8c],
        least: 2 * WHOLE,
    },
    Class {
        name: "became_denied",
        label: "became denied",
        color: [0xf0, 0x5a, 0x0a],
        least: 2 * WHOLE,
    },
    Class {
        name: "still_allowed",
        label: "still allowed",
        color: [0xcf, 0xe6, 0xe8],
        least: 0,
    },
    Class {
        name: "still_denied",
        label: "still denied",
        color: [0xea, 0xec, 0xee],
        least: 0,
    },
];

/// What a legend says of blended colours.
pub(super) const BLEND_NOTE: &str = "mixed cells blend by number of addresses, with a minimum tint; rings show what is too small to see";

/// Returns the colour of a cell of which each class has the share of the same index.
///
/// A share that is not 0 counts for no less than its class's least, so that one address in a
/// million is still seen.
pub(super) fn blend(classes: &[Class], shares: &[u64; CLASSES], present: &[bool; CLASSES]) -> Rgb {
    let weight = |(class, (&share, &present)): (&Class, (&u64, &bool))| {
        if present { share.max(class.least) } else { 0 }
    };
    let weights = || {
        let of = shares.iter().zip(present);
        classes.iter().zip(of).map(move |one| (one.0, weight(one)))
    };
    let total: u64 = weights().map(|(_, weight)| weight).sum::<u64>().max(1);
    [0, 1, 2].map(|channel| {
        let sum: u64 = weights()
            .map(|(class, weight)| {
                let value = class.color.get(channel).copied().unwrap_or_default();
                weight * u64::from(value)
            })
            .sum();
        u8::try_from((sum + total / 2) / total).unwrap_or(u8::MAX)
    })
}

/// Returns a colour as `#rrggbb`.
pub(super) fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(classes: &[Class], shares: [u64; CLASSES], present: [bool; CLASSES]) -> Rgb {
        blend(classes, &shares, &present)
    }

    #[test]
    fn one_class_alone_has_its_own_colour() {
        for classes in [&DECISIONS[..], &CHANGES[..]] {
            for (index, class) in classes.iter().enumerate() {
                let (mut shares, mut present) = ([0; CLASSES], [false; CLASSES]);
                (shares[index], present[index]) = (WHOLE, true);
                assert_eq!(of(classes, shares, present), class.color);
            }
        }
    }

    /// Three sevenths of the way to the colour of what is rare, and two thirds where it is a change.
    #[test]
    fn what_is_rare_is_seen() {
        let present = [true, true, false, false];
        let [r, g, b] = of(&DECISIONS, [WHOLE, 0, 0, 0], present);
        assert_eq!([r, g, b], [0x67, 0x6f, 0x54]);
        let changed = of(&CHANGES, [0, 0, WHOLE, 0], [false, true, true, false]);
        assert_eq!(hex(changed), "#e58954");
    }

    #[test]
    fn halves_are_halfway() {
        let half = [WHOLE / 4 * 3, 0, WHOLE / 4 * 3, 0];
        assert_eq!(
            of(&DECISIONS, half, [true, false, true, false]),
            [0x65, 0xa6, 0xaf]
        );
    }
}
