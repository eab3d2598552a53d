//! What a line of a log says, before anything is made of it.

use std::borrow::Cow;

/// What a field of a log may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The client's address, with or without port.
    SourceIp,
    /// The HTTP method.
    Method,
    /// The path or URL, without stage.
    Path,
    /// The path with the stage in front, where that is in it.
    StagedPath,
    /// The path with names in braces for its variable parts; may have a method in front.
    Template,
    /// `GET /pets HTTP/1.1`.
    RequestLine,
    /// The stage.
    Stage,
    /// The API's id.
    ApiId,
    /// The account that owns the API.
    AccountId,
    /// The caller's ARN.
    Principal,
    /// The user agent.
    UserAgent,
    /// The time, or the time of day beside [`Self::Date`].
    Time,
    /// Milliseconds since 1970.
    EpochMillis,
    /// The day.
    Date,
}

impl Slot {
    /// All slots, each at its own number.
    pub(crate) const ALL: [Self; COUNT] = [
        Self::SourceIp,
        Self::Method,
        Self::Path,
        Self::StagedPath,
        Self::Template,
        Self::RequestLine,
        Self::Stage,
        Self::ApiId,
        Self::AccountId,
        Self::Principal,
        Self::UserAgent,
        Self::Time,
        Self::EpochMillis,
        Self::Date,
    ];

    /// Returns the name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SourceIp => "source_ip",
            Self::Method => "method",
            Self::Path => "path",
            Self::StagedPath => "staged_path",
            Self::Template => "template",
            Self::RequestLine => "request",
            Self::Stage => "stage",
            Self::ApiId => "api_id",
            Self::AccountId => "account_id",
            Self::Principal => "principal",
            Self::UserAgent => "user_agent",
            Self::Time => "time",
            Self::EpochMillis => "epoch_ms",
            Self::Date => "date",
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::SourceIp => 0,
            Self::Method => 1,
            Self::Path => 2,
            Self::StagedPath => 3,
            Self::Template => 4,
            Self::RequestLine => 5,
            Self::Stage => 6,
            Self::ApiId => 7,
            Self::AccountId => 8,
            Self::Principal => 9,
            Self::UserAgent => 10,
            Self::Time => 11,
            Self::EpochMillis => 12,
            Self::Date => 13,
        }
    }
}

const COUNT: usize = 14;

/// What a line says, by slot.
///
/// PERF: one is made for each line, so that nearly all of it is borrowed and need not be dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record<'a> {
    fields: [Option<&'a str>; COUNT],
    /// How good the name was that a field was found by; less is better.
    ranks: [u8; COUNT],
    /// The fields that do not stand in the line as they are, each instead of that in `fields`.
    owned: Vec<(Slot, String)>,
}

impl<'a> Record<'a> {
    /// Sets a field; one found by a better name stays, and of the same name the last counts.
    ///
    /// Logs write `-`, or nothing, for what is not there.
    #[inline]
    pub(crate) fn set(&mut self, slot: Slot, rank: u8, value: Cow<'a, str>) {
        if matches!(value.as_bytes(), [] | [b'-']) {
            return;
        }
        let place = slot.place();
        if let (Some(field), Some(known)) = (self.fields.get_mut(place), self.ranks.get_mut(place))
            && (field.is_none() || rank <= *known)
        {
            *known = rank;
            if !self.owned.is_empty() {
                self.owned.retain(|(owned, _)| *owned != slot);
            }
            *field = Some(match value {
                Cow::Borrowed(text) => text,
                Cow::Owned(text) => {
                    self.owned.push((slot, text));
                    ""
                }
            });
        }
    }

    /// Returns a field; `None` where the line does not tell.
    #[inline]
    pub(crate) fn field(&self, slot: Slot) -> Option<&str> {
        let field = *self.fields.get(slot.place())?;
        if self.owned.is_empty() {
            return field;
        }
        let owned = self.owned.iter().find(|(owned, _)| *owned == slot);
        owned.map(|(_, text)| text.as_str()).or(field)
    }
}

impl PartialEq for Record<'_> {
    fn eq(&self, other: &Self) -> bool {
        (Slot::ALL.into_iter()).all(|slot| self.field(slot) == other.field(slot))
            && self.ranks == other.ranks
    }
}

/// Why a line is no request.
pub(crate) type Unreadable = Cow<'static, str>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_its_place() {
        for (place, slot) in Slot::ALL.into_iter().enumerate() {
            assert_eq!(slot.place(), place, "{}", slot.name());
        }
    }

    #[test]
    fn better_names_win_and_dashes_are_nothing() {
        let mut record = Record::default();
        record.set(Slot::Path, 3, "-".into());
        assert_eq!(record.field(Slot::Path), None);
        record.set(Slot::Path, 3, "/a".into());
        record.set(Slot::Path, 4, "/b".into());
        assert_eq!(record.field(Slot::Path), Some("/a"));
        record.set(Slot::Path, 3, "/c".into());
        assert_eq!(record.field(Slot::Path), Some("/c"));
        record.set(Slot::Path, 0, "/d".into());
        assert_eq!(record.field(Slot::Path), Some("/d"));
        record.set(Slot::Path, 0, Cow::Owned("/e".to_owned()));
        record.set(Slot::Stage, 1, "prod".into());
        assert_eq!(record.field(Slot::Path), Some("/e"));
        assert_eq!(record.field(Slot::Stage), Some("prod"));
        record.set(Slot::Path, 1, "/f".into());
        assert_eq!(record.field(Slot::Path), Some("/e"));
        record.set(Slot::Path, 0, "/g".into());
        assert_eq!(record.field(Slot::Path), Some("/g"));
    }
}
