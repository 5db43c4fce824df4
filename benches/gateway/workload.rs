//! The workload: for each connection a script of requests, prepared and signed in advance, each with its expected answer.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::partner::{self, ANY_DIGIT, Row};
use crate::{community, protocol};

/// Members per connection. No other connection uses them, so that every answer is predictable.
const MEMBERS_PER_CONNECTION: usize = 160;
/// Members per group.
pub(crate) const MEMBERS: usize = CONNECTIONS * MEMBERS_PER_CONNECTION;

/// A request and its expected answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// The head and body of the HTTP request.
    pub(crate) request: Vec<u8>,
    /// The expected body, with HTTP status 200; [`ANY_DIGIT`] stands for any digit.
    pub(crate) answer: Arc<[u8]>,
}

impl Exchange {
    /// Whether `body` is the expected answer.
    pub(crate) fn is_expected(&self, body: &[u8]) -> bool {
        let matches = |(expected, byte): (&u8, &u8)| {
            expected == byte || *expected == ANY_DIGIT && byte.is_ascii_digit()
        };
        let expected = &*self.answer;
        expected == body || expected.len() == body.len() && expected.iter().zip(body).all(matches)
    }
}

/// Concurrent connections of the load generator.
pub(crate) const CONNECTIONS: usize = 64;

/// The requests that one connection sends, in order.
#[derive(Clone)]
pub(crate) struct Script {
    exchanges: Vec<Exchange>,
    next: usize,
    repeat: bool,
}

impl Script {
    /// The next request; `None` at the end of the script.
    pub(crate) fn current(&self) -> Option<&Exchange> {
        self.exchanges.get(self.next)
    }

    /// Moves on after the expected answer, whose open digits are now known.
    pub(crate) fn advance(&mut self, body: &[u8]) {
        let exchange = &mut self.exchanges[self.next];
        if *exchange.answer != *body {
            exchange.answer = body.into();
        }
        self.next += 1;
        if self.repeat && self.next == self.exchanges.len() {
            self.next = 0;
        }
    }
}

/// Scripts that read the balance of each member, once or in an endless loop.
pub(crate) fn totals(groups: &[&Writes], repeat: bool) -> Vec<Script> {
    let script = |connection: usize| {
        let exchanges = groups.iter().flat_map(|group| {
            (0..MEMBERS_PER_CONNECTION).map(move |index| {
                let member = connection * MEMBERS_PER_CONNECTION + index;
                Exchange {
                    request: protocol::total_request(group.uid(member)),
                    answer: protocol::total_answer(group.acknowledged[member]).into(),
                }
            })
        });
        Script {
            exchanges: exchanges.collect(),
            next: 0,
            repeat,
        }
    };
    (0..CONNECTIONS).map(script).collect()
}

/// Expects one constant answer to all requests of these scripts.
pub(crate) fn expecting(mut scripts: Vec<Script>, answer: &[u8]) -> Vec<Script> {
    let answer: Arc<[u8]> = answer.into();
    for exchange in scripts.iter_mut().flat_map(|script| &mut script.exchanges) {
        exchange.answer = answer.clone();
    }
    scripts
}

/// Scripts that repeat some of the requests that have been answered.
pub(crate) fn replays(mut scripts: Vec<Script>) -> Vec<Script> {
    for script in &mut scripts {
        let answered = script.next.min(MEMBERS_PER_CONNECTION);
        script.exchanges.truncate(answered);
        script.next = 0;
    }
    scripts
}

/// Reads of the newest page of history of each member in a group whose balances do not change.
#[derive(Default)]
pub(crate) struct PageReads {
    first_uid: i64,
    answers: Vec<Arc<[u8]>>,
    /// The number of requests prepared so far, which is the last nonce.
    nonce: u64,
}

impl PageReads {
    /// Reads for the members of `group`; the times in the expected answers are open.
    pub(crate) fn new(group: &Writes) -> PageReads {
        let answer = |rows: Vec<_>| partner::records_answer(&rows).into();
        PageReads {
            first_uid: group.first_uid,
            answers: group.histories().into_iter().map(answer).collect(),
            nonce: 0,
        }
    }

    /// Scripts that read each page once.
    pub(crate) fn one_each(&mut self) -> Vec<Script> {
        self.scripts(MEMBERS_PER_CONNECTION)
    }

    /// Scripts of `length` requests each, with the current time as their Timestamp.
    pub(crate) fn scripts(&mut self, length: usize) -> Vec<Script> {
        let now = now();
        let mut exchange = |member: usize| {
            self.nonce += 1;
            let uid = self.first_uid + member as i64;
            Exchange {
                request: partner::records_request(uid, now, self.nonce),
                answer: self.answers[member].clone(),
            }
        };
        let mut exchange_at = |connection: usize, number: usize| {
            exchange(connection * MEMBERS_PER_CONNECTION + number % MEMBERS_PER_CONNECTION)
        };
        let script = |connection: usize| Script {
            exchanges: (0..length)
                .map(|number| exchange_at(connection, number))
                .collect(),
            next: 0,
            repeat: false,
        };
        (0..CONNECTIONS).map(script).collect()
    }

