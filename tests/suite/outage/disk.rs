//! SQLite's disk is full, or fails, for a while: every acknowledged write survives, and the gateway recovers by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::wait_for_readiness;
use crate::program::{Answer, Client, Program, ProgramDir};

/// How many writes must fail before the disk is repaired.
const FAILURES: usize = 30;
/// The disk must fail within this many writes.
const MOST_WRITES: usize = 4_000;

/// A mounted file system of 12 MiB in memory; dropping it unmounts it.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts a small disk at this path; `None` if this user may not mount.
    pub fn mount(at: &Path) -> Option<SmallDisk> {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| SmallDisk(at.to_path_buf()))
    }

    /// Fills the disk except for some hundred writes.
    fn fill(&self) {
        std::fs::write(self.0.join("ballast"), vec![0; 8 << 20]).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since the program may still run.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing() {
    let dir = ProgramDir::new().on_sqlite();
    let Some(disk) = SmallDisk::mount(&dir.path("data")) else {
        // `servers::what_is_skipped` reports the skip. The test of the failing disk needs no mount.
        return;
    };
    let mut program = Program::start(&dir, &[]).await;
    disk.fill();
    lose_and_recover(&mut program, "full", || disk.free()).await;
}

/// A limit on the size of the process's files: SQLite reports writes beyond it as I/O errors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_disk_loses_nothing() {
    let dir = ProgramDir::new().on_sqlite().ignoring_file_size_signal();
    let mut program = Program::start(&dir, &[]).await;
    let id = program.process_id();
    limit_files(id, "4194304");
    lose_and_recover(&mut program, "I/O error", || limit_files(id, "unlimited")).await;
}

fn limit_files(process: u32, bytes: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args([
        format!("--pid={process}"),
        format!("--fsize={bytes}:unlimited"),
    ]);
    assert!(prlimit.status().unwrap().success());
}

/// Writes until [`FAILURES`] writes have failed, calls `mend`, and checks that the ledger has exactly the acknowledged writes.
async fn lose_and_recover(program: &mut Program, why: &str, mend: impl FnOnce()) {
    let client = program.client();
    let mut acknowledged = Vec::new();
    let (mut refused, mut failed) = (Vec::new(), Vec::new());
    for number in 0..MOST_WRITES {
        let answer = call(&client, number).await;
        match (answer.status, answer.code()) {
            (200, 200) => acknowledged.push(number),
            (500, 500) => {
                refused.push(number);
                failed.push(answer.id);
            }
            other => panic!("write {number}: {other:?}"),
        }
        if refused.len() == FAILURES {
            break;
        }
    }
    assert_eq!(refused.len(), FAILURES, "the disk never failed");
    assert!(!acknowledged.is_empty());
    wait_for_readiness(&client, false).await;
    let last = failed.last().unwrap().clone();
    program.wait_for_log(&last).await;
    let log = program.log();
    assert!(log.contains(why), "{log}");
    // An error line names the requests of its batch: here one each.
    for id in failed {
        let named = format!(" id={id}");
        let mut errors = log.lines().filter(|line| line.contains(" ERROR "));
        assert!(errors.any(|line| line.ends_with(&named)), "{id}: {log}");
    }

    mend();
    wait_for_readiness(&client, true).await;
    for number in MOST_WRITES..MOST_WRITES + 20 {
        assert_eq!(earn(&client, number).await, (200, 200), "after the mend");
        acknowledged.push(number);
    }
    program.audit();

    program.kill();
    program.restart().await;
    let client = program.client();
    assert_eq!(client.total("7").await, acknowledged.len() as i64);
    for number in refused {
        assert_eq!(earn(&client, number).await, (200, 200), "sent again");
        acknowledged.push(number);
    }
    assert_eq!(client.total("7").await, acknowledged.len() as i64);
    program.audit();
}

/// The HTTP status and the code of a [`call`].
async fn earn(client: &Client, number: usize) -> (u16, i64) {
    let answer = call(client, number).await;
    (answer.status, answer.code())
}

/// Earns one point under a reference made of `number`.
async fn call(client: &Client, number: usize) -> Answer {
    let reference = format!("disk{number}");
    let parameters = [
        ("method", "app.yohocoin.get"),
        ("uid", "7"),
        ("num", "1"),
        ("type", "18"),
        ("referenceId", &reference),
    ];
    client.call(&parameters).await.unwrap()
}
