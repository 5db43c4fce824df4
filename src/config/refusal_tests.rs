//! Everything that the configuration refuses, with its line and without its secrets.

use super::tests::{good, read};

fn bad(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let mistakes = read(text, variables).expect_err("should have been refused");
    mistakes.to_string().lines().map(str::to_owned).collect()
}

#[track_caller]
fn refused(text: &str, line: &str) {
    assert_eq!(bad(text, &[]), [line], "{text}");
}

#[track_caller]
fn refused_variable(variable: (&str, &str), line: &str) {
    assert_eq!(bad("", &[variable]), [line]);
}

#[test]
fn a_bad_secret_is_refused() {
    refused(
        "[yoho]\nsalt = 'a'\nsalt_env = 'B'",
        "gateway.toml:3: [yoho] salt_env: is given twice, here and as salt; keep one of them",
    );
    refused(
        "[yoho.client_keys]\nipad = 'a'\niPad = 'b'",
        "gateway.toml:3: [yoho.client_keys] iPad: is given twice, here and as ipad; keep one of them",
    );
    refused(
        "[yoho]\nsalt = ' '",
        "gateway.toml:2: [yoho] salt: is empty; a secret must have a value",
    );
    refused(
        "[yoho.client_keys]\nweb = ''",
        "gateway.toml:2: [yoho.client_keys] web: is empty; a secret must have a value",
    );
    refused(
        "[yoho.client_keys]\nweb_env = 'NOT_SET'",
        "gateway.toml:2: [yoho.client_keys] web_env: the environment variable that it names is not set",
    );
    refused(
        "[yoho]\nsalt_file = 'not/there'",
        "gateway.toml:2: [yoho] salt_file: cannot read the file that it names (entity not found); \
         a relative path starts from the configuration file's directory",
    );
    refused(
        "[yoho.client_keys]\nweb = 5",
        "gateway.toml:2: [yoho.client_keys] web: must be a string, not an integer",
    );
    refused(
        "[yoho.client_keys]\n_env = 'X'",
        "gateway.toml:2: [yoho.client_keys] _env: has no name",
    );
    refused_variable(
        ("POINTGATE__YOHO__SALT", ""),
        "POINTGATE__YOHO__SALT: is empty; a secret must have a value",
    );
}

#[test]
fn unknown_keys_are_refused() {
    refused(
        "\n[server]\nlistne = '127.0.0.1:1'",
        "gateway.toml:3: [server] listne: unknown key; did you mean \"listen\"?",
    );
    refused(
        "[ledger]\nwidth = 3",
        "gateway.toml:2: [ledger] width: unknown key; known keys are queue, batch, writers",
    );
    refused(
        "[sevrer]\nlisten = '127.0.0.1:1'",
        "gateway.toml:1: sevrer: unknown section; did you mean \"server\"?",
    );
    refused(
        "[yoho.types.23]\ntitle = 'x'",
        "gateway.toml:1: [yoho.types] 23: unknown section; the types are 1 to 22",
    );
    refused(
        "[yoho.types.3]\nonce = 'ever'",
        "gateway.toml:2: [yoho.types.3] once: only the types 17 to 22 have it: no request posts others",
    );
    refused_variable(
        ("POINTGATE__SERVER__LISTNE", "x"),
        "POINTGATE__SERVER__LISTNE: unknown key; did you mean \"listen\"?",
    );
    refused_variable(
        ("POINTGATE__SERVER__", "x"),
        "POINTGATE__SERVER__: names no setting; write POINTGATE__KEY or POINTGATE__SECTION__KEY",
    );
    let twice = [
        ("POINTGATE__TIMEZONE", "UTC"),
        ("pointgate__timezone", "UTC"),
    ];
    let line = "pointgate__timezone: means the same setting as POINTGATE__TIMEZONE";
    assert_eq!(bad("", &twice), [line]);
}

#[test]
fn bad_values_are_refused() {
    refused(
        "server.listen = 8080",
        "gateway.toml:1: [server] listen: must be a string, not an integer: an IP address and a \
         port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
    );
    refused(
        "timezone = 'Asia/Shangai'",
        "gateway.toml:1: timezone: is no time zone; did you mean \"Asia/Shanghai\"?",
    );
    refused(
        "server = 5",
        "gateway.toml:1: server: must be a table, not an integer",
    );
    refused(
        "[server]\nrequest_timeout_seconds = 301",
        "gateway.toml:2: [server] request_timeout_seconds: must be an integer from 1 to 300",
    );
    refused(
        "[ledger]\nqueue = 1.5",
        "gateway.toml:2: [ledger] queue: must be an integer from 1 to 65536, not a number with a fraction",
    );
    refused(
        "[yoho.expiry]\nrule = 'year'",
        "gateway.toml:2: [yoho.expiry] rule: must be one of \"year_end\", \"days\", \"never\"",
    );
    refused(
        "[yoho.types.17]\nonce = 'daily'",
        "gateway.toml:2: [yoho.types.17] once: must be one of \"ever\", \"day\", \"never\"",
    );
    refused(
        "[yoho.types.17]\ntitle = '%s%s'",
        "gateway.toml:2: [yoho.types.17] title: must be a text of 1 to 255 characters on one line, \
         with %s at most once",
    );
    refused_variable(
        ("POINTGATE__LEDGER__BATCH", "many"),
        "POINTGATE__LEDGER__BATCH: must be an integer from 1 to 65536, not other text",
    );
    refused_variable(
        ("POINTGATE__SERVER", "x"),
        "POINTGATE__SERVER: must be a table, not a string",
    );
    let memory = bad("database.url = 'sqlite::memory:'", &[]);
    assert!(
        memory[0].starts_with(
            "gateway.toml:1: [database] url: a database in memory would lose the ledger"
        )
    );
}

