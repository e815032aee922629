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
}
