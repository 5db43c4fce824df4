//! Runs the examples of a page, from its first to its last.
//!
//! - `toml`: each block is a valid configuration; together they are the page's configuration.
//! - `sh`: `curl` lines are sent, `pointgate` lines run, and a few other lines are known.
//! - `json`: the exact answer to the request before it. Several blocks are answers to repeated requests.
//! - `text`: the output of the command before it, or a text whose digest signs a request or seals an answer on the page.
//! - `nginx`: executed by `nginx.rs`. Programs in other languages: executed by `signing.rs`.
//!
//! Directives: `at TIME` sets the clock to a local time in Shanghai; `curl …` and `pointgate …` run unseen by readers and must
//! succeed; `alone` keeps the next `toml` out of the page's configuration; `message KEY` leaves the next block to `messages.rs`.
//! The walk after a leak is executed by `incident.rs`.

use std::path::Path;

use pointgate::config::Config;

use super::page::{Kind, Page, Step, root};
use super::signing;
use crate::openapi::client::{hmac_sha1, urlencode};
use crate::program::{Program, ProgramDir, text};
use crate::test_gateway::{TestGateway, md5};

/// The wrong examples of a page, each with its line; empty if all are right.
pub async fn faults(page: &Page) -> Vec<String> {
    let config = configuration(page);
    // The READMEs are for somebody who has just started the program; the others need a clock.
    let server = match page.path.starts_with("README") {
        true => {
            let dir =
                ProgramDir::with_config(&format!("[server]\nlisten = \"127.0.0.1:0\"\n{config}"));
            Server::Program(Box::new(Program::start(&dir, &[]).await))
        }
        false => Server::Gateway(Box::new(TestGateway::with_samples(&config).await)),
    };
    let mut run = Run {
        page,
        dir: ProgramDir::with_config(&config),
        server,
        config,
        steps: page.steps(),
        request: None,
        output: None,
        sent: Vec::new(),
        answers: Vec::new(),
        faults: Vec::new(),
    };
    for at in 0..run.steps.len() {
        run.step(at).await;
    }
    run.unanswered();
    run.faults
}

/// The page's configuration: its `toml` blocks that are good and do not stand alone.
fn configuration(page: &Page) -> String {
    let mut alone = false;
    let mut all = String::new();
    for step in page.steps() {
        if step.kind == Kind::Block("toml".to_owned()) && !alone && check(&step.text).is_ok() {
            all += &step.text;
            all += "\n";
        }
        alone = step.kind == Kind::Directive && step.text == "alone";
    }
    all
}

/// Returns the configuration's errors.
fn check(toml: &str) -> Result<(), String> {
    let config = Config::parse(toml, Path::new("gateway.toml"), &[]);
    config.map(drop).map_err(|errors| errors.to_string())
}

/// Whether the block behind this is a message.
fn is_message(step: &Step) -> bool {
    step.kind == Kind::Directive && step.text.starts_with("message ")
}

/// The gateway that answers the requests of a page.
enum Server {
    Program(Box<Program>),
    Gateway(Box<TestGateway>),
}

impl Server {
    fn url(&self, path: &str) -> String {
        match self {
            Server::Program(program) => format!("http://{}{path}", program.address),
            Server::Gateway(gateway) => gateway.url(path),
        }
    }
}

/// The request of a `curl` line.
#[derive(Clone)]
struct Request {
    line: usize,
    path: String,
    body: Option<String>,
    answered: bool,
}

impl Request {
    /// `curl 'http://127.0.0.1:8080/PATH' -d 'BODY'`
    fn read(line: usize, command: &str) -> Option<Request> {
        let quoted: Vec<&str> = command.split('\'').collect();
        let path = quoted.get(1)?.strip_prefix("http://127.0.0.1:8080")?;
        let body = match &quoted[2..] {
            [""] => None,
            [option, body, ""] if option.trim() == "-d" => Some((*body).to_owned()),
            _ => return None,
        };
        Some(Request {
            line,
            path: path.to_owned(),
            body,
            answered: false,
        })
    }
}

struct Run<'a> {
    page: &'a Page,
    config: String,
    dir: ProgramDir,
    server: Server,
    steps: Vec<Step>,
    /// The last request.
    request: Option<Request>,
    /// What the commands of the block before printed.
    output: Option<String>,
    /// Every request so far and its answers.
    sent: Vec<Request>,
    answers: Vec<String>,
    faults: Vec<String>,
}

