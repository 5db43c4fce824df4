//! The documentation: requests get the shown answers, commands run, links resolve, and every method and command is described.

mod incident;
mod links;
mod messages;
mod nginx;
mod page;
mod run;
pub mod signing;

use page::{Kind, Page};

use crate::program::{ProgramDir, text};

/// Runs the examples of a page, and fails with the list of all that are wrong.
async fn page_holds(path: &str) {
    let page = Page::read(path);
    let faults = run::faults(&page).await;
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// One test per page; [`every_page_has_a_test`] keeps the list complete.
macro_rules! pages {
    ($($name:ident $path:literal)*) => {
        /// The pages whose examples run.
        const PAGES: &[&str] = &[$($path),*];

        mod examples {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::page_holds($path).await;
                }
            )*
        }
    };
}

pages! {
    readme "README.md"
    readme_zh "README.zh-CN.md"
    changelog "CHANGELOG.md"
    security "SECURITY.md"
    architecture "docs/architecture.md"
    community "docs/community.md"
    configuration "docs/configuration.md"
    databases "docs/databases.md"
    incident "docs/incident.md"
    operations "docs/operations.md"
    partners "docs/partners.md"
    performance "docs/performance.md"
    proofs "docs/proofs.md"
    signing "docs/signing.md"
    status_and_broker "docs/status-and-broker.md"
    threat_model "docs/threat-model.md"
    yoho "docs/yoho.md"
    community_zh "docs/zh/community.md"
    configuration_zh "docs/zh/configuration.md"
    incident_zh "docs/zh/incident.md"
    operations_zh "docs/zh/operations.md"
    partners_zh "docs/zh/partners.md"
    signing_zh "docs/zh/signing.md"
    status_and_broker_zh "docs/zh/status-and-broker.md"
    threat_model_zh "docs/zh/threat-model.md"
    yoho_zh "docs/zh/yoho.md"
}

#[test]
fn every_page_has_a_test() {
    let mut listed = PAGES.to_vec();
    listed.sort_unstable();
    let mut there: Vec<String> = page::all().into_iter().map(|page| page.path).collect();
    there.sort_unstable();
    assert_eq!(listed, there);
}

#[test]
fn every_link_resolves() {
    let pages = page::all();
    let faults: Vec<String> = pages
        .iter()
        .flat_map(|page| links::faults(page, &pages))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_readme_leads_to_every_page() {
    for page in page::all() {
        let readme = match page.path.starts_with("docs/zh/") {
            true => "README.zh-CN.md",
            false => "README.md",
        };
        let linked = Page::read(readme).text.contains(&format!("({}", page.path));
        assert!(linked || page.path == readme, "{} in {readme}", page.path);
    }
}

#[test]
fn the_chinese_pages_show_the_same_examples() {
    for page in page::all() {
        let original = match page.path.strip_prefix("docs/zh/") {
            Some(name) => format!("docs/{name}"),
            None if page.path == "README.zh-CN.md" => "README.md".to_owned(),
            None => continue,
        };
        assert_eq!(
            examples(&page),
            examples(&Page::read(&original)),
            "{}",
            page.path
        );
    }
}

/// The examples of a page without their comments, which are in the page's language.
fn examples(page: &Page) -> Vec<(Kind, String)> {
    let steps = page.steps().into_iter();
    let plain = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim().starts_with('#'));
        let lines: Vec<&str> = lines
            .map(|line| line.split(" # ").next().unwrap().trim_end())
            .collect();
        lines.join("\n")
    };
    steps.map(|step| (step.kind, plain(&step.text))).collect()
}

/// The text of all pages in a folder.
fn texts(folder: &str) -> String {
    let pages = page::all().into_iter();
    let here = pages.filter(|page| page.path.rsplit_once('/').is_some_and(|it| it.0 == folder));
    here.map(|page| page.text).collect()
}

#[test]
fn every_method_and_every_command_is_described() {
    let dir = ProgramDir::empty();
    let methods = text(&dir.run(&["methods"]).stdout);
    let names = methods
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .flat_map(|line| line.split(" = "));
    let (pages, chinese) = (texts("docs"), texts("docs/zh"));
    let mut seen = 0;
    for name in names {
        seen += 1;
        assert!(pages.contains(&format!("`{name}`")), "{name}");
        assert!(chinese.contains(&format!("`{name}`")), "{name} in Chinese");
    }
    assert!(seen >= 20, "{methods}");

    let help = text(&dir.run(&["help"]).stdout);
    let commands = help.split("Commands:").nth(1).unwrap();
    let commands = commands.split("Options:").next().unwrap();
    let names = commands.lines().filter_map(|line| {
        let word = line.strip_prefix("  ")?.split(' ').next()?;
        (!word.is_empty() && word != "help").then_some(word)
    });
    let mut seen = 0;
    for name in names {
        seen += 1;
        for page in ["docs/operations.md", "docs/zh/operations.md"] {
            let page = Page::read(page);
            assert!(page.text.contains(&format!("`pointgate {name}")), "{name}");
        }
    }
    assert!(seen >= 8, "{help}");
}

/// A page whose every example is wrong or is not executed, and what is said of it.
const BAD: &str = r#"
<!-- test: at 2026-05-20 11:30:32 -->
```sh
curl 'http://127.0.0.1:8080/gateway?method=app.yohocoin.total&uid=5&debug=XYZ'
curl 'http://127.0.0.1:8080/gateway?method=app.yohocoin.total&uid=6&debug=XYZ'
echo nothing
pointgate no-such-command
```

```json
{"code":200}
```

```text
signed by nothing
```

```toml
[no_such_section]
```

```python
print(1)
```

```sh
curl 'http://127.0.0.1:8080/healthz'
```

[nowhere](no-such-page.md) [no such part](#no-such-part) [elsewhere](https://example.org) `[not](a-link)`
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_page_is_noticed() {
    let page = Page {
        path: "docs/bad.md".to_owned(),
        text: BAD.to_owned(),
    };
    let faults = run::faults(&page).await.join("\n");
    for part in [
        "4: this request has no answer",
        "6: nothing executes this line: echo nothing",
        "7: pointgate no-such-command fails",
        "10: the answer is",
        "14: no request, answer or command on this page has to do with this text",
        "18: ",
        "22: nothing executes a block of python",
        "27: this request has no answer",
    ] {
        assert!(
            faults.contains(&format!("docs/bad.md:{part}")),
            "{part}\n{faults}"
        );
    }
    let faults = links::faults(&page, &page::all()).join("\n");
    assert_eq!(
        faults,
        "docs/bad.md: no such file: no-such-page.md\ndocs/bad.md: no such heading: #no-such-part"
    );
}
