//! The sources of the configuration, and how the program reports its errors and sample secrets.

use std::process::Output;

use crate::program::{CONFIG, KEY, Program, ProgramDir, SALT, text};

/// A configuration with errors on many lines, and with secrets that must not be shown.
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
fn check_config_accepts_a_valid_configuration() {
    let out = ProgramDir::new().run(&["check-config"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let output = text(&out.stdout);
    assert!(output.starts_with("gateway.toml is valid\n"), "{output}");
    assert!(output.contains("listens on 127.0.0.1:0"), "{output}");
    assert!(
        output.contains("knows the client types android\n"),
        "{output}"
    );
    assert!(!output.contains("sample"), "{output}");
    assert_shows_none_of(&out, &[SALT, KEY]);
}

#[test]
fn check_config_reports_sample_keys() {
    let dir = ProgramDir::empty();
    let out = dir.run(&["check-config"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let output = text(&out.stdout);
    assert!(output.contains("sample secrets"), "{output}");
    assert!(
        output.contains("yoho.salt, yoho.client_keys.android"),
        "{output}"
    );
    assert_shows_none_of(&out, &["for-trying-out"]);
    assert!(!dir.path("data").exists());
}

#[test]
fn all_errors_are_reported_at_once_without_secrets() {
    let dir = ProgramDir::with_config(BAD).on_sqlite();
    for command in ["check-config", "serve", "audit"] {
        let variables = [("POINTGATE__LEDGER__QUEUE", "many"), ("HUSH", "hush-four")];
        let out = dir.run_with(&[command], &variables);
        assert_eq!(out.status.code(), Some(1), "{command}");
        let output = text(&out.stderr);
        let positions = output
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
            "{output}"
        );
        assert_shows_none_of(&out, &["hush-"]);
        assert_eq!(text(&out.stdout), "");
        assert!(!dir.path("data").exists());
    }
}

#[test]
fn the_database_password_is_not_shown() {
    let dir = ProgramDir::new().on_sqlite();
    // Nothing listens on port 1.
    for server in ["postgres", "mysql"] {
        let url = format!("{server}://me:hush-one@127.0.0.1:1/db?password=hush-two");
        let variables = [
            ("POINTGATE__DATABASE__URL_ENV", "WHERE"),
            ("WHERE", url.as_str()),
        ];
        for command in ["check-config", "migrate"] {
            let out = dir.run_with(&[command], &variables);
            assert_eq!(out.status.success(), command == "check-config", "{command}");
            assert_shows_none_of(&out, &["hush"]);
            let output = text(&out.stdout) + &text(&out.stderr);
            let shown = format!("{server}://me:***@127.0.0.1:1/db");
            assert!(output.contains(&shown), "{command}: {output}");
        }
    }
}

#[test]
fn a_named_configuration_file_must_exist() {
    for (arguments, variable) in [
        (&["--config", "nowhere.toml", "check-config"][..], ""),
        (&["check-config", "--config", "nowhere.toml"], ""),
        (&["check-config"], "nowhere.toml"),
    ] {
        let out = ProgramDir::new().run_with(arguments, &[("POINTGATE_CONFIG", variable)]);
        assert_eq!(out.status.code(), Some(1), "{arguments:?}");
        let output = text(&out.stderr);
        let begins = "nowhere.toml: cannot read the configuration file";
        assert!(output.starts_with(begins), "{output}");
    }
}

#[test]
fn the_option_precedes_the_variable_precedes_the_directory() {
    let dir = ProgramDir::new();
    let listening = |port: u16| format!("[server]\nlisten = '127.0.0.1:{port}'\n");
    dir.write("option.toml", &listening(1));
    dir.write("variable.toml", &listening(2));
    let variable = [("POINTGATE_CONFIG", "variable.toml")];
    let assert_listens = |arguments: &[&str], variables: &[(&str, &str)], address: &str| {
        let out = dir.run_with(arguments, variables);
        let output = text(&out.stdout);
        assert!(
            output.contains(&format!("listens on {address},")),
            "{output}"
        );
    };
    let option = ["check-config", "--config", "option.toml"];
    assert_listens(&option, &variable, "127.0.0.1:1");
    assert_listens(&["check-config"], &variable, "127.0.0.1:2");
    assert_listens(&["check-config"], &[], "127.0.0.1:0");
    let address = [("POINTGATE__SERVER__LISTEN", "127.0.0.1:3")];
    assert_listens(&option, &address, "127.0.0.1:3");
    assert_listens(&["check-config"], &address, "127.0.0.1:3");
}

#[test]
fn sample_keys_are_refused_beyond_this_machine() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let dir = ProgramDir::empty();
        let listen = [("POINTGATE__SERVER__LISTEN", address)];
        let out = dir.run_with(&["serve"], &listen);
        assert_eq!(out.status.code(), Some(1), "{address}");
        let output = text(&out.stderr);
        assert!(
            output.contains("POINTGATE__SERVER__LISTEN: must be a loopback address"),
            "{output}"
        );
        assert!(output.contains("yoho.salt"), "{output}");
        assert_shows_none_of(&out, &["for-trying-out"]);
        assert!(!dir.path("data").exists());
    }
}

#[tokio::test]
async fn serve_works_without_any_configuration() {
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
    let debug = log.lines().find(|line| line.contains("DEBUG IS ON"));
    assert!(debug.is_some_and(|line| line.contains("WARN")), "{log}");
    assert!(!log.contains("for-trying-out"), "{log}");
}

#[tokio::test]
async fn own_keys_cause_no_warning() {
    let dir = ProgramDir::with_config(&CONFIG.replace("127.0.0.1:0", "0.0.0.0:0"));
    let program = Program::start(&dir, &[]).await;
    assert!(program.address.ip().is_unspecified());
    assert!(!program.log().contains("WARN"), "{}", program.log());
}

#[tokio::test]
async fn an_address_in_use_is_reported() {
    let program = Program::new().await;
    let address = program.address.to_string();
    let listen = [("POINTGATE__SERVER__LISTEN", address.as_str())];
    let out = ProgramDir::new().run_with(&["serve"], &listen);
    assert_eq!(out.status.code(), Some(1));
    let output = text(&out.stderr);
    assert!(
        output.contains(&format!("cannot listen on {address}")),
        "{output}"
    );
}

#[track_caller]
fn assert_shows_none_of(out: &Output, secrets: &[&str]) {
    let output = text(&out.stdout) + &text(&out.stderr);
    for secret in secrets {
        assert!(!output.contains(secret), "{secret} is shown: {output}");
    }
}