impl Run<'_> {
    fn fault(&mut self, line: usize, what: &str) {
        self.faults
            .push(format!("{}:{line}: {what}", self.page.path));
    }

    async fn step(&mut self, at: usize) {
        let Step { line, kind, text } = &self.steps[at];
        let (line, kind, text) = (*line, kind.clone(), text.clone());
        let message = at
            .checked_sub(1)
            .is_some_and(|before| is_message(&self.steps[before]));
        if kind != Kind::Block("text".to_owned()) {
            self.output = None;
        }
        match kind {
            Kind::Directive => self.directive(line, &text).await,
            Kind::Block(_) if message => {}
            Kind::Block(_) if super::incident::EXECUTED.contains(&self.page.path.as_str()) => {}
            Kind::Block(language) => match language.as_str() {
                "toml" => {
                    if let Err(errors) = check(&text) {
                        self.fault(line, &errors);
                    }
                }
                "sh" => self.shell(line, &text).await,
                "json" => self.answer(line, &text).await,
                "text" => self.text(line, &text),
                "nginx" if super::nginx::EXECUTED.contains(&self.page.path.as_str()) => {}
                program
                    if signing::LANGUAGES.contains(&program)
                        && signing::EXECUTED.contains(&self.page.path.as_str()) => {}
                other => self.fault(line, &format!("nothing executes a block of {other}")),
            },
        }
    }

    async fn directive(&mut self, line: usize, text: &str) {
        let page = self.page.path.as_str();
        match (&self.server, text.split_once(' ')) {
            (Server::Gateway(gateway), Some(("at", time))) => gateway.set_time(time),
            (_, Some(("curl", _))) => match Request::read(line, text) {
                Some(request) => {
                    let answer = self.send(&request).await;
                    if !answer.contains(r#""code":200"#) {
                        self.fault(line, &answer);
                    }
                }
                None => self.fault(line, "this is not a line for curl"),
            },
            (_, Some(("pointgate", _))) => self.command(line, text).await,
            (_, Some(("message", _))) if super::messages::EXECUTED.contains(&page) => {}
            _ if text == "alone" => {}
            _ => self.fault(line, &format!("no such directive: {text}")),
        }
    }

    async fn shell(&mut self, line: usize, block: &str) {
        // A line that ends in a backslash goes on in the next one.
        let whole = block.replace("\\\n", " \n ");
        let mut commands: Vec<(usize, String)> = Vec::new();
        for (at, text) in whole.lines().enumerate() {
            match commands.last_mut() {
                Some((_, command)) if command.ends_with(' ') => *command += text,
                _ => commands.push((line + 1 + at, text.trim_start().to_owned())),
            }
        }
        for (line, command) in commands {
            let command = command.split(" # ").next().unwrap_or_default().trim_end();
            self.command(line, command).await;
        }
    }

    async fn command(&mut self, line: usize, command: &str) {
        if command.is_empty() || command.starts_with('#') {
            return;
        }
        if command.starts_with("curl ") {
            self.unanswered();
            self.request = Request::read(line, command);
            if self.request.is_none() {
                self.fault(
                    line,
                    "this is not a line for curl that the test understands",
                );
            }
            return;
        }
        if let Some(arguments) = command.strip_prefix("pointgate ") {
            // The other databases have tests of their own; the page's command runs with a file.
            let arguments =
                arguments.replace("postgres://USER:PASSWORD@HOST/DATABASE", "sqlite://copy.db");
            let arguments: Vec<&str> = arguments.split(' ').collect();
            let output = self.dir.run(&arguments);
            if !output.status.success() {
                let why = text(&output.stderr);
                self.fault(line, &format!("{command} fails: {why}"));
            }
            *self.output.get_or_insert_default() += &text(&output.stdout);
            return;
        }
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let known = match command {
            "cargo run --release" => manifest.contains("default-run = \"pointgate\""),
            "./tests/run.sh" => root().join(command).exists(),
            bench => bench
                .strip_prefix("cargo bench --bench ")
                .is_some_and(|name| manifest.contains(&format!("[[bench]]\nname = \"{name}\""))),
        };
        if !known {
            self.fault(line, &format!("nothing executes this line: {command}"));
        }
    }

    /// Reports requests to which the page shows no answer.
    fn unanswered(&mut self) {
        if let Some(request) = self.request.take().filter(|request| !request.answered) {
            self.fault(request.line, "this request has no answer");
        }
    }

    async fn send(&mut self, request: &Request) -> String {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = self.server.url(&request.path);
        let built = match &request.body {
            None => http.get(url),
            // The type that curl gives to such a body.
            Some(body) => http
                .post(url)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body.clone()),
        };
        let response = built.send().await.unwrap();
        self.sent.push(request.clone());
        response.text().await.unwrap()
    }

    async fn answer(&mut self, line: usize, expected: &str) {
        let Some(mut request) = self.request.clone() else {
            return self.fault(line, "no request comes before this answer");
        };
        let answer = self.send(&request).await;
        if answer != expected {
            self.fault(line, &format!("the answer is {answer}"));
        }
        request.answered = true;
        self.request = Some(request);
        self.answers.push(answer);
    }

    fn text(&mut self, line: usize, block: &str) {
        if let Some(output) = self.output.take() {
            if output.trim_end() != block {
                self.fault(line, &format!("the command prints {output}"));
            }
            return;
        }
        let digest = md5(block);
        let secrets = self.config.lines().filter_map(|it| {
            let secret = it.strip_prefix("secret = \"")?;
            secret.strip_suffix('"')
        });
        let tokens: Vec<String> = secrets
            .map(|secret| urlencode(&hmac_sha1(secret, block)))
            .collect();
        // What is signed stands before the request, what is sealed behind the answer.
        let steps = self
            .steps
            .iter()
            .filter(|step| step.kind != Kind::Directive);
        let proven = steps.filter(|step| step.text != block).any(|step| {
            step.text.contains(&digest)
                || tokens
                    .iter()
                    .any(|it| step.text.contains(&format!("\"Token\":\"{it}\"")))
        });
        if !proven {
            let what = "no request, answer or command on this page has to do with this text";
            self.fault(line, what);
        }
    }
}
