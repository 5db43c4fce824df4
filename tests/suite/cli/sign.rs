//! `pointgate sign`: it prints a request whose signature is valid.

use crate::openapi::client::PARTNERS;
use crate::osx::client::COMMUNITY;
use crate::program::{Answer, CONFIG, Client, Program, ProgramDir, text};

#[tokio::test]
async fn a_signed_yoho_url_is_accepted() {
    let program = Program::new().await;
    let client = program.client();
    let message = "中文 a b&c=d +%/?#'\"";
    let signed = sign(
        &program.dir,
        &[
            "yoho",
            "app.yohocoin.get",
            "uid=50030199",
            "num=100",
            "type=18",
            "referenceId=r 1&2",
            &format!("message={message}"),
        ],
    );
    let answer = client.get(&signed).await.unwrap();
    assert_eq!(answer.code(), 200, "{}", answer.text);
    let signed = sign(
        &program.dir,
        &["yoho", "app.yohocoin.lists", "uid=50030199"],
    );
    let list = client.get(&signed).await.unwrap();
    let row = &list.json["data"]["coinlist"][0];
    assert_eq!(row["message"], message, "{}", list.text);
    assert_eq!(row["key"], "r 1&2");
    let forged = signed.replace("50030199", "50030198");
    let answer = client.get(&forged).await.unwrap();
    assert_eq!(answer.code(), 500, "debug is off");
}

#[tokio::test]
async fn every_example_of_methods_is_accepted() {
    let config = format!("{CONFIG}{PARTNERS}{COMMUNITY}");
    let program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    let listed = text(&program.dir.run(&["methods"]).stdout);
    let tries: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_once("try: pointgate sign "))
        .map(|(_, arguments)| arguments)
        .collect();
    assert_eq!(tries.len(), 19, "{listed}");
    for line in tries {
        let arguments: Vec<&str> = line.split(' ').collect();
        let answer = match arguments[0] {
            "openapi" => post(&program, &arguments[1..]).await,
            _ => {
                let signed = sign(&program.dir, &arguments);
                program.client().get(&signed).await.unwrap()
            }
        };
        // 407 and 409: there are no coins to spend yet, and no order to return.
        let accepted = [0, 200, 407, 409].contains(&answer.code());
        assert!(accepted, "{line}: {}", answer.text);
        assert_ne!(answer.json["msg"], "error", "{line}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_signed_community_action_is_accepted() {
    let program = Program::start(
        &ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}")),
        &[],
    )
    .await;
    let client = program.client();
    let action = [
        "osx",
        "user_token=中 文&=+%'",
        "action=post",
        "action_token=t",
    ];
    let answer = client.get(&sign(&program.dir, &action)).await.unwrap();
    assert_eq!(
        answer.json["data"]["user_info"]["score1"], "10",
        "{}",
        answer.text
    );
    let info = sign(&program.dir, &["osx", "user_token=中 文&=+%'"]);
    assert!(info.starts_with("/getUserInfo?"), "{info}");
    let answer = client.get(&info).await.unwrap();
    assert_eq!(
        answer.json["data"]["userInfo"]["score1"], "10",
        "{}",
        answer.text
    );
    let expired = ["osx", "user_token=a", "endtimestamp=5"];
    let answer = client.get(&sign(&program.dir, &expired)).await.unwrap();
    assert_eq!(answer.json["data"], "请求超时");
    let out = ProgramDir::new().run(&["sign", "osx", "user_token=a"]);
    assert!(text(&out.stderr).contains("app_key and app_secret are not configured"));
}

#[tokio::test]
async fn a_signed_partner_envelope_is_accepted() {
    let program = Program::start(
        &ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}")),
        &[],
    )
    .await;
    let reason = "reason=中文 a b&c=d +%/?#'\"\\";
    let add = [
        "user.points-add",
        "balance=7",
        "bizId=b 1&2",
        "customerId=5",
        reason,
    ];
    assert_eq!(post(&program, &add).await.code(), 0);
    // `--partner` selects the partner; p2 signs in full.
    for partner in ["p1", "p2"] {
        let records = [
            "user.user-points-records",
            "user_id=5",
            "--partner",
            partner,
        ];
        let answer = post(&program, &records).await;
        let row = &answer.json["data"]["item_list"][0];
        assert_eq!(
            row["change_text"],
            reason[7..],
            "{partner}: {}",
            answer.text
        );
    }
    let dir = &program.dir;
    for (arguments, why) in [
        (&["openapi", "x", "--partner", "p3"][..], "has this open_id"),
        (&["openapi", "x", "y"], "KEY=VALUE"),
    ] {
        let out = dir.run(&[&["sign"], arguments].concat());
        assert!(!out.status.success());
        assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    }
    let out = ProgramDir::new().run(&["sign", "openapi", "user.points-add"]);
    assert!(text(&out.stderr).contains("no [[openapi.partners]] are configured"));
}