    /// Keeps the complete answers to the scripts of [`PageReads::one_each`].
    pub(crate) fn learn(&mut self, scripts: Vec<Script>) {
        let exchanges = scripts.into_iter().flat_map(|script| script.exchanges);
        self.answers = exchanges.map(|exchange| exchange.answer).collect();
    }
}

/// The request by which the members of a group earn points.
#[derive(Clone, Copy)]
pub(crate) enum WriteKind {
    /// `app.yohocoin.get`.
    Get,
    /// `/userActionNotify` of the community.
    Action,
}

impl WriteKind {
    /// The points that a write earns.
    fn amount(self, connection: usize, number: usize) -> i64 {
        match self {
            WriteKind::Get => write(connection, number).1,
            WriteKind::Action => community::POINTS,
        }
    }

    /// A write and its expected answer.
    fn exchange(self, uid: i64, amount: i64, reference: &str, balance: i64) -> Exchange {
        match self {
            WriteKind::Get => Exchange {
                request: protocol::get_request(uid, amount, reference),
                answer: protocol::get_answer(uid, balance).into(),
            },
            WriteKind::Action => Exchange {
                request: community::action_request(uid, reference, now() + 86_400),
                answer: community::action_answer(uid, reference, balance).into(),
            },
        }
    }
}

/// The current time, in seconds since 1970 UTC.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// A group of members, the writes prepared for them, and the writes that a server has acknowledged.
pub(crate) struct Writes {
    kind: WriteKind,
    first_uid: i64,
    scripts: Vec<Script>,
    /// The number of acknowledged writes of each connection.
    written: Vec<usize>,
    /// The balance of each member after all writes in `scripts`.
    prepared: Vec<i64>,
    /// The balance of each member after the acknowledged writes.
    acknowledged: Vec<i64>,
}

impl Writes {
    /// A group of members without points.
    pub(crate) fn new(kind: WriteKind, first_uid: i64) -> Writes {
        let empty = Script {
            exchanges: Vec::new(),
            next: 0,
            repeat: false,
        };
        Writes {
            kind,
            first_uid,
            scripts: vec![empty; CONNECTIONS],
            written: vec![0; CONNECTIONS],
            prepared: vec![0; MEMBERS],
            acknowledged: vec![0; MEMBERS],
        }
    }

    /// Scripts with one write for each member.
    pub(crate) fn one_each(&mut self) -> Vec<Script> {
        self.scripts(MEMBERS_PER_CONNECTION)
    }

    /// Scripts of at least `length` writes each; writes left over from the last round come first.
    pub(crate) fn scripts(&mut self, length: usize) -> Vec<Script> {
        for connection in 0..CONNECTIONS {
            while self.scripts[connection].exchanges.len() < length {
                let number = self.written[connection] + self.scripts[connection].exchanges.len();
                let (member, _) = write(connection, number);
                let amount = self.kind.amount(connection, number);
                self.prepared[member] += amount;
                let (uid, balance) = (self.uid(member), self.prepared[member]);
                let reference = reference(connection, number);
                let exchange = self.kind.exchange(uid, amount, &reference, balance);
                self.scripts[connection].exchanges.push(exchange);
            }
        }
        std::mem::take(&mut self.scripts)
    }

    /// Takes the scripts back after a round and records their acknowledged writes.
    pub(crate) fn acknowledge(&mut self, mut scripts: Vec<Script>) {
        for (connection, script) in scripts.iter_mut().enumerate() {
            for _ in script.exchanges.drain(..script.next) {
                let number = self.written[connection];
                let (member, _) = write(connection, number);
                self.acknowledged[member] += self.kind.amount(connection, number);
                self.written[connection] += 1;
            }
            script.next = 0;
        }
        self.scripts = scripts;
    }

    /// The points of all acknowledged writes.
    pub(crate) fn points(&self) -> i64 {
        self.acknowledged.iter().sum()
    }

    /// The number of acknowledged writes.
    pub(crate) fn count(&self) -> usize {
        self.written.iter().sum()
    }

    /// The acknowledged writes of each member, newest first.
    fn histories(&self) -> Vec<Vec<Row>> {
        let mut histories: Vec<Vec<Row>> = (0..MEMBERS).map(|_| Vec::new()).collect();
        let mut balances = vec![0; MEMBERS];
        for connection in 0..CONNECTIONS {
            for number in 0..self.written[connection] {
                let (member, points) = write(connection, number);
                let row = Row {
                    previous: balances[member],
                    points,
                    reference: reference(connection, number),
                };
                histories[member].insert(0, row);
                balances[member] += points;
            }
        }
        histories
    }

    fn uid(&self, member: usize) -> i64 {
        self.first_uid + member as i64
    }
}

/// The reference of a write: `number` counts the writes of one connection.
fn reference(connection: usize, number: usize) -> String {
    format!("review-{connection}-{number}")
}

/// The member and the points of a write: `number` counts the writes of one connection.
///
/// Points have four digits, so that the balances of all members after one write, and after ten, have the same length. The
/// strides are coprime to their moduli, so that the writes visit each member once before they repeat.
fn write(connection: usize, number: usize) -> (usize, i64) {
    let index = (number * 57 + connection * 31) % MEMBERS_PER_CONNECTION;
    let amount = 1000 + (number * 37 + connection * 11) % 9000;
    (connection * MEMBERS_PER_CONNECTION + index, amount as i64)
}
