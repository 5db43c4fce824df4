//! `pointgate seal`: the key is its owner's alone and never shown; the server seals by itself and answers the last checkpoint.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use pointgate::ledger::proof::checkpoint::Checkpoint;
use pointgate::ledger::proof::note::{Note, VerifierKey};
use pointgate::ledger::proof::record::DayRecord;
use pointgate::ledger::proof::{hash_from_hex, log};

use crate::program::{CONFIG, Program, ProgramDir, text};

#[test]
fn a_key_is_made_once_and_for_its_owner_alone() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}[seal]\nname = 'ledger.example.com'\n"));
    let out = dir.run(&["seal", "keygen", "seal.key"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let public = text(&out.stdout);
    assert!(public.starts_with("ledger.example.com+"), "{public}");
    let file = dir.path("seal.key");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let private = fs::read_to_string(&file).unwrap();
    assert!(
        private.starts_with("PRIVATE+KEY+ledger.example.com+"),
        "the file holds the key"
    );
    // A key in Base64 may hold a + too.
    assert_eq!(public.split('+').nth(1), private.split('+').nth(3));
    let secret = private.trim().splitn(5, '+').last().unwrap();
    assert!(!public.contains(secret) && !text(&out.stderr).contains(secret));

    let again = dir.run(&["seal", "keygen", "seal.key"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(text(&again.stderr), "pointgate: seal.key exists already\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), private);
    let other = dir.run(&["seal", "keygen", "other.key"]);
    assert_ne!(text(&other.stdout), public);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let config = format!("{CONFIG}[seal]\nkey_file = 'seal.key'\n");
    let dir = ProgramDir::with_config(&config);
    let check = |why: &str| {
        let out = dir.run(&["check-config"]);
        let output = text(&out.stderr);
        assert!(output.contains("key_file: "), "{why}: {output}");
        assert!(output.contains(why), "{why}: {output}");
        assert!(!output.contains("hush"), "{output}");
    };
    check("cannot read the file it names");
    fs::create_dir(dir.path("seal.key")).unwrap();
    check("does not name a regular file");
    fs::remove_dir(dir.path("seal.key")).unwrap();
    dir.write("seal.key", "hush");
    for mode in [0o644, 0o640, 0o606, 0o622] {
        fs::set_permissions(dir.path("seal.key"), Permissions::from_mode(mode)).unwrap();
        check(&format!("other users may open (mode {mode:o}): chmod 600"));
    }
    fs::set_permissions(dir.path("seal.key"), Permissions::from_mode(0o600)).unwrap();
    check("does not hold a key of `pointgate seal keygen`");
}

#[test]
fn a_key_of_another_name_is_refused() {
    let dir = ProgramDir::with_config(CONFIG);
    let made = dir.run(&["seal", "keygen", "seal.key"]);
    assert!(made.status.success());
    let config = |name: &str| format!("{CONFIG}[seal]\nname = '{name}'\nkey_file = 'seal.key'\n");
    dir.write("gateway.toml", &config("pointgate"));
    let out = dir.run(&["check-config"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let checked = text(&out.stdout);
    let line = format!("seals with the key {}", text(&made.stdout));
    assert!(checked.contains(&line), "{checked}");
    dir.write("gateway.toml", &config("ledger.example.com"));
    let out = dir.run(&["check-config"]);
    assert_eq!(out.status.code(), Some(1));
    let why = "seal.key_file: the key is one of pointgate, not of ledger.example.com";
    assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    for bad in ["", "a b", "a+b"] {
        dir.write("gateway.toml", &format!("{CONFIG}[seal]\nname = '{bad}'\n"));
        let out = dir.run(&["check-config"]);
        let why = "[seal] name: must be a name without white space and +";
        assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    }
}

const SEALING: &str = "[seal]\nkey_file = 'seal.key'\nwitness = 'checkpoints'\n";
const CHECKPOINT: &str = "/.well-known/pointgate/checkpoint";

/// Makes a key in this file, and returns its public half.
fn keygen(dir: &ProgramDir, file: &str) -> VerifierKey {
    let out = dir.run(&["seal", "keygen", file]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    VerifierKey::parse(text(&out.stdout).trim()).unwrap()
}

async fn checkpoint(program: &Program) -> (u16, String) {
    let url = format!("http://{}{CHECKPOINT}", program.address);
    let answer = program.client().http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_seals_by_itself_and_answers_the_checkpoint() {
    let dir = ProgramDir::with_config(CONFIG);
    let key = keygen(&dir, "seal.key");
    let mut program = Program::start(&dir, &[]).await;
    let nothing = (404, "nothing is sealed\n".to_owned());
    assert_eq!(checkpoint(&program).await, nothing);
    program.terminate().await;
    dir.write("gateway.toml", &format!("{CONFIG}{SEALING}"));
    program.restart().await;
    program
        .wait_for_log("seal 1, audit passed: 0 accounts")
        .await;
    let (status, first) = checkpoint(&program).await;
    assert_eq!(status, 200, "{first}");
    let note = Note::parse(&first).unwrap();
    note.verify(std::slice::from_ref(&key)).unwrap();
    assert_eq!(Checkpoint::parse(&note.text).unwrap().size, 1);

    // A day has one seal of the server's own, and any number of others.
    let out = dir.run(&["seal"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let output = text(&out.stdout);
    let (_, second) = checkpoint(&program).await;
    let expected = format!("audit passed: 0 accounts, 0 entries, 0 points\nseal 2:\n{second}");
    assert_eq!(output, expected);
    program.terminate().await;
    program.restart().await;
    assert_eq!(checkpoint(&program).await, (200, second.clone()));
    let published = fs::read_to_string(dir.path("checkpoints")).unwrap();
    assert_eq!(published, format!("{first}\n{second}\n"));
    let journal = text(&dir.run(&["journal"]).stdout);
    assert_eq!(journal.matches("  seal  uid:").count(), 2, "{journal}");
    program.audit();
    program.terminate().await;
    assert!(!program.log().contains("PRIVATE"), "{}", program.log());
}

#[test]
fn a_key_is_changed_by_a_seal_with_both() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{SEALING}"));
    let run = |arguments: &[&str]| {
        dir.run_with(arguments, &[("POINTGATE__SEAL__WITNESS", "checkpoints")])
    };
    dir.write("gateway.toml", CONFIG);
    let refused = dir.run(&["seal"]);
    let why = "pointgate: seal.key_file is not set: there is no key to seal with\n";
    assert!(text(&refused.stderr).contains(why), "{refused:?}");
    assert_eq!(refused.status.code(), Some(1));
    let old = keygen(&dir, "seal.key");
    let new = keygen(&dir, "new.key");
    dir.write("gateway.toml", &format!("{CONFIG}{SEALING}"));
    assert!(dir.run(&["migrate"]).status.success());
    dir.write("wrong.key", "hush");
    fs::set_permissions(dir.path("wrong.key"), Permissions::from_mode(0o600)).unwrap();
    let refused = run(&["seal", "rotate", "wrong.key"]);
    let why = "pointgate: wrong.key: the file does not hold a key of `pointgate seal keygen`\n";
    assert!(text(&refused.stderr).contains(why), "{refused:?}");
    let rotated = run(&["seal", "rotate", "new.key"]);
    assert!(rotated.status.success(), "{}", text(&rotated.stderr));
    let notes = fs::read_to_string(dir.path("checkpoints")).unwrap();
    let note = Note::parse(notes.strip_suffix('\n').unwrap()).unwrap();
    for key in [&old, &new] {
        note.verify(std::slice::from_ref(key)).unwrap();
    }
    let refused = run(&["seal"]);
    let why = format!("pointgate: not sealed: this seal is for the key {new}\n");
    assert!(text(&refused.stderr).contains(&why), "{refused:?}");
    dir.write(
        "gateway.toml",
        &format!("{CONFIG}{}", SEALING.replace("seal.key", "new.key")),
    );
    let sealed = run(&["seal"]);
    assert!(sealed.status.success(), "{}", text(&sealed.stderr));
    assert!(dir.run(&["audit"]).status.success());
}

#[test]
fn the_log_is_for_everybody() {
    let dir = ProgramDir::with_config(CONFIG);
    keygen(&dir, "seal.key");
    dir.write("gateway.toml", &format!("{CONFIG}{SEALING}"));
    assert!(dir.run(&["migrate"]).status.success());
    assert_eq!(text(&dir.run(&["seal", "log"]).stdout), "");
    let mut checkpoints = Vec::new();
    for _ in 0..3 {
        let sealed = dir.run(&["seal"]);
        assert!(sealed.status.success(), "{}", text(&sealed.stderr));
        let note: Vec<String> = text(&sealed.stdout)
            .lines()
            .skip(2)
            .map(str::to_owned)
            .collect();
        let note = note.join("\n") + "\n";
        dir.write(&format!("{}", checkpoints.len() + 1), &note);
        checkpoints.push(Checkpoint::parse(&Note::parse(&note).unwrap().text).unwrap());
    }
    let output = text(&dir.run(&["seal", "log"]).stdout);
    let records: Vec<DayRecord> = output
        .lines()
        .map(|line| DayRecord::parse(line).unwrap())
        .collect();
    let leaves: Vec<_> = records.iter().map(DayRecord::leaf).collect();
    for (at, checkpoint) in checkpoints.iter().enumerate() {
        assert_eq!(log::root(&leaves[..=at]), checkpoint.root);
        let proof = dir.run(&["seal", "log", "--since", &format!("{}", at + 1)]);
        assert!(proof.status.success(), "{}", text(&proof.stderr));
        let proof: serde_json::Value = serde_json::from_slice(&proof.stdout).unwrap();
        let hashes = proof["proof"].as_array().unwrap().iter();
        let hashes: Vec<_> = hashes
            .map(|it| hash_from_hex(it.as_str().unwrap()).unwrap())
            .collect();
        let sizes = (
            proof["from"].as_u64().unwrap(),
            proof["to"].as_u64().unwrap(),
        );
        assert_eq!(sizes, (checkpoint.size, 3));
        let roots = (&checkpoint.root, &checkpoints[2].root);
        assert!(log::verify_consistency(sizes, &hashes, roots));
    }
    dir.write(
        "forged",
        &fs::read_to_string(dir.path("1"))
            .unwrap()
            .replace("\n1\n", "\n2\n"),
    );
    let refused = dir.run(&["seal", "log", "--since", "forged"]);
    let why = "the checkpoint is not one of this ledger: checkpoint 2: the signature does not fit the note";
    assert!(text(&refused.stderr).contains(why), "{refused:?}");
}
