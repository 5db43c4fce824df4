//! Tests of the errors: each has its line, and none shows a secret.

use super::{good, read};

fn errors(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let errors = read(text, variables).expect_err("should be refused");
    errors.to_string().lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_error(text: &str, line: &str) {
    assert_eq!(errors(text, &[]), [line], "{text}");
}

#[track_caller]
fn assert_variable_error(variable: (&str, &str), line: &str) {
    assert_eq!(errors("", &[variable]), [line]);
}

/// Records of messages that are kept too briefly would let a redelivery count twice, and details too briefly a day's limit fail.
#[test]
fn invalid_retention() {
    for (setting, expected) in [
        ("messages_days = 6", "an integer from 7 to 36500"),
        (
            "action_details_days = 1",
            "0, for ever, or an integer from 2 to 36500",
        ),
        ("action_details_days = -1", "an integer from 0 to 36500"),
        ("nonces_days = -1", "an integer from 0 to 36500"),
        ("nonces_days = 36501", "an integer from 0 to 36500"),
    ] {
        let (key, _) = setting.split_once(' ').unwrap();
        let line = format!("gateway.toml:2: [retention] {key}: must be {expected}");
        assert_error(&format!("[retention]\n{setting}"), &line);
    }
    let for_ever = good("[retention]\naction_details_days = 0", &[]);
    assert_eq!(for_ever.retention.action_details, None);
}

/// A row of another type would have no title.
#[test]
fn invalid_corrections() {
    for (setting, key) in [
        ("adjust = 0", "adjust"),
        ("reverse = 23", "reverse"),
        ("reinstate = -1", "reinstate"),
        ("transfer = 100", "transfer"),
    ] {
        let line = format!("gateway.toml:2: [corrections] {key}: must be an integer from 1 to 22");
        assert_error(&format!("[corrections]\n{setting}"), &line);
    }
    let set = good("[corrections]\nreverse = 1", &[]).corrections;
    assert_eq!((set.adjust, set.reverse), (15, 1));
}

#[test]
fn invalid_secrets() {
    assert_error(
        "[yoho]\nsalt = 'a'\nsalt_env = 'B'",
        "gateway.toml:3: [yoho] salt_env: is set twice, here and as salt; keep one of them",
    );
    assert_error(
        "[yoho.client_keys]\nipad = 'a'\niPad = 'b'",
        "gateway.toml:3: [yoho.client_keys] iPad: is set twice, here and as ipad; keep one of them",
    );
    assert_error(
        "[yoho]\nsalt = ' '",
        "gateway.toml:2: [yoho] salt: must not be empty",
    );
    assert_error(
        "[yoho.client_keys]\nweb = ''",
        "gateway.toml:2: [yoho.client_keys] web: must not be empty",
    );
    assert_error(
        "[yoho.client_keys]\nweb_env = 'NOT_SET'",
        "gateway.toml:2: [yoho.client_keys] web_env: names an environment variable that is not set",
    );
    assert_error(
        "[yoho]\nsalt_file = 'not/there'",
        "gateway.toml:2: [yoho] salt_file: cannot read the file it names (entity not found); \
         relative paths start from the directory of the configuration file",
    );
    assert_error(
        "[yoho.client_keys]\nweb = 5",
        "gateway.toml:2: [yoho.client_keys] web: must be a string, not an integer",
    );
    assert_error(
        "[yoho.client_keys]\n_env = 'X'",
        "gateway.toml:2: [yoho.client_keys] _env: has no name before its suffix",
    );
    assert_variable_error(
        ("POINTGATE__YOHO__SALT", ""),
        "POINTGATE__YOHO__SALT: must not be empty",
    );
}

#[test]
fn unknown_keys() {
    assert_error(
        "\n[server]\nlistne = '127.0.0.1:1'",
        "gateway.toml:3: [server] listne: unknown key; did you mean \"listen\"?",
    );
    assert_error(
        "[ledger]\nwidth = 3",
        "gateway.toml:2: [ledger] width: unknown key; known keys are queue, batch, writers, max_clock_gap_hours",
    );
    assert_error(
        "[sevrer]\nlisten = '127.0.0.1:1'",
        "gateway.toml:1: sevrer: unknown section; did you mean \"server\"?",
    );
    assert_error(
        "[yoho.types.23]\ntitle = 'x'",
        "gateway.toml:1: [yoho.types] 23: unknown section; the types are 1 to 22",
    );
    assert_error(
        "[yoho.types.3]\nonce = 'ever'",
        "gateway.toml:2: [yoho.types.3] once: only the types 17 to 22 have this key: requests cannot post the others",
    );
    assert_variable_error(
        ("POINTGATE__SERVER__LISTNE", "x"),
        "POINTGATE__SERVER__LISTNE: unknown key; did you mean \"listen\"?",
    );
    assert_variable_error(
        ("POINTGATE__SERVER__", "x"),
        "POINTGATE__SERVER__: does not name a setting; use POINTGATE__KEY or POINTGATE__SECTION__KEY",
    );
    let twice = [
        ("POINTGATE__TIMEZONE", "UTC"),
        ("pointgate__timezone", "UTC"),
    ];
    let line = "pointgate__timezone: sets the same setting as POINTGATE__TIMEZONE";
    assert_eq!(errors("", &twice), [line]);
}

#[test]
fn invalid_values() {
    assert_error(
        "server.listen = 8080",
        "gateway.toml:1: [server] listen: must be a string, not an integer: an IP address and a \
         port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
    );
    assert_error(
        "timezone = 'Asia/Shangai'",
        "gateway.toml:1: timezone: unknown time zone; did you mean \"Asia/Shanghai\"?",
    );
    assert_error(
        "server = 5",
        "gateway.toml:1: server: must be a table, not an integer",
    );
    assert_error(
        "[server]\nrequest_timeout_seconds = 301",
        "gateway.toml:2: [server] request_timeout_seconds: must be an integer from 1 to 300",
    );
    assert_error(
        "[ledger]\nqueue = 1.5",
        "gateway.toml:2: [ledger] queue: must be an integer from 1 to 65536, not a float",
    );
    assert_error(
        "[yoho.expiry]\nrule = 'year'",
        "gateway.toml:2: [yoho.expiry] rule: must be one of \"year_end\", \"days\", \"never\"",
    );
    assert_error(
        "[yoho.types.17]\nonce = 'daily'",
        "gateway.toml:2: [yoho.types.17] once: must be one of \"ever\", \"day\", \"never\"",
    );
    assert_error(
        "[yoho.types.17]\ntitle = '%s%s'",
        "gateway.toml:2: [yoho.types.17] title: must be 1 to 255 characters on one line, \
         with at most one %s",
    );
    assert_variable_error(
        ("POINTGATE__LEDGER__BATCH", "many"),
        "POINTGATE__LEDGER__BATCH: must be an integer from 1 to 65536, not a string",
    );
    assert_variable_error(
        ("POINTGATE__SERVER", "x"),
        "POINTGATE__SERVER: must be a table, not a string",
    );
    let memory = errors("database.url = 'sqlite::memory:'", &[]);
    assert!(memory[0].starts_with(
        "gateway.toml:1: [database] url: an in-memory database would lose the ledger"
    ));
}

#[test]
fn wide_networks() {
    let text = "[yoho]\ndebug_from = [\n  '127.0.0.1',\n  '0.0.0.0/0',\n  'home',\n]";
    let lines = errors(text, &[]);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("gateway.toml:4: [yoho] debug_from: entry 2: is too wide"));
    assert!(lines[1].starts_with("gateway.toml:5: [yoho] debug_from: entry 3: must be an address"));
    let lines = errors("server.trusted_proxies = ['::/0']", &[]);
    assert!(lines[0].contains("entry 1: is too wide"));
}

