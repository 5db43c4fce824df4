//! Where the configuration comes from, and what the program says of it.

use std::process::Output;

use crate::program::{CONFIG, KEY, Program, ProgramDir, SALT, text};

/// ConfigErrors on many lines, with secrets that must not be shown.
const BAD: &str = "\
timezone = 'Asia/Shanhai'
[server]
listne = '127.0.0.1:0'
workers = -1
[database]
url = 'oracle://me:hush-one@localhost/db'
[yoho]
salt = ['hush-two']
debug_from = ['0.0.0.0/0']
[yoho.client_keys]
android = 'hush-three'
android_env = 'HUSH'
ipad = ''
";

#[test]
fn a_good_one_is_good() {
    let out = ProgramDir::new().run(&["check-config"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(said.starts_with("gateway.toml is valid\n"), "{said}");
    assert!(said.contains("listens on 127.0.0.1:0"), "{said}");
    assert!(said.contains("knows the client types android\n"), "{said}");
    assert!(!said.contains("sample"), "{said}");
    assert_tells_none_of(&out, &[SALT, KEY]);
}

#[test]
fn sample_keys_are_told() {
    let dir = ProgramDir::empty();
    let out = dir.run(&["check-config"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(said.contains("sample secrets"), "{said}");
    assert!(
        said.contains("yoho.salt, yoho.client_keys.android"),
        "{said}"
    );
    assert_tells_none_of(&out, &["for-trying-out"]);
    assert!(!dir.path("data").exists());
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret() {
    let dir = ProgramDir::with_config(BAD).on_sqlite();
    for command in ["check-config", "serve", "audit"] {
        let variables = [("POINTGATE__LEDGER__QUEUE", "many"), ("HUSH", "hush-four")];
        let out = dir.run_with(&[command], &variables);
        assert_eq!(out.status.code(), Some(1), "{command}");
        let said = text(&out.stderr);
        let positions = said
            .lines()
            .map(|line| line.split(": ").next().unwrap_or_default());
        assert_eq!(
            positions.collect::<Vec<_>>(),
            [
                "gateway.toml:1",
                "gateway.toml:3",
                "gateway.toml:4",
                "gateway.toml:6",
                "gateway.toml:8",
                "gateway.toml:9",
                "gateway.toml:12",
                "gateway.toml:13",
                "POINTGATE__LEDGER__QUEUE",
            ],
            "{said}"
        );
        assert_tells_none_of(&out, &["hush-"]);
        assert_eq!(text(&out.stdout), "");
        assert!(!dir.path("data").exists());
    }
}

#[test]
fn a_databases_password_is_not_told() {
    let dir = ProgramDir::new().on_sqlite();
    // Nothing listens at this port.
    for server in ["postgres", "mysql"] {
        let url = format!("{server}://me:hush-one@127.0.0.1:1/db");
        let variables = [("POINTGATE__DATABASE__URL", url.as_str())];
        for command in ["check-config", "migrate"] {
            let out = dir.run_with(&[command], &variables);
            assert_eq!(out.status.success(), command == "check-config", "{command}");
            assert_tells_none_of(&out, &["hush"]);
            let said = text(&out.stdout) + &text(&out.stderr);
            let shown = format!("{server}://me:***@127.0.0.1:1/db");
            assert!(said.contains(&shown), "{command}: {said}");
        }
    }
}

#[test]
fn a_file_that_is_named_must_be_there() {
    for (arguments, variable) in [
        (&["--config", "nowhere.toml", "check-config"][..], ""),
        (&["check-config", "--config", "nowhere.toml"], ""),
        (&["check-config"], "nowhere.toml"),
    ] {
        let out = ProgramDir::new().run_with(arguments, &[("POINTGATE_CONFIG", variable)]);
        assert_eq!(out.status.code(), Some(1), "{arguments:?}");
        let said = text(&out.stderr);
        let begins = "nowhere.toml: cannot read the configuration file";
        assert!(said.starts_with(begins), "{said}");
    }
}

#[test]
fn the_option_goes_before_the_variable_before_the_directory() {
    let dir = ProgramDir::new();
    let listening = |port: u16| format!("[server]\nlisten = '127.0.0.1:{port}'\n");
    dir.write("option.toml", &listening(1));
    dir.write("variable.toml", &listening(2));
    let variable = [("POINTGATE_CONFIG", "variable.toml")];
    let told = |arguments: &[&str], variables: &[(&str, &str)], address: &str| {
        let out = dir.run_with(arguments, variables);
        let said = text(&out.stdout);
        assert!(said.contains(&format!("listens on {address},")), "{said}");
    };
    let option = ["check-config", "--config", "option.toml"];
    told(&option, &variable, "127.0.0.1:1");
    told(&["check-config"], &variable, "127.0.0.1:2");
    told(&["check-config"], &[], "127.0.0.1:0");
    let address = [("POINTGATE__SERVER__LISTEN", "127.0.0.1:3")];
    told(&option, &address, "127.0.0.1:3");
    told(&["check-config"], &address, "127.0.0.1:3");
}

#[test]
fn sample_keys_stay_on_this_machine() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let dir = ProgramDir::empty();
        let listen = [("POINTGATE__SERVER__LISTEN", address)];
        let out = dir.run_with(&["serve"], &listen);
        assert_eq!(out.status.code(), Some(1), "{address}");
        let said = text(&out.stderr);
        assert!(
            said.contains("POINTGATE__SERVER__LISTEN: must be a loopback address"),
            "{said}"
        );
        assert!(said.contains("yoho.salt"), "{said}");
        assert_tells_none_of(&out, &["for-trying-out"]);
        assert!(!dir.path("data").exists());
    }
}

#[tokio::test]
async fn it_works_out_of_the_box() {
    let dir = ProgramDir::empty().on_sqlite();
    let listen = [("POINTGATE__SERVER__LISTEN", "127.0.0.1:0")];
    let mut program = Program::start(&dir, &listen).await;
    let path = "/gateway?method=app.yohocoin.total&uid=5&debug=XYZ";
    let answer = program.client().get(path).await.unwrap();
    assert_eq!(answer.code(), 200, "{}", answer.text);
    assert!(dir.database_file().is_file());
    assert!(program.terminate().await.success());
    let log = program.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("SAMPLE")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("WARN"), "{log}");
    for name in [
        "salt",
        "client_keys.android",
        "client_keys.ipad",
        "client_keys.iphone",
    ] {
        assert!(warnings[0].contains(&format!("yoho.{name}")), "{log}");
    }
    let debug = log.lines().find(|line| line.contains("yoho.debug is on"));
    assert!(debug.is_some_and(|line| line.contains("WARN")), "{log}");
    assert!(!log.contains("for-trying-out"), "{log}");
}

#[tokio::test]
async fn own_keys_are_not_warned_of() {
    let dir = ProgramDir::with_config(&CONFIG.replace("127.0.0.1:0", "0.0.0.0:0"));
    let program = Program::start(&dir, &[]).await;
    assert!(program.address.ip().is_unspecified());
    assert!(!program.log().contains("WARN"), "{}", program.log());
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let program = Program::new().await;
    let address = program.address.to_string();
    let listen = [("POINTGATE__SERVER__LISTEN", address.as_str())];
    let out = ProgramDir::new().run_with(&["serve"], &listen);
    assert_eq!(out.status.code(), Some(1));
    let said = text(&out.stderr);
    assert!(
        said.contains(&format!("cannot listen on {address}")),
        "{said}"
    );
}

#[track_caller]
fn assert_tells_none_of(out: &Output, secrets: &[&str]) {
    let said = text(&out.stdout) + &text(&out.stderr);
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} is told: {said}");
    }
}
