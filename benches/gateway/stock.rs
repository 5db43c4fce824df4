//! What is sent: per connection a lane of requests made and signed beforehand, each with the one answer that is right.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::partner::{self, ANY_DIGIT, Row};
use crate::{community, protocol};

/// Members of one connection; no other connection touches them, so that every answer can be foretold.
const PER_LANE: usize = 160;
/// Members of a group.
pub(crate) const MEMBERS: usize = CONNECTIONS * PER_LANE;

/// A request and its right answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// Head and body as they go out.
    pub(crate) request: Vec<u8>,
    /// The body that must come back with HTTP status 200.
    pub(crate) answer: Arc<[u8]>,
}

impl Exchange {
    /// Whether this is the right answer, as far as that is known.
    pub(crate) fn is_right(&self, body: &[u8]) -> bool {
        let fits = |(right, byte): (&u8, &u8)| {
            right == byte || *right == ANY_DIGIT && byte.is_ascii_digit()
        };
        let known = &*self.answer;
        known == body || known.len() == body.len() && known.iter().zip(body).all(fits)
    }
}

/// Connections that are open at a time.
pub(crate) const CONNECTIONS: usize = 64;

/// What one connection sends, in order.
#[derive(Clone)]
pub(crate) struct Lane {
    exchanges: Vec<Exchange>,
    next: usize,
    repeat: bool,
}

impl Lane {
    /// What is to be sent next; none where the lane is at its end.
    pub(crate) fn current(&self) -> Option<&Exchange> {
        self.exchanges.get(self.next)
    }

    /// The right answer has come; what was open in it is now known.
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

/// Lanes that ask for each member's balance, once or over and over.
pub(crate) fn totals(groups: &[&Writes], repeat: bool) -> Vec<Lane> {
    let lane_of = |lane: usize| {
        let exchanges = groups.iter().flat_map(|group| {
            (0..PER_LANE).map(move |place| {
                let member = lane * PER_LANE + place;
                Exchange {
                    request: protocol::total_request(group.uid(member)),
                    answer: protocol::total_answer(group.acknowledged[member]).into(),
                }
            })
        });
        Lane {
            exchanges: exchanges.collect(),
            next: 0,
            repeat,
        }
    };
    (0..CONNECTIONS).map(lane_of).collect()
}

/// The same requests with one constant answer.
pub(crate) fn constant(mut lanes: Vec<Lane>, answer: &[u8]) -> Vec<Lane> {
    let answer: Arc<[u8]> = answer.into();
    for exchange in lanes.iter_mut().flat_map(|lane| &mut lane.exchanges) {
        exchange.answer = answer.clone();
    }
    lanes
}

/// Of each lane some requests that have been answered, to be sent once more.
pub(crate) fn again(mut lanes: Vec<Lane>) -> Vec<Lane> {
    for lane in &mut lanes {
        lane.exchanges.truncate(lane.next.min(PER_LANE));
        lane.next = 0;
    }
    lanes
}

/// The newest page of each history of a group that stands still.
#[derive(Default)]
pub(crate) struct Pages {
    first_uid: i64,
    answers: Vec<Arc<[u8]>>,
    /// How many requests were made, each with a nonce of its own.
    made: u64,
}

impl Pages {
    /// Those of a group; the times in them are open.
    pub(crate) fn new(group: &Writes) -> Pages {
        let answer = |rows: Vec<_>| partner::records_answer(&rows).into();
        Pages {
            first_uid: group.first_uid,
            answers: group.histories().into_iter().map(answer).collect(),
            made: 0,
        }
    }

    /// Lanes that ask for each page once.
    pub(crate) fn one_each(&mut self) -> Vec<Lane> {
        self.lanes(PER_LANE)
    }

    /// Lanes of `length` requests each, which are as of now.
    pub(crate) fn lanes(&mut self, length: usize) -> Vec<Lane> {
        let now = now();
        let mut exchange = |member: usize| {
            self.made += 1;
            let uid = self.first_uid + member as i64;
            Exchange {
                request: partner::records_request(uid, now, self.made),
                answer: self.answers[member].clone(),
            }
        };
        let lane_of = |lane: usize| Lane {
            exchanges: (0..length)
                .map(|number| exchange(lane * PER_LANE + number % PER_LANE))
                .collect(),
            next: 0,
            repeat: false,
        };
        (0..CONNECTIONS).map(lane_of).collect()
    }

