//! Bodies of other shapes: a jq program makes objects of the contract of them.
//!
//! It is compiled once, when the configuration is read. It sees the body as `.` and the delivery as
//! `$delivery`, and gives any number of objects; each goes through the one decoder, as if it had
//! been the body.

mod circumstances;
mod compiled;
mod fault;

use std::fmt;
use std::path::Path;

use jaq_json::Val;

pub use self::circumstances::Circumstances;
use self::compiled::Compiled;
use crate::conversation::{
    Decoded, Decoder, Delivered, Invalid, JsonText, Kind, Reason, Rejection, not_json,
};

/// How many objects a program may make of a body. WhatsApp's services put a few dozen events into a
/// webhook; more than this is a program that does not end.
pub const MOST_OUTPUTS: usize = 1_000;

/// How deep a body may be nested: the program walks it with the stack.
const MOST_LEVELS: usize = 128;

/// The programs that come with the gateway: see `amqp/mappings`.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "cloud_api",
        include_str!("../../../amqp/mappings/cloud_api.jq"),
    ),
    (
        "evolution",
        include_str!("../../../amqp/mappings/evolution.jq"),
    ),
    ("wuzapi", include_str!("../../../amqp/mappings/wuzapi.jq")),
];

/// A jq program, compiled.
pub struct Mapping {
    name: String,
    program: Compiled,
}

/// What has become of a body.
#[derive(Debug, Default)]
pub struct Mapped {
    /// The events, in order.
    pub events: Vec<Decoded>,
    /// What is wrong with the first object that is none, or with the program itself.
    pub rejection: Option<Rejection>,
    /// How many objects there were.
    pub outputs: usize,
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mapping").field(&self.name).finish()
    }
}

impl Mapping {
    /// Compiles the program that comes with the gateway under this name, or else the one in the file
    /// that it names.
    ///
    /// # Errors
    /// Why that cannot be, with the line and the column of what is wrong in the program.
    pub fn load(name: &str) -> Result<Self, String> {
        if let Some((_, code)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Self::compile(name, code);
        }
        let code = std::fs::read_to_string(Path::new(name)).map_err(|error| {
            let names = BUILT_IN.map(|(name, _)| name).join(", ");
            format!("must be {names} or the path of a file with a jq program, and that one cannot be read ({error})")
        })?;
        Self::compile(name, &code)
    }

    /// Compiles a program; `name` is what the log calls it.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn compile(name: &str, code: &str) -> Result<Self, String> {
        Ok(Self {
            name: name.to_owned(),
            program: Compiled::new(code, false)?,
        })
    }

    /// The same, for somebody who tries it out: `debug` and `stderr` write to standard error, which
    /// is no log then, and errors show the values that they are about.
    ///
    /// # Errors
    /// None, since it has been compiled before.
    pub fn talking(&self) -> Result<Self, String> {
        Ok(Self {
            name: self.name.clone(),
            program: self.program.talking()?,
        })
    }

    /// What the program is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes events of a body.
    ///
    /// # Errors
    /// [`Rejection`] when none can be made of it: it is no JSON, or there would be too many.
    pub fn apply(
        &self,
        decoder: &Decoder,
        delivered: &Delivered<'_>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Mapped, Rejection> {
        let body = delivered.unpacked()?;
        let text = JsonText::new(&body);
        // The library's parser takes more than JSON for JSON.
        let json = text.value().map_err(|error| not_json(&error.to_string()))?;
        if levels(json.get().as_bytes()) > MOST_LEVELS {
            let deep = format!("body: is nested deeper than {MOST_LEVELS} levels");
            return Err(Rejection::new(Reason::MappingFailed, deep));
        }
        let value = jaq_json::read::parse_single(json.get().as_bytes())
            .map_err(|error| not_json(&error.to_string()))?;
        let mut outputs = Vec::new();
        let mut failure = None;
        for output in self.program.run(value, || circumstances.value()) {
            match output {
                Ok(_) if outputs.len() == MOST_OUTPUTS => {
                    let many =
                        format!("body: the mapping makes more than {MOST_OUTPUTS} events of it");
                    return Err(Rejection::new(Reason::MappingFailed, many));
                }
                Ok(output) => outputs.push(output),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let mut mapped = Mapped {
            outputs: outputs.len(),
            ..Mapped::default()
        };
        for (number, output) in (1..).zip(&outputs) {
            match event(decoder, delivered, output) {
                Ok(decoded) => mapped.events.push(decoded),
                Err(_) if mapped.rejection.is_some() => {}
                Err(mut rejection) => {
                    rejection.detail += &format!(" (event {number} of {})", outputs.len());
                    mapped.rejection = Some(rejection);
                }
            }
        }
        if let (None, Some(error)) = (&mapped.rejection, failure) {
            let after = match outputs.len() {
                0 => String::new(),
                count => format!(", after event {count}"),
            };
            let detail = format!("body: the mapping failed{after}: {error}");
            mapped.rejection = Some(Rejection::new(Reason::MappingFailed, detail));
        }
        Ok(mapped)
    }
}

/// One object, as if it had been the body.
fn event(decoder: &Decoder, delivered: &Delivered<'_>, output: &Val) -> Result<Decoded, Rejection> {
    let kind = match output {
        Val::Obj(fields) => kind(fields.get(&Val::from("event".to_owned())), delivered.kind)?,
        _ => return Err(Invalid::new("body", "must be a JSON object").into()),
    };
    let body = output.to_string();
    let decoded = decoder.decode(&Delivered {
        kind,
        body: body.as_bytes(),
        encoding: None,
        ..*delivered
    });
    decoded.map_err(|rejection| match rejection.reason {
        // A value that JSON does not have, such as `nan` or bytes.
        Reason::InvalidJson => Rejection {
            reason: Reason::MappingFailed,
            ..rejection
        },
        _ => rejection,
    })
}

fn kind(name: Option<&Val>, of_queue: Kind) -> Result<Kind, Invalid> {
    let name = match name {
        None | Some(Val::Null) => return Ok(of_queue),
        Some(Val::TStr(name)) if name.is_empty() => return Ok(of_queue),
        Some(Val::TStr(name)) => name,
        Some(_) => return Err(Invalid::new("event", "must be a string")),
    };
    let mut all = Kind::ALL.into_iter();
    let known = all.find(|kind| kind.as_str().as_bytes() == &***name);
    known.ok_or_else(|| {
        let names = Kind::ALL.map(Kind::as_str).join(", ");
        Invalid::new("event", format!("must be one of {names}"))
    })
}

/// How deep a JSON value is nested.
fn levels(json: &[u8]) -> usize {
    let (mut level, mut most) = (0_usize, 0);
    let (mut within, mut escaped) = (false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if within => escaped = true,
            b'"' => within = !within,
            _ if within => {}
            b'[' | b'{' => {
                level += 1;
                most = most.max(level);
            }
            b']' | b'}' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests;
