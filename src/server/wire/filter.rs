//! Passes the bytes of a connection on to the parser of actix-http, without I/O.

use std::ops::ControlFlow;

use actix_web::web::{Buf, BytesMut};

use super::framing::Framing;
use super::head::{self, Head, MAX_HEAD};
use super::refusal;
use crate::gateway::dialect::RequestError;

/// The filter of one connection.
pub(super) struct RequestFilter {
    state: State,
    /// Received bytes of an unfinished head.
    held: BytesMut,
    /// Bytes that the parser gets before any others.
    ready: BytesMut,
    /// The number of heads so far.
    heads: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a head, of which so many bytes have been looked at.
    Head(usize),
    Body(Framing),
    /// A request was refused. Nothing more is read.
    Refused,
}

/// What to do with the start of the bytes at hand.
enum Step {
    /// So many bytes pass as they are.
    Pass(usize),
    /// So many bytes are replaced.
    Replace(usize, Vec<u8>),
    /// More bytes are needed.
    Wait,
    Refuse(RequestError),
}

impl RequestFilter {
    /// The filter of a new connection.
    pub(super) fn new() -> RequestFilter {
        RequestFilter {
            state: State::Head(0),
            held: BytesMut::new(),
            ready: BytesMut::new(),
            heads: 0,
        }
    }

    /// Takes received bytes. So many of them, as returned, pass as they are; the others are kept.
    pub(super) fn receive(&mut self, received: &[u8]) -> usize {
        let (mut passed, mut next) = (0, None);
        if self.held.is_empty() && self.ready.is_empty() {
            while passed < received.len() && next.is_none() {
                match self.step(&received[passed..]) {
                    Step::Pass(count) => passed += count,
                    step => next = Some(step),
                }
            }
        }
        if passed == received.len() {
            return passed;
        }
        self.held.extend_from_slice(&received[passed..]);
        while !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            let step = next.take().unwrap_or_else(|| self.step(&held));
            if self.apply(step, held).is_break() {
                break;
            }
        }
        passed
    }

    fn apply(&mut self, step: Step, mut held: BytesMut) -> ControlFlow<()> {
        let count = match step {
            Step::Pass(count) => {
                self.ready.extend_from_slice(&held[..count]);
                count
            }
            Step::Replace(count, with) => {
                self.ready.extend_from_slice(&with);
                count
            }
            Step::Wait => {
                self.held = held;
                return ControlFlow::Break(());
            }
            Step::Refuse(error) => {
                self.held = held;
                self.refuse(error);
                return ControlFlow::Break(());
            }
        };
        held.advance(count);
        self.held = held;
        ControlFlow::Continue(())
    }

    /// Decides about the start of `bytes`, of which there is at least one.
    fn step(&mut self, bytes: &[u8]) -> Step {
        match &mut self.state {
            State::Refused => Step::Replace(bytes.len(), Vec::new()),
            State::Body(framing) => {
                let count = framing.advance(bytes);
                if framing.is_done() {
                    self.state = State::Head(0);
                }
                Step::Pass(count)
            }
            State::Head(seen) => {
                // Parsing after each byte would take the square of the size.
                let is_new = *seen == 0 || bytes[*seen..].contains(&b'\n');
                *seen = bytes.len();
                match is_new {
                    true => self.step_head(bytes),
                    false => unfinished(bytes),
                }
            }
        }
    }

    fn step_head(&mut self, bytes: &[u8]) -> Step {
        match empty_lines(bytes) {
            0 => {}
            count => {
                self.state = State::Head(0);
                return Step::Replace(count, Vec::new());
            }
        }
        match head::read(bytes) {
            Head::Partial => unfinished(bytes),
            Head::Refused(error) => Step::Refuse(error),
            Head::Whole {
                length,
                framing,
                encoded,
            } => {
                self.heads += 1;
                self.state = match framing.is_done() {
                    true => State::Head(0),
                    false => State::Body(framing),
                };
                match encoded {
                    None => Step::Pass(length),
                    Some(encoded) => Step::Replace(length, encoded),
                }
            }
        }
    }

    /// Refuses the request whose head is unfinished, and everything after it.
    pub(super) fn refuse(&mut self, error: RequestError) {
        let request = refusal::request(error, &self.held);
        self.ready.extend_from_slice(request.as_bytes());
        self.held = BytesMut::new();
        self.state = State::Refused;
    }

    /// Whether the parser has got no request yet.
    pub(super) fn is_silent(&self) -> bool {
        self.heads == 0 && !self.is_refused()
    }

    /// Whether the next byte belongs to a body.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body(_))
    }

    /// Whether a request was refused.
    pub(super) fn is_refused(&self) -> bool {
        self.state == State::Refused
    }

    /// The number of the head that is unfinished, counted from 0; `None` between requests.
    pub(super) fn unfinished_head(&self) -> Option<u64> {
        (!self.held.is_empty()).then_some(self.heads)
    }

    /// Takes up to `most` bytes that come before any others; `None` without any.
    pub(super) fn take_ready(&mut self, most: usize) -> Option<BytesMut> {
        let count = self.ready.len().min(most);
        (count > 0).then(|| self.ready.split_to(count))
    }
}

fn unfinished(bytes: &[u8]) -> Step {
    match bytes.len() < MAX_HEAD {
        true => Step::Wait,
        false if bytes.contains(&b'\n') => Step::Refuse(RequestError::HeadTooLarge),
        false => Step::Refuse(RequestError::UrlTooLong),
    }
}

/// The size of the empty lines before a head, which the parser skips as well.
fn empty_lines(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match &bytes[at..] {
            [b'\n', ..] => at += 1,
            [b'\r', b'\n', ..] => at += 2,
            _ => return at,
        }
    }
}
