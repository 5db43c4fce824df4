//! The walk of `docs/incident.md`, by a real shell on a ledger in which a partner's key has minted points.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::page::{Kind, Page, root};
use crate::database::{PYTHON, setting};
use crate::openapi::client::PartnerClient;
use crate::program::{CONFIG, Client, Program, ProgramDir, text};

/// The pages whose commands this executes.
pub const EXECUTED: [&str; 2] = ["docs/incident.md", "docs/zh/incident.md"];

const PARTNER: &str = "
[[openapi.partners]]
open_id = 'partner-1'
grant_code = 'grant'
secret = 'a leaked secret'
allow = ['*']
[seal]
key_file = 'seal.key'
";

const LEAKED: PartnerClient = PartnerClient {
    open_id: "partner-1",
    grant_code: "grant",
    secret: "a leaked secret",
    full: false,
};

async fn mint(client: &Client, uid: i64, points: i64, biz_id: &str) {
    let gift = json!({"balance": points, "bizId": biz_id, "customerId": uid});
    let at = jiff::Timestamp::now().as_second();
    let envelope = LEAKED.envelope(at, biz_id, "user.points-add", &gift);
    let url = format!("{}/api/v2", client.base);
    let answer = Client::send(client.http.post(url).body(envelope.to_string())).await;
    let answer = answer.unwrap().text;
    assert!(answer.contains(r#""code":0,"#), "{answer}");
}

fn order<'p>(method: &'p str, num: &'p str, kind: &'p str) -> [(&'p str, &'p str); 5] {
    [
        ("method", method),
        ("uid", "1001"),
        ("num", num),
        ("type", kind),
        ("orderCode", "o1"),
    ]
}

/// Runs a block by a shell that finds the program, and gives what it prints.
fn shell(dir: &ProgramDir, block: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_pointgate"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", block])
        .current_dir(dir.path(""))
        .env("PATH", path);
    for (name, _) in std::env::vars_os() {
        if name
            .to_string_lossy()
            .to_uppercase()
            .starts_with("POINTGATE_")
        {
            command.env_remove(name);
        }
    }
    let out = command.output().unwrap();
    assert!(out.status.success(), "{block}: {}", text(&out.stderr));
    text(&out.stdout)
}

/// Whether a text has the parts of a shown one in their order; `…` stands for anything.
fn is_like(output: &str, shown: &str) -> bool {
    let mut rest = output.trim_end();
    for (at, part) in shown.split('…').enumerate() {
        match rest.find(part) {
            Some(found) if at > 0 || found == 0 => rest = &rest[found + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || shown.ends_with('…')
}

/// Walks a page on a ledger of its own.
async fn walk(path: &str) {
    let dir = ProgramDir::with_config(CONFIG).on_sqlite();
    let key = dir.run(&["seal", "keygen", "seal.key"]);
    dir.write("seal.pub", text(&key.stdout).trim());
    dir.write("gateway.toml", &format!("{CONFIG}{PARTNER}"));
    let program = Program::start(&dir, &[]).await;
    let client = program.client();
    let earned = [
        ("method", "app.yohocoin.get"),
        ("uid", "1001"),
        ("num", "100"),
        ("type", "18"),
        ("referenceId", "r"),
    ];
    client.call_ok(&earned).await;
    mint(&client, 1001, 500, "a").await;
    mint(&client, 1002, 300, "b").await;
    client
        .call_ok(&order("app.yohocoin.subtract", "-450", "19"))
        .await;
    let mut output = None;
    let mut blocks = 0;
    for step in Page::read(path).steps() {
        match step.kind {
            Kind::Block(language) if language == "sh" => {
                blocks += 1;
                let Some(command) = command(&step.text) else {
                    continue;
                };
                output = Some(shell(&dir, &command));
            }
            Kind::Block(language) if language == "text" => {
                let output = output.take().expect(path);
                let fits = is_like(&output, &step.text);
                assert!(fits, "{path}:{}: it prints\n{output}", step.line);
            }
            kind => panic!("{path}:{}: nothing executes {kind:?}", step.line),
        }
    }
    assert!(blocks >= 10, "{path}: {blocks}");
    // The order that comes back pays the debt, and leaves what the member had honestly.
    let back = order("app.yohocoin.return", "450", "22");
    client.call_ok(&back).await;
    assert_eq!(client.total("1001").await, 100);
    program.audit();
}

/// A block for this machine: the verifier runs where there is a Python for it, which `tests/with_servers.sh` finds.
fn command(block: &str) -> Option<String> {
    let Some(arguments) = block.strip_prefix("python3 tests/verify/") else {
        return Some(block.to_owned());
    };
    let python = setting(PYTHON)?;
    let script = root().join("tests/verify");
    Some(format!("'{python}' -B '{}'/{arguments}", script.display()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_walk_after_a_leak_holds() {
    for path in EXECUTED {
        walk(path).await;
    }
}

/// As above, and an outsider verifies the result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Python with the package cryptography: tests/with_servers.sh"]
async fn the_result_of_the_walk_is_proven_to_an_outsider() {
    crate::database::must(PYTHON);
    walk(EXECUTED[0]).await;
}

#[test]
fn what_is_shown_must_be_printed() {
    for (output, shown, fits) in [
        ("a b\n", "a b", true),
        ("a b c\n", "a … c", true),
        ("a b\nc\n", "a …", true),
        ("a b c\n", "a … d", false),
        ("x a b\n", "a b", false),
        ("a b x\n", "a b", false),
        ("", "a", false),
    ] {
        assert_eq!(is_like(output, shown), fits, "{output} {shown}");
    }
}