    /// Takes from [`Pages::one_each`] what the answers were in full.
    pub(crate) fn learn(&mut self, lanes: Vec<Lane>) {
        let exchanges = lanes.into_iter().flat_map(|lane| lane.exchanges);
        self.answers = exchanges.map(|exchange| exchange.answer).collect();
    }
}

/// How the members of a group get points.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// By `app.yohocoin.get`.
    Get,
    /// By what they do in the community.
    Action,
}

impl By {
    /// What a write brings.
    fn amount(self, lane: usize, number: usize) -> i64 {
        match self {
            By::Get => write(lane, number).1,
            By::Action => community::POINTS,
        }
    }

    /// A write and its answer.
    fn exchange(self, uid: i64, amount: i64, reference: &str, balance: i64) -> Exchange {
        match self {
            By::Get => Exchange {
                request: protocol::get_request(uid, amount, reference),
                answer: protocol::get_answer(uid, balance).into(),
            },
            By::Action => Exchange {
                request: community::action_request(uid, reference, now() + 86_400),
                answer: community::action_answer(uid, reference, balance).into(),
            },
        }
    }
}

/// Seconds since 1970 UTC.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// A group of members, what was promised to them and what a server has acknowledged.
pub(crate) struct Writes {
    by: By,
    first_uid: i64,
    lanes: Vec<Lane>,
    /// How many writes of each lane have been acknowledged.
    settled: Vec<usize>,
    /// The balances after all writes that stand in `lanes`.
    promised: Vec<i64>,
    acknowledged: Vec<i64>,
}

impl Writes {
    /// A group without coins.
    pub(crate) fn new(by: By, first_uid: i64) -> Writes {
        let empty = Lane {
            exchanges: Vec::new(),
            next: 0,
            repeat: false,
        };
        Writes {
            by,
            first_uid,
            lanes: vec![empty; CONNECTIONS],
            settled: vec![0; CONNECTIONS],
            promised: vec![0; MEMBERS],
            acknowledged: vec![0; MEMBERS],
        }
    }

    /// Lanes with one write for each member.
    pub(crate) fn one_each(&mut self) -> Vec<Lane> {
        self.lanes(PER_LANE)
    }

    /// Lanes with at least `length` writes each; those left over from last time come first.
    pub(crate) fn lanes(&mut self, length: usize) -> Vec<Lane> {
        for lane in 0..CONNECTIONS {
            while self.lanes[lane].exchanges.len() < length {
                let number = self.settled[lane] + self.lanes[lane].exchanges.len();
                let (member, _) = write(lane, number);
                let amount = self.by.amount(lane, number);
                self.promised[member] += amount;
                let (uid, balance) = (self.uid(member), self.promised[member]);
                let reference = review(lane, number);
                let exchange = self.by.exchange(uid, amount, &reference, balance);
                self.lanes[lane].exchanges.push(exchange);
            }
        }
        std::mem::take(&mut self.lanes)
    }

    /// Takes the lanes back and books what they were acknowledged.
    pub(crate) fn settle(&mut self, mut lanes: Vec<Lane>) {
        for (index, lane) in lanes.iter_mut().enumerate() {
            for _ in lane.exchanges.drain(..lane.next) {
                let (member, _) = write(index, self.settled[index]);
                self.acknowledged[member] += self.by.amount(index, self.settled[index]);
                self.settled[index] += 1;
            }
            lane.next = 0;
        }
        self.lanes = lanes;
    }

    /// All coins that were acknowledged.
    pub(crate) fn points(&self) -> i64 {
        self.acknowledged.iter().sum()
    }

    /// All writes that were acknowledged.
    pub(crate) fn count(&self) -> usize {
        self.settled.iter().sum()
    }

    /// The acknowledged writes of each member, newest first.
    fn histories(&self) -> Vec<Vec<Row>> {
        let mut histories: Vec<Vec<Row>> = (0..MEMBERS).map(|_| Vec::new()).collect();
        let mut balances = vec![0; MEMBERS];
        for lane in 0..CONNECTIONS {
            for number in 0..self.settled[lane] {
                let (member, points) = write(lane, number);
                let row = Row {
                    previous: balances[member],
                    points,
                    reference: review(lane, number),
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

/// What the write `number` of a lane is for.
fn review(lane: usize, number: usize) -> String {
    format!("review-{lane}-{number}")
}

/// Whom the write `number` of a lane goes to, and how much it brings: four digits, so that balances after one write, and
/// after ten, are all of one length. The strides have no divisor in common with what they wrap at: each member comes once in turn.
fn write(lane: usize, number: usize) -> (usize, i64) {
    let place = (number * 57 + lane * 31) % PER_LANE;
    let amount = 1000 + (number * 37 + lane * 11) % 9000;
    (lane * PER_LANE + place, amount as i64)
}
