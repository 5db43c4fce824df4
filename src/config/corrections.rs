//! The section `[corrections]`: how an operator's corrections look in a member's history.

use super::reader::Section;
use super::yoho::TYPES;

/// The types of the rows that corrections leave in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrections {
    /// Of points that an operator gave or took, and of what later income pays off.
    pub adjust: i64,
    /// Of an entry that was taken back.
    pub reverse: i64,
    /// Of points that had expired wrongly.
    pub reinstate: i64,
    /// Of points that moved to or from another member.
    pub transfer: i64,
}

/// Reads `[corrections]`.
pub(super) fn corrections(section: &mut Section<'_, '_>) -> Option<Corrections> {
    let mut kind = |key| section.integer(key, TYPES);
    let (adjust, reverse) = (kind("adjust"), kind("reverse"));
    let (reinstate, transfer) = (kind("reinstate"), kind("transfer"));
    Some(Corrections {
        adjust: adjust?,
        reverse: reverse?,
        reinstate: reinstate?,
        transfer: transfer?,
    })
}
