//! The programs that sign requests: each runs where its language is installed, and the gateway accepts what it prints.

use std::path::Path;
use std::process::Command;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::Page;
use crate::test_gateway::TestGateway;

/// The pages whose programs run here; the second has the first one's.
pub const EXECUTED: [&str; 2] = ["docs/signing.md", "docs/zh/signing.md"];
/// The languages of the programs, as their blocks name them.
pub const LANGUAGES: [&str; 6] = ["php", "java", "go", "python", "javascript", "csharp"];

/// The Params that the third line covers, as they stand in the programs.
const PARAMS: &str = r#"{"type":4,"user_id":50030199,"note":"签到 1.10 ~*!()'"}"#;

/// The file of a program, and the commands that run it.
type Steps = (&'static str, &'static [&'static [&'static str]]);

/// The ways to run a program; the first one counts whose commands are all installed.
fn ways(language: &str) -> &'static [Steps] {
    match language {
        "php" => &[("sign.php", &[&["php", "sign.php"]])],
        // Before Java 18 the language of the machine decides the encoding of the source.
        "java" => &[(
            "Sign.java",
            &[&["java", "-Dfile.encoding=UTF-8", "Sign.java"]],
        )],
        "go" => &[("sign.go", &[&["go", "run", "sign.go"]])],
        "python" => &[("sign.py", &[&["python3", "sign.py"]])],
        "javascript" => &[("sign.js", &[&["node", "sign.js"]])],
        "csharp" => &[
            (
                "Program.cs",
                &[
                    &["dotnet", "new", "console", "--force", "--output", "sign"],
                    &["cp", "Program.cs", "sign/Program.cs"],
                    &["dotnet", "run", "--project", "sign"],
                ],
            ),
            ("Sign.cs", &[&["mcs", "Sign.cs"], &["mono", "Sign.exe"]]),
        ],
        _ => &[],
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// How a program of a language runs on this machine; `None` if the language is not installed.
fn way(language: &str) -> Option<&'static Steps> {
    let are_installed = |(_, steps): &&Steps| steps.iter().all(|step| is_installed(step[0]));
    ways(language).iter().find(are_installed)
}

/// The languages that are not installed here, for `servers::what_is_skipped`.
pub fn missing() -> Vec<&'static str> {
    let languages = LANGUAGES.into_iter();
    languages
        .filter(|language| way(language).is_none())
        .collect()
}

/// What a program prints.
fn output(folder: &Path, (file, steps): &Steps, program: &str) -> String {
    std::fs::write(folder.join(file), program).unwrap();
    let mut printed = String::new();
    for step in *steps {
        let output = Command::new(step[0])
            .args(&step[1..])
            .current_dir(folder)
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{step:?}: {why}");
        printed = String::from_utf8(output.stdout).unwrap();
    }
    printed
}

/// Sends the four requests with these signatures.
async fn accepts(config: &str, language: &str, signatures: &[String]) {
    let [client_secret, token, full_token, sign] = signatures else {
        panic!("{language}: {signatures:?}");
    };
    let gateway = TestGateway::with_samples(config).await;
    gateway.set_time("2019-01-11 13:57:24");
    let coins = "uid=50030199&num=7&type=18&referenceId=a";
    let (_, answer) = gateway.call_with_debug("app.yohocoin.get", coins).await;
    assert!(answer.contains(r#""currency":"7""#), "{answer}");

    let version = utf8_percent_encode("安卓 4.4 ", NON_ALPHANUMERIC);
    let query = format!(
        "method=app.yohocoin.total&client_type=android&os_version={version}&uid=50030199&client_secret={client_secret}"
    );
    let (_, answer) = gateway.get(&query).await;
    assert!(answer.contains(r#""total":7"#), "{language}: {answer}");

    for (open_id, grant_code, nonce, token) in [
        (
            "6dc05b4ac175cf316d226252b05cf685",
            "782c281f62",
            "658965",
            token,
        ),
        (
            "a-partner-that-signs-in-full",
            "0a1b2c3d4e",
            "1",
            full_token,
        ),
    ] {
        let envelope = format!(
            r#"{{"OpenId":"{open_id}","GrantCode":"{grant_code}","Timestamp":"1547186244","Nonce":"{nonce}","Token":"{token}","Action":"communal.user.identity","Params":{PARAMS}}}"#
        );
        let (_, answer) = gateway.post_envelope(envelope).await;
        assert!(
            answer.contains(r#""user_points":7"#),
            "{language}: {answer}"
        );
    }

    let callback = format!(
        "/userActionNotify?user_token=14359234985&to_user_token=0&to_id=256&action=osapi_com_sendThread&action_token=1520559498658924&appKey=my-app-key&endtimestamp=1547186304&sign={sign}"
    );
    let (_, answer) = gateway.get_path(&callback).await;
    assert!(answer.contains(r#""msg":"ok""#), "{language}: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_accepts_what_each_program_signs() {
    let page = Page::read(EXECUTED[0]);
    for language in LANGUAGES {
        let program = page.block(language);
        // `servers::what_is_skipped` reports the languages that are not there.
        let Some(steps) = way(language) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let printed = output(folder.path(), steps, &program);
        let signatures: Vec<String> = printed.lines().map(str::to_owned).collect();
        accepts(&page.block("toml"), language, &signatures).await;
        for (line, signature) in (1..).zip(&signatures) {
            let row = page
                .prose()
                .iter()
                .any(|it| it.starts_with(&format!("| {line} |")) && it.contains(signature));
            assert!(row, "{language}: line {line} of the table is {signature}");
        }
    }
}
