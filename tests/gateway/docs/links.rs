//! Links in the documents lead to files, and to headings that are there.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{documents, read, root};

/// The text without what stands in code, where brackets mean something else.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            // Odd parts stand between backticks.
            for part in line.split('`').step_by(2) {
                prose += part;
                prose.push(' ');
            }
            prose.push('\n');
        }
    }
    prose
}

/// Where its links and pictures lead.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let links = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let pictures = prose
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'));
    links
        .chain(pictures)
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The names by which its headings are linked to, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if is_code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter_map(|one| match one {
            ' ' => Some('-'),
            '-' | '_' => Some(one),
            one => one.is_alphanumeric().then_some(one),
        });
        anchors.insert(kept.collect());
    }
    anchors
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} is outside", path.display()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    let mut links = 0;
    for document in documents() {
        let text = read(&document);
        for target in targets(&text) {
            let is_elsewhere = ["https://", "http://", "mailto:"];
            if is_elsewhere.iter().any(|scheme| target.starts_with(scheme)) {
                continue;
            }
            links += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = match path {
                "" => document.clone(),
                path => plain(&document.parent().unwrap().join(path)),
            };
            let is_there = root().join(&file).exists();
            if !is_there || !anchor.is_empty() && !anchors(&read(&file)).contains(anchor) {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(links > 100, "{links} links");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_document_can_be_found_from_the_readme() {
    let mut found = BTreeSet::from([PathBuf::from("README.md")]);
    let mut next = vec![PathBuf::from("README.md")];
    while let Some(document) = next.pop() {
        for target in targets(&read(&document)) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains(':') {
                continue;
            }
            let mut file = plain(&document.parent().unwrap().join(path));
            if root().join(&file).is_dir() {
                file = file.join("README.md");
            }
            let is_document = file.extension().is_some_and(|extension| extension == "md");
            if is_document && root().join(&file).exists() && found.insert(file.clone()) {
                next.push(file);
            }
        }
    }
    let lost: Vec<_> = documents()
        .into_iter()
        .filter(|one| !found.contains(one))
        .collect();
    assert!(lost.is_empty(), "nothing leads to {lost:?}");
}

#[test]
fn links_and_headings_are_found_as_forges_find_them() {
    let text =
        "# A `b`, c-d?\n[a](b.md#c) `[d](e)` <img src=\"f.png\">\n```\n# no [g](h)\n```\n## Ü_x\n";
    assert_eq!(targets(text), ["b.md#c", "f.png"]);
    let expected = ["a-b-c-d".to_owned(), "ü_x".to_owned()];
    assert_eq!(anchors(text), BTreeSet::from(expected));
}
