//! A page of the documentation, and the examples in it.

use std::path::Path;

/// A page in Markdown.
pub struct Page {
    /// The path from the repository's root.
    pub path: String,
    /// The Markdown or the block's content, without fences.
    pub text: String,
}

/// An example, or a directive for the test that readers do not see.
pub struct Step {
    /// The line of its fence, from 1.
    pub line: usize,
    /// Whether this is an example or a directive.
    pub kind: Kind,
    /// The Markdown or the block's content, without fences.
    pub text: String,
}

/// The kind of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A fenced block in this language.
    Block(String),
    /// `<!-- test: TEXT -->`
    Directive,
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All pages: those at the root and those in `docs` and its folders.
pub fn all() -> Vec<Page> {
    let mut pages = Vec::new();
    for folder in ["", "docs", "docs/zh"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                let path = format!("{folder}/{name}");
                pages.push(Page::read(path.trim_start_matches('/')));
            }
        }
    }
    pages
}

impl Page {
    /// The page at this path from the root.
    pub fn read(path: &str) -> Page {
        let text = std::fs::read_to_string(root().join(path));
        Page {
            path: path.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    /// Its examples and directives, in their order. A block in a list is indented.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let line = line.trim_start();
            let directive = line.strip_prefix("<!-- test: ");
            let (kind, text) = if let Some(language) = line.strip_prefix("```") {
                let block = lines.by_ref().map(|(_, line)| line);
                let block: Vec<&str> = block.take_while(|it| it.trim() != "```").collect();
                (Kind::Block(language.to_owned()), block.join("\n"))
            } else if let Some(text) = directive.and_then(|it| it.strip_suffix(" -->")) {
                (Kind::Directive, text.to_owned())
            } else {
                continue;
            };
            let line = at + 1;
            steps.push(Step { line, kind, text });
        }
        steps
    }

    /// The lines outside its blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut inside = false;
        let lines = self.text.lines().filter(|line| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        });
        lines.collect()
    }

    /// The first block of a language.
    pub fn block(&self, language: &str) -> String {
        let wanted = Kind::Block(language.to_owned());
        let mut steps = self.steps().into_iter();
        let step = steps.find(|step| step.kind == wanted);
        step.unwrap_or_else(|| panic!("{} has no {language}", self.path))
            .text
    }
}
