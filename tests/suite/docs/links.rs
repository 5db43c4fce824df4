//! Links between the pages: the files and headings they name exist.

use super::page::{Page, root};

/// The links of a page whose target does not exist. Web addresses are not checked.
pub fn faults(page: &Page, pages: &[Page]) -> Vec<String> {
    let mut faults = Vec::new();
    for target in targets(page) {
        if target.starts_with("https://") {
            continue;
        }
        let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
        let path = match file {
            "" => page.path.clone(),
            file => resolve(&page.path, file),
        };
        let of_target = match path == page.path {
            true => Some(page),
            false => pages.iter().find(|page| page.path == path),
        };
        if of_target.is_none() && !root().join(&path).exists() {
            faults.push(format!("{}: no such file: {target}", page.path));
        } else if !heading.is_empty()
            && !of_target.is_some_and(|page| headings(page).iter().any(|it| it == heading))
        {
            faults.push(format!("{}: no such heading: {target}", page.path));
        }
    }
    faults
}

/// The targets of a page's links, without those in code.
fn targets(page: &Page) -> Vec<String> {
    let mut targets = Vec::new();
    for line in page.prose() {
        // Every second part stands between backticks; a link whose text is code keeps its target outside of it.
        let plain: Vec<&str> = line.split('`').step_by(2).collect();
        for part in plain.join("`").split("](").skip(1) {
            targets.extend(part.split(')').next().map(str::to_owned));
        }
    }
    targets
}

/// A path relative to a page, from the root.
fn resolve(page: &str, file: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors that GitHub makes of a page's headings: small letters, blanks as hyphens, no punctuation.
fn headings(page: &Page) -> Vec<String> {
    let lines = page.prose().into_iter();
    let titles = lines.filter(|line| line.starts_with('#'));
    let anchor = |title: &str| {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: char| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then_some(c),
        };
        title.chars().filter_map(kept).collect()
    };
    titles.map(anchor).collect()
}