#[test]
fn a_partner_can_only_be_allowed_existing_actions() {
    let config = format!(
        "{CONFIG}{}",
        PARTNERS.replace("user.points-add", "user.points-ad")
    );
    for command in ["check-config", "methods", "serve"] {
        let out = ProgramDir::with_config(&config).run(&[command]);
        assert_eq!(out.status.code(), Some(1), "{command}");
        let why = "p1 may call user.points-ad, but there is no such Action";
        assert!(text(&out.stderr).contains(why), "{}", text(&out.stderr));
    }
}

/// Runs `sign openapi`, parses the printed curl command by a shell, and sends its request.
async fn post(program: &Program, arguments: &[&str]) -> Answer {
    let out = program.dir.run(&[&["sign", "openapi"], arguments].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    let line = text(&out.stdout);
    let shell = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{line}");
    let read = std::process::Command::new("sh")
        .args(["-c", &shell])
        .output()
        .unwrap();
    let words = text(&read.stdout);
    let words: Vec<&str> = words.split('\0').collect();
    let [url, "-H", "Content-Type: application/json", "-d", body, ""] = words[..] else {
        panic!("{line}");
    };
    // The configured port is 0: any free one.
    assert_eq!(url, "http://127.0.0.1:0/api/v2");
    let client = program.client();
    let request = client.http.post(format!("{}/api/v2", client.base));
    Client::send(request.body(body.to_owned())).await.unwrap()
}

#[test]
fn the_client_type_selects_the_key() {
    let keys = "[server]\nlisten = '0.0.0.0:8081'\n[yoho]\nsalt = 's'\n[yoho.client_keys]\nandroid = 'one'\nIpad = 'two'\n";
    let dir = ProgramDir::with_config(keys);
    let total = ["yoho", "app.yohocoin.total", "uid=1"];
    let of = |parameter: &str| sign(&dir, &[&total[..], &[parameter]].concat());
    let secret = |url: &str| url.rsplit('=').next().unwrap().to_owned();
    let one = sign(&dir, &total);
    assert!(one.contains("client_type=android"), "the first: {one}");
    assert_eq!(secret(&one), secret(&of("client_type=android")));
    // From `md5sum` of client_type=iPad&method=app.yohocoin.total&private_key=two&uid=1.
    assert_eq!(
        secret(&of("client_type=iPad")),
        "358f1fb125ad80f5ba495503f823ad2b"
    );
    let out = dir.run(&["sign", "yoho", "app.yohocoin.total"]);
    let begins = "http://127.0.0.1:8081/gateway?method=app.yohocoin.total&";
    assert!(text(&out.stdout).starts_with(begins));
}

#[test]
fn parameters_that_cannot_be_signed_are_refused() {
    let dir = ProgramDir::new();
    for client_type in ["client_type=web", "client_type="] {
        let out = dir.run(&["sign", "yoho", "app.yohocoin.total", client_type]);
        assert_eq!(out.status.code(), Some(1), "{client_type}");
        assert_eq!(text(&out.stdout), "");
        assert!(text(&out.stderr).contains("client_type has no key"));
    }
    let out = dir.run(&["sign", "yoho", "app.yohocoin.total", "uid"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("KEY=VALUE"));
}

/// Runs `sign` and returns path and query of the printed URL.
#[track_caller]
fn sign(dir: &ProgramDir, arguments: &[&str]) -> String {
    let out = dir.run(&[&["sign"], arguments].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    let printed = text(&out.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    let [url, "", curl] = lines[..] else {
        panic!("{printed}");
    };
    assert_eq!(curl, format!("curl '{url}'"));
    let path = url.splitn(4, '/').nth(3).unwrap();
    format!("/{path}")
}
