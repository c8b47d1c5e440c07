//! Where events come from. A source turns bytes into an [`Event`](crate::conversation::Event)
//! through the one decoder, and says yes (acknowledges, answers) only after the journal has it:
//! invariant 4.

pub mod amqp;
pub mod counts;
mod description;
pub mod relay;
