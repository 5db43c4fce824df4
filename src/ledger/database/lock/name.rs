//! What can be locked, and in which mode.

/// What can be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Which names lead to the same accounts.
    Identities,
    /// The end of the journal.
    Journal,
    /// The end of the log of seals.
    Seal,
}

/// Whether others may have the lock too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Nobody else has it.
    Exclusive,
    /// Others may have it in this mode too.
    Shared,
}

impl Lock {
    /// Its row in the table `advisory_lock`, on databases that lock rows.
    pub fn name(self) -> &'static str {
        match self {
            Lock::Identities => "identities",
            Lock::Journal => "journal",
            Lock::Seal => "seal",
        }
    }

    /// The second half of its key, on databases that have advisory locks.
    pub fn number(self) -> i32 {
        match self {
            Lock::Identities => 1,
            // 2 was that of an older version, which may still run.
            Lock::Journal => 3,
            Lock::Seal => 4,
        }
    }
}
