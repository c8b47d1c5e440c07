//! The jq engine: a program in, values out.

use std::fmt;

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{self, Fun};
use jaq_core::{Compiler, Ctx, Cv, Exn, Filter, RunPtr, ValXs, Vars};
use jaq_json::{Map, Val};

use super::fault;

/// What programs work on.
type Data = JustLut<Val>;

/// The variable that tells of the delivery.
const DELIVERY: &str = "$delivery";

/// Functions that would put texts into the log, or the environment's secrets into events.
const TELLING: [&str; 3] = ["debug_empty", "stderr_empty", "env"];

/// A program, ready to run.
pub(super) struct Compiled {
    code: String,
    filter: Filter<Data>,
    /// Most programs never ask for it.
    asks_for_delivery: bool,
    /// Whether its errors may show the values that they are about.
    talks: bool,
}

/// Why a program stopped.
pub(super) enum Failure<'a> {
    /// It failed; with the program, which tells what of the error's text is nobody's message.
    Error(jaq_json::Error, &'a Compiled),
    /// It called `halt`.
    Halted,
}

impl Compiled {
    /// Compiles a program.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub(super) fn new(code: &str, talks: bool) -> Result<Self, String> {
        let code = code.strip_prefix('\u{feff}').unwrap_or(code);
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let arena = Arena::default();
        let file = File { code, path: () };
        let modules = Loader::new(definitions).load(&arena, file);
        let modules = modules.map_err(|errors| fault::of_text(code, errors))?;
        let filter = Compiler::default()
            .with_funs(functions(talks))
            .with_global_vars([DELIVERY])
            .compile(modules)
            .map_err(|errors| fault::of_names(code, errors))?;
        Ok(Self {
            code: code.to_owned(),
            filter,
            asks_for_delivery: code.contains(DELIVERY),
            talks,
        })
    }

    /// The same, for somebody who tries it out.
    ///
    /// # Errors
    /// None, since it has been compiled before.
    pub(super) fn talking(&self) -> Result<Self, String> {
        Self::new(&self.code, true)
    }

    /// What the program makes of a value, until it ends or fails.
    pub(super) fn run<'a>(
        &'a self,
        input: Val,
        delivery: impl FnOnce() -> Val,
    ) -> impl Iterator<Item = Result<Val, Failure<'a>>> + 'a {
        let delivery = match self.asks_for_delivery {
            true => delivery(),
            false => Val::Null,
        };
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([delivery]));
        let outputs = self.filter.id.run((context, input));
        outputs.map(|output| output.map_err(|exception| self.failure(exception)))
    }

    fn failure(&self, exception: Exn<'_, Val>) -> Failure<'_> {
        match exception.get_err() {
            Ok(error) => Failure::Error(error, self),
            Err(_) => Failure::Halted,
        }
    }
}

impl fmt::Display for Failure<'_> {
    /// An error tells of the value that it is about, which may be a message's text. What stands in
    /// the program as well was not written by a customer; of the rest, the kind must do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Error(error, program) = self else {
            return f.write_str("it halted");
        };
        let told = error.to_string();
        let is_literal = told.starts_with('"') && program.code.contains(&told);
        if program.talks || is_literal {
            let told = told.trim_matches('"').replace(char::is_control, " ");
            return f.write_str(&told);
        }
        // Some of the library's own errors are strings.
        let said = told.trim_matches('"');
        let after = |word| said.rsplit_once(word).map_or("", |(_, rest)| rest);
        let kind = if said.starts_with("cannot index ") {
            // A name that the program asks for.
            let name = after(" with ").trim_matches('"');
            match !name.is_empty() && program.code.contains(&format!(".{name}")) {
                true => format!("it cannot look for .{name} in what is no object"),
                false => "it cannot look into a value".to_owned(),
            }
        } else if said.starts_with("cannot use ") {
            let kind = after(" as ");
            match KINDS.contains(&kind) {
                true => format!("it cannot use another value as {kind}"),
                false => "it cannot use a value".to_owned(),
            }
        } else if said.starts_with("cannot parse ") {
            "it cannot parse a value".to_owned()
        } else if said.starts_with("cannot calculate ") {
            "it cannot calculate with a value".to_owned()
        } else {
            "with an error that may have a message's text in it".to_owned()
        };
        write!(f, "{kind} (`agent-gateway map` shows the value)")
    }
}

/// What values are called in the library's errors.
const KINDS: [&str; 6] = [
    "integer",
    "number",
    "string",
    "array",
    "iterable (array or object)",
    "rangeable (array or string)",
];

/// The library's functions, without those that tell.
fn functions(talks: bool) -> Vec<Fun<Data>> {
    let all = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let tell: RunPtr<Data> = if talks { aloud } else { silent };
    let own: [native::Filter<RunPtr<Data>>; 3] = [
        ("debug_empty", native::v(0), tell),
        ("stderr_empty", native::v(0), tell),
        ("env", native::v(0), no_environment),
    ];
    let mut kept: Vec<_> = all.filter(|(name, ..)| !TELLING.contains(name)).collect();
    for function in own {
        kept.push(native::run::<Data>(function));
    }
    kept
}

fn silent<'a>(_: Cv<'a, Data>) -> ValXs<'a, Val> {
    Box::new(std::iter::empty())
}

fn aloud<'a>((_, value): Cv<'a, Data>) -> ValXs<'a, Val> {
    eprintln!("{value}");
    Box::new(std::iter::empty())
}

fn no_environment<'a>(_: Cv<'a, Data>) -> ValXs<'a, Val> {
    native::bome(Ok(Val::obj(Map::default())))
}