#[test]
fn sample_secrets_stay_on_this_machine() {
    let lines = errors("[server]\nlisten = '0.0.0.0:80'\n[yoho]\nsalt = 'own'", &[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("gateway.toml:2: [server] listen: must be a loopback address"));
    assert!(lines[0].contains("yoho.client_keys.iphone"));
    assert!(!lines[0].contains("yoho.salt"));
    let own = "server.listen = '0.0.0.0:80'\nyoho.salt = 'own'\n[yoho.client_keys]\nweb = 'own'";
    assert_eq!(good(own, &[]).server.listen.port(), 80);
    good("server.listen = '[::ffff:127.0.0.1]:80'", &[]);
}

#[test]
fn all_errors_are_reported_at_once() {
    let text = "\
        timezone = 'Nowhere'\n\
        [server]\nlisten = '0.0.0.0:80'\nworkers = -1\nlistne = 1\n\
        [yoho]\nsalt = ''\n\
        [yoho.expiry]\nyears = 'one'\nrule = 'x'\n";
    let lines = errors(text, &[("POINTGATE__LEDGER__QUEUE", "0")]);
    let locations: Vec<&str> = lines
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
    assert_eq!(locations, expected);
}

#[test]
fn a_syntax_error_has_its_line_and_hides_no_other_error() {
    let text = "\
        [ledger]\nwidth = 1\nqueue = = 2\nbatch = 0\n\
        [server]\nlisten = 127.0.0.1\nworkers = -1\n";
    let lines = errors(text, &[]);
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
        "database.url = 'postgres://user:1/hush4711@host/db'",
        "database.url_file = 'hush4711'",
        "database.url_env = 'hush4711'",
        "[database]\nurl = 'hush4711'\nurl_env = 'hush4711'",
    ] {
        let errors = read(text, &[]).expect_err(text);
        let shown = format!("{errors}\n{errors:?}");
        assert!(!errors.0.is_empty(), "{text}");
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
    let lines = errors("x = 1", &variables).join("\n");
    assert!(!lines.contains(secret));
}

#[test]
fn clients_and_the_community() {
    let assert_errors = |text: &str, expected: &str| {
        let errors = read(text, &[]).expect_err("should be refused");
        assert_eq!(errors.to_string(), expected, "{text}");
    };
    assert_errors(
        "[yoho.clients.web]\nkey = 'k'\nallow = ['a *']\njson = 'no'\n[yoho.clients.app]\nkye = 'k'\nmax_points = -1",
        "gateway.toml:3: [yoho.clients.web] allow: entry 1: must be the name of a method, or the beginning of names and *\n\
         gateway.toml:4: [yoho.clients.web] json: must be one of \"accept\", \"refuse\"\n\
         gateway.toml:5: [yoho.clients.app] key: is missing\n\
         gateway.toml:6: [yoho.clients.app] kye: unknown key; did you mean \"key\"?\n\
         gateway.toml:7: [yoho.clients.app] max_points: must be an integer from 0 to 1000000000000",
    );
    assert_errors(
        "[yoho.clients.web]\nkey = 'k'\n[yoho.clients.Web]\nkey = 'k'",
        "gateway.toml:1: [yoho.clients] web: is set twice",
    );
    assert_errors(
        "[yoho.clients.web]\nkey = 'k'\n[yoho.client_keys]\nWEB = 'k'",
        "gateway.toml:1: [yoho] clients: web is also in [yoho.client_keys]; keep one of them",
    );
    assert_errors(
        "[osx]\nprevious_app_secret = 's'\ncallback_parameters = ['category', 'sign']",
        "gateway.toml:1: [osx] previous_app_secret: must be set together with app_secret\n\
         gateway.toml:3: [osx] callback_parameters: entry 1: \"category\" sorts between appSecret and endtimestamp, so its value could be \
         taken for a part of the time; rename it in the callback URL\n\
         gateway.toml:3: [osx] callback_parameters: entry 2: \"sign\" is a parameter of the platform's own",
    );
}
