//! A model of two replicas that share a journal, in which a checker looks at every order of events.
//!
//! ```text
//!  queue ─ Source ─ Unconfirmed ═ stream ═ Following ─ Conversation ─ member
//! ```
//!
//! What decides is the gateway's own code: [`Following`](crate::journal::steps::Following) and
//! [`Unconfirmed`](crate::journal::steps::Unconfirmed) and [`Wanted`](crate::journal::steps::Wanted) of the
//! journal, the acknowledgements of the source, and of the conversation everything (the window, what is known
//! of repeats, cursors and their marks, the choice between `resumed` and `reset`, who is served what). Modelled
//! are the broker, the tasks that take these steps, and time.
//!
//! The broker has a queue with a single active consumer, to which what was returned goes first, and a second
//! return behind the first; channels that are lost before the gateway knows, and consumers that are cancelled,
//! which is the same; appends whose confirms are lost, and appends that are lost themselves; a stream that loses
//! its last records, or all of them. A replica is killed, or leaves in peace, and reads the stream again. A member
//! joins at either replica, leaves, comes back with its cursor, has no room at times, and does not wait for ever.
//!
//! What has to be so ([`properties`]): a member gets each new event once, in order, none skipped, or is told
//! `reset`, and that only for a reason; both replicas have the same entries at the same positions, and call the
//! same a repeat; the stream has the messages in the order of the queue; what was acknowledged is in the stream,
//! unless that has lost it; and where nothing more happens, everything is in there, both replicas have read it,
//! and the member has it. Each is held against a few lines that say it another way ([`broker::new_events`],
//! [`client::Client::hear`]).
//!
//! Left out is what would only multiply the states: a tail reads all there is at a time, and a source takes all
//! that was delivered (where less was, the rest might as well have come later); an appender that has lost its
//! connection has the next one at once (until then it would only wait). Not modelled are the relay's events before
//! they have their place, disconnects, status updates, windows that age, and what the memory's bound drops.
//!
//! [`tests`] has the bounds, and the mutants: faults that were made before, or could be, of which each is found.

mod broker;
mod choices;
mod client;
mod hub;
mod mutant;
mod properties;
mod reading;
mod record;
mod replica;
mod source;
mod state;
mod tests;

use stateright::{Model, Property};

use broker::Broker;
use client::{Client, heard};
use mutant::Mutant;
use replica::Replica;
use state::{Action, State};

/// For how long a repeat is one, in units of the modelled time.
const AGE: u8 = 10;

/// How many events a window has.
const EVENTS: usize = 2;

/// What is explored.
#[derive(Debug, Clone)]
struct World {
    /// The messages that a member has got, which has left then: everybody has read them.
    before: &'static [u8],
    /// The messages in the queue; one that is there twice was published twice.
    messages: &'static [u8],
    prefetch: usize,
    /// That of a replica that has been started again.
    later_prefetch: usize,
    /// How many faults there are.
    faults: u8,
    kinds: &'static [Fault],
    /// How often the member comes or goes.
    moves: u8,
    /// Whether a message is published once more, when its repeats are no longer known.
    later: bool,
    mutant: Option<Mutant>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The source's channel is lost.
    Source,
    /// The appender's connection is lost, with confirms and appends that were on their way.
    Appender,
    /// The tail's connection is lost.
    Tail,
    /// The replica is killed.
    Kill,
    /// The replica is told to end.
    Leave,
    /// The broker crashes, and the stream has lost its last record or its last two.
    Rewrite,
    /// The same, and the stream is made again.
    Remake,
    /// The member's socket has no room.
    Full,
    /// The member has waited for too long for what its replica has not read.
    Impatience,
}

impl World {
    /// Two replicas that have read the stream, of which the first has seen a record that the broker has
    /// dropped since.
    fn begin(&self) -> State {
        let mut state = State {
            broker: Broker::new(),
            replicas: [Replica::new(0), Replica::new(1)],
            client: Client::default(),
            faults: self.faults,
            moves: self.moves,
            time: 0,
            wrong: None,
        };
        for number in [0, 1] {
            state.broker.stream.oldest = u64::try_from(number).unwrap();
            self.follow(&mut state, Action::Attach(number));
            while !state.replicas[number].is_current {
                for action in [Action::Append(number), Action::Read(number)] {
                    self.follow(&mut state, action);
                }
            }
        }
        self.follow(&mut state, Action::Read(0));
        if !self.before.is_empty() {
            state.moves += 2;
            self.follow(&mut state, Action::Join(0));
            state.broker.publish(self.before);
            while let Some(action) = self.progress(&state).first() {
                self.follow(&mut state, *action);
            }
            self.follow(&mut state, Action::Quit);
        }
        state.broker.publish(self.messages);
        state.settle();
        state
    }

    /// One step of the beginning, in which nothing goes wrong.
    fn follow(&self, state: &mut State, action: Action) {
        state.act(action, self).unwrap();
        state.settle();
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wrong.is_some() {
            return;
        }
        actions.extend(self.progress(state));
        if state.faults > 0 {
            self.faults(state, actions);
        }
        if state.moves > 0 {
            match state.client.at {
                None => actions.extend([0, 1].map(Action::Join)),
                Some(_) => actions.push(Action::Quit),
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.faults -= u8::from(action.is_fault());
        heard();
        state.wrong = state.act(action, self).err();
        state.settle();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
