//! `pointgate sign yoho`: what it prints is a request that passes without debug.

use crate::program::{Place, Program, text};

#[tokio::test]
async fn a_signed_url_passes() {
    let program = Program::new().await;
    let client = program.client();
    let message = "中文 a b&c=d +%/?#'\"";
    let signed = sign(
        &program.place,
        &[
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
    let signed = sign(&program.place, &["app.yohocoin.lists", "uid=50030199"]);
    let list = client.get(&signed).await.unwrap();
    let row = &list.json["data"]["coinlist"][0];
    assert_eq!(row["message"], message, "{}", list.text);
    assert_eq!(row["key"], "r 1&2");
    let forged = signed.replace("50030199", "50030198");
    let answer = client.get(&forged).await.unwrap();
    assert_eq!(answer.code(), 500, "debug is off");
}

#[tokio::test]
async fn what_methods_proposes_to_try_passes() {
    let program = Program::new().await;
    let listed = text(&program.place.run(&["methods"]).stdout);
    let tries: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_once("try: pointgate sign yoho "))
        .map(|(_, arguments)| arguments)
        .collect();
    assert_eq!(tries.len(), 6, "{listed}");
    for line in tries {
        let arguments: Vec<&str> = line.split(' ').collect();
        let signed = sign(&program.place, &arguments);
        let answer = program.client().get(&signed).await.unwrap();
        // There are no coins to spend yet, nor an order to give back.
        let good = [200, 407, 409].contains(&answer.code());
        assert!(good, "{line}: {}", answer.text);
    }
}

#[test]
fn the_client_type_picks_the_key() {
    let keys = "[server]\nlisten = '0.0.0.0:8081'\n[yoho]\nsalt = 's'\n[yoho.client_keys]\nandroid = 'one'\nIpad = 'two'\n";
    let place = Place::with(keys);
    let total = ["app.yohocoin.total", "uid=1"];
    let of = |parameter: &str| sign(&place, &[&total[..], &[parameter]].concat());
    let secret = |url: &str| url.rsplit('=').next().unwrap().to_owned();
    let one = sign(&place, &total);
    assert!(one.contains("client_type=android"), "the first: {one}");
    assert_eq!(secret(&one), secret(&of("client_type=android")));
    // The digest of client_type=iPad&method=app.yohocoin.total&private_key=two&uid=1, by md5sum.
    assert_eq!(
        secret(&of("client_type=iPad")),
        "358f1fb125ad80f5ba495503f823ad2b"
    );
    let out = place.run(&["sign", "yoho", "app.yohocoin.total"]);
    let begins = "http://127.0.0.1:8081/gateway?method=app.yohocoin.total&";
    assert!(text(&out.stdout).starts_with(begins));
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let place = Place::new();
    for client_type in ["client_type=web", "client_type="] {
        let out = place.run(&["sign", "yoho", "app.yohocoin.total", client_type]);
        assert_eq!(out.status.code(), Some(1), "{client_type}");
        assert_eq!(text(&out.stdout), "");
        assert!(text(&out.stderr).contains("client_type has no key"));
    }
    let out = place.run(&["sign", "yoho", "app.yohocoin.total", "uid"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("KEY=VALUE"));
}

/// Runs it, and gives the path and query of the URL that it printed.
#[track_caller]
fn sign(place: &Place, arguments: &[&str]) -> String {
    let out = place.run(&[&["sign", "yoho"], arguments].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    let printed = text(&out.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    let [url, "", curl] = lines[..] else {
        panic!("{printed}");
    };
    assert_eq!(curl, format!("curl '{url}'"));
    let (_, path) = url.split_once("/gateway?").unwrap();
    format!("/gateway?{path}")
}
