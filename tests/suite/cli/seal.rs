//! `pointgate seal keygen`: the key is its owner's alone, never overwritten, and never shown.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::program::{CONFIG, ProgramDir, text};

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
