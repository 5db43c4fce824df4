//! Tests of the configuration as a whole: its defaults, its layers, its secrets.

mod errors;

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::config::*;

fn env(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

pub(super) fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::parse(text, Path::new("gateway.toml"), &env(variables))
}

pub(super) fn good(text: &str, variables: &[(&str, &str)]) -> Config {
    read(text, variables).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_committed_file_is_the_defaults() {
    let config = good("", &[]);
    assert_eq!(config.timezone.iana_name(), Some("Asia/Shanghai"));
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.workers, 0);
    assert!(config.server.trusted_proxies.is_empty());
    assert_eq!(config.server.request_timeout, Duration::from_secs(10));
    assert_eq!(config.database.url.reveal(), "sqlite://data/pointgate.db");
    assert_eq!((config.ledger.queue, config.ledger.batch), (4096, 512));
    assert_eq!(config.ledger.max_clock_gap, Duration::from_secs(72 * 3600));
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let retention = Retention {
        messages: days(30),
        action_details: Some(days(90)),
        nonces: days(0),
    };
    assert_eq!(config.retention, retention);
    assert_eq!(config.yoho.debug.as_deref(), Some("XYZ"));
    let debug_from = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    assert_eq!(config.yoho.debug_from, debug_from);
    assert_eq!(config.yoho.expiry, Expiry::YearEnd { years: 1 });
    assert_eq!(config.source, "gateway.toml");

    let again = good(DEFAULTS, &[]);
    assert_eq!(format!("{config:?}"), format!("{again:?}"));
}

#[test]
fn every_default_secret_is_a_sample() {
    let samples = [
        "yoho.salt",
        "yoho.client_keys.android",
        "yoho.client_keys.ipad",
        "yoho.client_keys.iphone",
    ];
    assert_eq!(good("", &[]).samples, samples);
    let own = "yoho.salt = \"own\"\n[yoho.client_keys]\nweb = \"own\"";
    assert!(good(own, &[]).samples.is_empty());
    // A sample is recognised whatever its source, and with white space around it.
    let by_variable = [
        ("POINTGATE__YOHO__SALT_ENV", "SALT"),
        ("SALT", "sample-salt-for-trying-out "),
    ];
    assert_eq!(good(own, &by_variable).samples, ["yoho.salt"]);
}

#[test]
fn the_titles_are_those_of_the_protocol() {
    let titles = [
        "原有YOHO币%s个，初始化变更",
        "订单取消退还：订单%s",
        "活动奖励",
        "充值",
        "签到奖励",
        "抽奖活动奖励",
        "调研问卷奖励",
        "完善资料奖励",
        "下单使用：订单%s",
        "退货退还：订单%s",
        "活动赠送：订单%s",
        "抽奖使用",
        "购买商品赠送：%s",
        "购买商品赠送：%s",
        "补差价：%s",
        "积分过期",
        "地点签到",
        "合格评价",
        "兑换实物",
        "兑换话费",
        "兑换电子券",
        "有货币兑换失败",
    ];
    let types = good("", &[]).yoho.types;
    assert!(types.keys().copied().eq(1..=22));
    for ((number, coin_type), title) in types.into_iter().zip(titles) {
        assert_eq!(coin_type.title, title);
        let message = match number {
            14 => "晒单奖励：%s".to_owned(),
            17.. => format!("{title}%s"),
            _ => title.to_owned(),
        };
        assert_eq!(coin_type.message, message);
        let uniqueness = match number {
            ..17 => Uniqueness::None,
            17 => Uniqueness::Daily,
            _ => Uniqueness::Forever,
        };
        assert_eq!(coin_type.uniqueness, uniqueness, "{number}");
    }
}

