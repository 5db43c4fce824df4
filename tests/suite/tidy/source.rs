//! The files of the repository, as the rules read them.

use std::path::{Path, PathBuf};

/// A file of the repository.
pub struct Source {
    /// The path from the repository's root, with `/`.
    pub path: String,
    /// The file's content.
    pub text: String,
}

impl Source {
    /// The part of `src` that the file belongs to: `ledger` of `src/ledger/book.rs`, `server` of `src/server.rs`; `None` outside.
    pub fn part(&self) -> Option<&str> {
        let first = self.path.strip_prefix("src/")?.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// The folder or file of the part that the file belongs to: `book` of `src/ledger/book/entry.rs`; `None` for the part's own file.
    pub fn room(&self) -> Option<&str> {
        let second = self.path.strip_prefix("src/")?.split('/').nth(1)?;
        let room = second.strip_suffix(".rs").unwrap_or(second);
        (room != "mod").then_some(room)
    }

    /// The lines of code, numbered from 1, without comments.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(at, line)| (at + 1, without_comment(line)))
    }

    /// The lines of code before the unit tests of the file.
    pub fn production_code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().take_while(|(_, code)| *code != "#[cfg(test)]")
    }

    /// Whether the file holds tests alone.
    pub fn is_test(&self) -> bool {
        let mut folders = self.path.split('/').map(|it| it.trim_end_matches(".rs"));
        folders.any(|it| ["tests", "properties"].contains(&it))
    }

    /// A finding of a rule: `src/a.rs:1: why`.
    pub fn finding(&self, line: usize, why: &str) -> String {
        format!("{}:{line}: {why}", self.path)
    }
}

/// A line up to its `//`, unless that is part of a URL.
fn without_comment(line: &str) -> &str {
    let mut slashes = line.match_indices("//").map(|(at, _)| at);
    let comment = slashes.find(|&at| !line[..at].ends_with(':'));
    comment.map_or(line, |at| &line[..at])
}

/// The words of a line, identifiers included.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The words within an identifier in small letters: `expires`, `at` of `expires_at`, `daily`, `limit` of `DailyLimit`.
pub fn parts(identifier: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = '_';
    for c in identifier.chars() {
        if c != '_' && (before == '_' || (c.is_uppercase() && !before.is_uppercase())) {
            parts.push(String::new());
        }
        if c != '_' {
            let last = parts.last_mut().expect("pushed above");
            last.extend(c.to_lowercase());
        }
        before = c;
    }
    parts
}

/// All Rust files of the repository.
pub fn rust_files() -> Vec<Source> {
    files(&["src", "entity", "migration", "tests", "benches"], "rs")
}

/// The pages of the documentation, the committed configuration and the scripts of the tests.
pub fn pages() -> Vec<Source> {
    let mut pages = files(&["docs"], "md");
    pages.extend(files(&["tests"], "sh"));
    pages.extend(["README.md", "gateway.toml"].map(|file| read(&root().join(file))));
    pages
}

fn files(folders: &[&str], extension: &str) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root().join(folder), extension, &mut files);
    }
    files.sort_unstable();
    files.iter().map(|file| read(file)).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> Source {
    let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
    Source {
        path: path.replace('\\', "/"),
        text: std::fs::read_to_string(file).unwrap(),
    }
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|end| end == extension) {
            files.push(path);
        }
    }
}
