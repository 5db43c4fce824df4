//! The files of a ledger in the file system are for its owner alone: a balance is personal data.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use sea_orm::DbErr;

/// The mode of a folder that this program makes.
const FOLDER: u32 = 0o700;
/// The mode of a database's file that this program makes. SQLite gives its `-wal` and `-shm` the mode of the file.
const FILE: u32 = 0o600;
/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;
/// The bit of a folder that users share, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// Makes the file of a database and its folder, if they are missing, for their owner alone. Warns of those that were there
/// before and that other users may open.
///
/// # Errors
/// Returns [`DbErr`] if the folder or the file cannot be made.
pub fn prepare(file: &Path) -> Result<(), DbErr> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let failed = |path: &Path, error: io::Error| {
        DbErr::Custom(format!("cannot make {}: {error}", path.display()))
    };
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER)
        .create(folder)
        .map_err(|error| failed(folder, error))?;
    if !file.exists() {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE)
            .open(file)
            .map_err(|error| failed(file, error))?;
    }
    warn_if_open(folder, FOLDER);
    warn_if_open(file, FILE);
    for suffix in ["-wal", "-shm"] {
        let mut beside = file.as_os_str().to_owned();
        beside.push(suffix);
        warn_if_open(Path::new(&beside), FILE);
    }
    Ok(())
}

/// Warns of a path that other users may open, and says how to give it this mode.
fn warn_if_open(path: &Path, wanted: u32) {
    let Ok(found) = fs::metadata(path) else {
        return;
    };
    let mode = found.permissions().mode();
    if mode & OTHERS == 0 {
        return;
    }
    let remedy = match mode & STICKY {
        0 => format!("chmod {wanted:o} {path:?}"),
        _ => "move the ledger to a folder of its own".to_owned(),
    };
    let mode = mode & 0o7777;
    log::warn!("other users of this machine may open {path:?} (mode {mode:o}): {remedy}");
}