#[test]
fn a_file_overrides_the_defaults() {
    let text = "\
        timezone = 'UTC'\n\
        [server]\nlisten = '[::1]:9000'\ntrusted_proxies = ['10.0.0.1', '::ffff:10.1.0.0/112']\n\
        [yoho]\nsalt = 's'\ndebug = ''\n[yoho.client_keys]\nweb = 'w'\n\
        [yoho.expiry]\nrule = 'days'\ndays = 0x1e\n\
        [yoho.types.17]\nonce = 'never'\ntitle = '签到'\n";
    let config = good(text, &[]);
    assert_eq!(config.timezone.iana_name(), Some("UTC"));
    assert_eq!(config.server.listen.to_string(), "[::1]:9000");
    let proxies = ["10.0.0.1/32", "10.1.0.0/16"].map(|net| net.parse().unwrap());
    assert_eq!(config.server.trusted_proxies, proxies);
    assert_eq!(config.yoho.debug, None);
    assert_eq!(config.yoho.expiry, Expiry::Days(30));
    let check_in = CoinType {
        title: "签到".to_owned(),
        message: "地点签到%s".to_owned(),
        uniqueness: Uniqueness::None,
    };
    assert_eq!(config.yoho.types[&17], check_in);
    assert_eq!(config.server.workers, 0);
    let never = good("yoho.expiry.rule = 'never'", &[]);
    assert_eq!(never.yoho.expiry, Expiry::Never);
}

#[test]
fn a_files_client_keys_replace_the_defaults() {
    let config = good("[yoho.client_keys]\niPhone = 'mine'", &[]);
    let names: Vec<_> = config.yoho.clients.keys().collect();
    assert_eq!(names, ["iphone"]);
    assert_eq!(config.yoho.clients["iphone"].key.reveal(), "mine");
    assert!(good("[yoho.client_keys]", &[]).yoho.clients.is_empty());

    // A variable adds a key, or overrides the one of the file in any case of its name.
    let variable = ("POINTGATE__YOHO__CLIENT_KEYS__IPHONE", "theirs");
    let config = good("[yoho.client_keys]\niPhone = 'mine'", &[variable]);
    assert_eq!(config.yoho.clients["iphone"].key.reveal(), "theirs");
    assert_eq!(config.yoho.clients.len(), 1);
    assert_eq!(good("", &[variable]).yoho.clients.len(), 3);
}

#[test]
fn variables_override_the_file() {
    let variables = [
        ("POINTGATE__TIMEZONE", "UTC"),
        ("pointgate__Server__Listen", "127.0.0.1:1"),
        ("POINTGATE__SERVER__WORKERS", "3"),
        ("POINTGATE__SERVER__TRUSTED_PROXIES", "10.0.0.1, fd00::/64"),
        ("POINTGATE__YOHO__DEBUG_FROM", "['127.0.0.1']"),
        ("POINTGATE__YOHO__DEBUG", "42"),
        ("POINTGATE__YOHO__TYPES__17__TITLE", "\"签到\""),
        ("POINTGATE_CONFIG", "elsewhere"),
        ("OTHER__SERVER", "x"),
    ];
    let config = good(
        "server.workers = 2\nserver.listen = '127.0.0.1:2'\nyoho.salt = 's'\n[yoho.client_keys]\nweb = 'w'",
        &variables,
    );
    assert_eq!(config.timezone.iana_name(), Some("UTC"));
    assert_eq!(config.server.listen.port(), 1);
    assert_eq!(config.server.workers, 3);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.yoho.debug_from.len(), 1);
    assert_eq!(config.yoho.debug.as_deref(), Some("42"));
    assert_eq!(config.yoho.types[&17].title, "\"签到\"");
    let none = good("", &[("POINTGATE__YOHO__DEBUG_FROM", "")]);
    assert!(none.yoho.debug_from.is_empty());
}