#[test]
fn wide_networks_are_refused_with_their_lines() {
    let text = "[yoho]\ndebug_from = [\n  '127.0.0.1',\n  '0.0.0.0/0',\n  'home',\n]";
    let lines = bad(text, &[]);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("gateway.toml:4: [yoho] debug_from: entry 2: holds the whole"));
    assert!(lines[1].starts_with("gateway.toml:5: [yoho] debug_from: entry 3: must be an address"));
    let lines = bad("server.trusted_proxies = ['::/0']", &[]);
    assert!(lines[0].contains("entry 1: holds the whole internet"));
}

#[test]
fn sample_secrets_stay_on_this_machine() {
    let lines = bad("[server]\nlisten = '0.0.0.0:80'\n[yoho]\nsalt = 'own'", &[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("gateway.toml:2: [server] listen: listens beyond this machine"));
    assert!(lines[0].contains("yoho.client_keys.iphone"));
    assert!(!lines[0].contains("yoho.salt"));
    let own = "server.listen = '0.0.0.0:80'\nyoho.salt = 'own'\n[yoho.client_keys]\nweb = 'own'";
    assert_eq!(good(own, &[]).server.listen.port(), 80);
    good("server.listen = '[::ffff:127.0.0.1]:80'", &[]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "\
        timezone = 'Nowhere'\n\
        [server]\nlisten = '0.0.0.0:80'\nworkers = -1\nlistne = 1\n\
        [yoho]\nsalt = ''\n\
        [yoho.expiry]\nyears = 'one'\nrule = 'x'\n";
    let lines = bad(text, &[("POINTGATE__LEDGER__QUEUE", "0")]);
    let places: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split(": ").next())
        .collect();
    let expected = [
        "gateway.toml:1",
        "gateway.toml:3",
        "gateway.toml:4",
        "gateway.toml:5",
        "gateway.toml:7",
        "gateway.toml:9",
        "gateway.toml:10",
        "POINTGATE__LEDGER__QUEUE",
    ];
    assert_eq!(places, expected);
}

#[test]
fn broken_text_has_its_line_and_does_not_hide_the_rest() {
    let text = "\
        [ledger]\nwidth = 1\nqueue = = 2\nbatch = 0\n\
        [server]\nlisten = 127.0.0.1\nworkers = -1\n";
    let lines = bad(text, &[]);
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert!(lines[0].starts_with("gateway.toml:2: [ledger] width: unknown key"));
    assert!(lines[1].starts_with("gateway.toml:3: not valid TOML: "));
    assert!(lines[2].starts_with("gateway.toml:4: [ledger] batch: must be"));
    assert!(lines[3].starts_with("gateway.toml:6: not valid TOML: "));
    assert!(lines[4].starts_with("gateway.toml:7: [server] workers: must be"));
}

#[test]
#[cfg(feature = "postgres")]
fn no_error_and_no_debug_output_holds_a_secret() {
    let secret = "hush4711";
    for text in [
        "[yoho]\nsalt = hush4711",
        "[yoho]\nsalt = \"hush4711",
        "[yoho]\nsalt = \"x\nhush4711 = 5\nlisten = \"",
        "[yoho]\nsalt \"hush4711\"",
        "[yoho]\nsalt = \"x\" hush4711",
        "[yoho]\nsalt = ['hush4711']",
        "[yoho]\nsalt = { hush4711 = 1 }",
        "[yoho]\nslat = 'hush4711'",
        "[yoho]\nsalt_file = 'hush4711'",
        "[yoho]\nsalt_env = 'hush4711'",
        "[yoho]\nsalt = 'hush4711'\nsalt = 'hush4711'",
        "[yoho]\nsalt = 'hush4711'\nsalt_env = 'hush4711'",
        "[yoho]\nsalt = 'hush4711'\n[server]\nlisten = 'hush4711'",
        "[yoho]\nclient_keys = 'hush4711'",
        "[yoho.client_keys]\niphone = \"x\nhush4711 = \"\"",
        "[yoho.client_keys]\niphone = \"\"\"x\nhush4711\" = ''",
        "[yoho.client_keys]\niphone = 'hush4711'\niphone_file = 'hush4711'",
        "database.url = 'postgres://user:hush4711@host'",
        "database.url = 'oracle://user:hush4711@host/db'",
    ] {
        let mistakes = read(text, &[]).expect_err(text);
        let shown = format!("{mistakes}\n{mistakes:?}");
        assert!(!mistakes.0.is_empty(), "{text}");
        assert!(!shown.contains(secret), "{text}\n{shown}");
    }
    let variables = [
        ("POINTGATE__YOHO__SALT", secret),
        ("POINTGATE__YOHO__CLIENT_KEYS__WEB", secret),
    ];
    let config = good(
        "database.url = 'postgres://user:hush4711@host/db'",
        &variables,
    );
    assert!(!format!("{config:?}").contains(secret));
    let lines = bad("x = 1", &variables).join("\n");
    assert!(!lines.contains(secret));
}
