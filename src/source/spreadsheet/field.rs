//! What a column of an office's file can hold.

/// What a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    OccurredAt,
    Nik,
    Status,
    Document,
    Name,
    Phone,
    Area,
    Rt,
    Rw,
    /// `003/004`, both in one.
    RtRw,
    ServicePoint,
    HomeDate,
    HomeFrom,
    HomeTo,
    Code,
    PointName,
    ShortName,
    Address,
    Hours,
    HoursShort,
    /// Code of the area in which an area lies.
    Parent,
    /// Hours of a weekday, Monday is 0.
    Weekday(usize),
    Latitude,
    Longitude,
    Services,
    Schedule,
    Contact,
    PointStatus,
    Date,
    Until,
    /// What stands at the end of a message.
    Reference,
}

impl Field {
    /// What an office may name the column of, by the names that the API has for them.
    pub(super) const KEYS: &[(&'static str, Self)] = &[
        ("nik", Self::Nik),
        ("status", Self::Status),
        ("occurred_at", Self::OccurredAt),
        ("name", Self::Name),
        ("phone", Self::Phone),
        ("document", Self::Document),
        ("area", Self::Area),
        ("rt", Self::Rt),
        ("rw", Self::Rw),
        ("address", Self::Address),
        ("service_point", Self::ServicePoint),
        ("id", Self::Id),
        ("home_date", Self::HomeDate),
        ("home_from", Self::HomeFrom),
        ("home_to", Self::HomeTo),
    ];

    pub(super) fn of_key(key: &str) -> Option<Self> {
        Self::KEYS.iter().find(|(known, _)| *known == key).map(|(_, field)| *field)
    }

    /// Its key; empty when it has none.
    pub(super) fn key(self) -> &'static str {
        Self::KEYS.iter().find(|(_, field)| *field == self).map_or("", |(key, _)| key)
    }
}