#[test]
fn a_secret_has_three_sources() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.toml");
    fs::write(dir.path().join("salt"), "from the file\r\n").unwrap();
    let variables = env(&[("THE_SALT", "from the variable")]);
    let salt = |text: &str, env: &[(String, String)]| {
        let config = Config::parse(text, &file, env).unwrap_or_else(|errors| panic!("{errors}"));
        config.yoho.salt.current.reveal().to_owned()
    };
    assert_eq!(salt("yoho.salt = 'plain'", &variables), "plain");
    assert_eq!(salt("yoho.salt_file = 'salt'", &variables), "from the file");
    assert_eq!(
        salt("yoho.salt_env = 'THE_SALT'", &variables),
        "from the variable"
    );

    // A higher layer overrides a lower one whichever source it uses.
    let above = env(&[("POINTGATE__YOHO__SALT_FILE", "salt"), ("THE_SALT", "x")]);
    assert_eq!(salt("yoho.salt_env = 'THE_SALT'", &above), "from the file");

    let keys = "[yoho.client_keys]\niphone_file = 'salt'\nipad_env = 'THE_SALT'\nweb = 'w'";
    let config = Config::parse(keys, &file, &variables).unwrap();
    let revealed = |name: &str| config.yoho.clients[name].key.reveal();
    assert_eq!(revealed("iphone"), "from the file");
    assert_eq!(revealed("ipad"), "from the variable");
    assert_eq!(revealed("web"), "w");
}

#[test]
fn a_named_file_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    let error = Config::load(Some(&file))
        .expect_err("the file is absent")
        .to_string();
    assert!(error.contains("own.toml: cannot read the configuration file"));
    fs::write(&file, "ledger.queue = 7").unwrap();
    let config = Config::load(Some(&file)).unwrap();
    assert_eq!(config.ledger.queue, 7);
    assert_eq!(config.source, file.display().to_string());
    let url = format!("sqlite://{}/data/pointgate.db", dir.path().display());
    assert_eq!(config.database.url.reveal(), url);
}

#[test]
fn the_url_of_the_database_may_be_in_a_file_or_a_variable() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("url"), "postgres://u:hush@host/db\n").unwrap();
    fs::write(dir.path().join("bad"), "u:hush@host/db\n").unwrap();
    let file = dir.path().join("own.toml");
    let variables = [("WHERE".to_owned(), "sqlite://a.db".to_owned())];
    let url = |text| Config::parse(text, &file, &variables).map(|config| config.database.url);
    let in_file = url("database.url_file = 'url'").unwrap();
    assert_eq!(in_file.reveal(), "postgres://u:hush@host/db");
    let in_variable = url("database.url_env = 'WHERE'").unwrap();
    let expected = format!("sqlite://{}/a.db", dir.path().display());
    assert_eq!(in_variable.reveal(), expected);
    let error = url("\ndatabase.url_file = 'bad'").unwrap_err().to_string();
    let begins = format!(
        "{}:2: [database] url_file: must be \"sqlite://\"",
        file.display()
    );
    assert!(error.starts_with(&begins), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_utf8_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    let invalid = || OsString::from_vec(vec![0xff]);
    let variables = [
        ("POINTGATE__TIMEZONE".into(), invalid()),
        ("OTHER".into(), invalid()),
    ];
    let (env, errors) = environment(variables.into_iter());
    assert!(env.is_empty());
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].to_string(),
        "POINTGATE__TIMEZONE: is not valid UTF-8"
    );
}

#[test]
fn an_error_names_the_feature_that_is_not_built_in() {
    for (is_built_in, feature, text) in [
        (
            cfg!(feature = "postgres"),
            "postgres",
            "database.url = 'postgres://me:hush@host/db'",
        ),
        (
            cfg!(feature = "mysql"),
            "mysql",
            "database.url = 'mariadb://me:hush@host/db'",
        ),
        (
            cfg!(feature = "amqp"),
            "amqp",
            "amqp.url = 'amqp://me:hush@host'",
        ),
    ] {
        match read(text, &[]) {
            Ok(_) => assert!(is_built_in, "{text}"),
            Err(errors) => {
                let line = errors.to_string();
                let why = format!("build it with the feature \"{feature}\"");
                assert!(!is_built_in && line.ends_with(&why), "{line}");
                assert!(!line.contains("hush"), "{line}");
            }
        }
    }
}
