//! Where a program is wrong.

use std::fmt::Write as _;

use jaq_core::compile::Undefined;
use jaq_core::load::{self, lex, parse};
use jaq_core::{compile, load::span};

/// How many faults are told: the others may come of the first.
const TOLD: usize = 3;

/// A place in a program, and what is wrong there.
struct Fault {
    at: usize,
    what: String,
}

/// A program that is none.
pub(super) fn of_text(code: &str, errors: load::Errors<&str, ()>) -> String {
    let faults = errors.into_iter().flat_map(|(_, error)| match error {
        load::Error::Io(errors) => errors
            .into_iter()
            .map(|(path, _)| Fault {
                at: span(code, path).start,
                what: "programs cannot include others".to_owned(),
            })
            .collect::<Vec<_>>(),
        load::Error::Lex(errors) => errors
            .into_iter()
            .map(|error| lexical(code, &error))
            .collect(),
        load::Error::Parse(errors) => errors
            .into_iter()
            .map(|error| syntactical(code, &error))
            .collect(),
    });
    told(code, faults.collect())
}

/// A program that asks for what there is not.
pub(super) fn of_names(code: &str, errors: compile::Errors<&str, ()>) -> String {
    let errors = errors.into_iter().flat_map(|(_, errors)| errors);
    let faults = errors.map(|(name, undefined)| Fault {
        at: span(code, name).start,
        what: match undefined {
            Undefined::Filter(arguments) => match arguments {
                0 => format!("there is no {name}"),
                count => format!("there is no {name}/{count}"),
            },
            other => format!("there is no {} {name}", other.as_str()),
        },
    });
    told(code, faults.collect())
}

fn lexical(code: &str, (expected, found): &lex::Error<&str>) -> Fault {
    Fault {
        at: span(code, found).start,
        what: format!("expected {}", expected.as_str()),
    }
}

fn syntactical(code: &str, (expected, found): &parse::Error<&str>) -> Fault {
    let found_at = span(code, found).start;
    let found = match found.split_whitespace().next() {
        None => "the end".to_owned(),
        Some(word) => word.chars().take(24).collect(),
    };
    Fault {
        at: found_at,
        what: format!("expected {}, found {found}", expected.as_str()),
    }
}

fn told(code: &str, mut faults: Vec<Fault>) -> String {
    faults.sort_by_key(|fault| fault.at);
    let mut told = String::new();
    for Fault { at, what } in faults.into_iter().take(TOLD) {
        let (line, column) = place(code, at);
        let between = if told.is_empty() { "" } else { "; " };
        // A string takes whatever is written to it.
        write!(told, "{between}line {line}, column {column}: {what}").ok();
    }
    told
}

/// Line and column, both from 1, in characters.
fn place(code: &str, at: usize) -> (usize, usize) {
    let before = code.get(..at).unwrap_or(code);
    let line = before.matches('\n').count() + 1;
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[begin..].chars().count() + 1)
}
