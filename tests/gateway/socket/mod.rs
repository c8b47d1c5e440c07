//! Socket.IO members: connects, replay, token expiry, bursts and slow readers.

mod bursts;
mod connect;
mod long_polling;
mod resume;
mod slow_readers;
mod token_expiry;
