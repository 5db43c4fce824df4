//! What is sent: per connection a lane of requests made and signed beforehand, each with the one answer that is right.

use crate::load::CONNECTIONS;
use crate::protocol;

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
    pub(crate) answer: Vec<u8>,
}

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

    /// The right answer has come.
    pub(crate) fn advance(&mut self) {
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
                    answer: protocol::total_answer(group.acknowledged[member]),
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
    for exchange in lanes.iter_mut().flat_map(|lane| &mut lane.exchanges) {
        exchange.answer = answer.to_vec();
    }
    lanes
}

/// A group of members, what was promised to them and what a server has acknowledged.
pub(crate) struct Writes {
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
    pub(crate) fn new(first_uid: i64) -> Writes {
        let empty = Lane {
            exchanges: Vec::new(),
            next: 0,
            repeat: false,
        };
        Writes {
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
                let (member, amount) = write(lane, number);
                self.promised[member] += amount;
                let uid = self.uid(member);
                let reference = format!("review-{lane}-{number}");
                self.lanes[lane].exchanges.push(Exchange {
                    request: protocol::get_request(uid, amount, &reference),
                    answer: protocol::get_answer(uid, self.promised[member]),
                });
            }
        }
        std::mem::take(&mut self.lanes)
    }

    /// Takes the lanes back and books what they were acknowledged.
    pub(crate) fn settle(&mut self, mut lanes: Vec<Lane>) {
        for (index, lane) in lanes.iter_mut().enumerate() {
            for _ in lane.exchanges.drain(..lane.next) {
                let (member, amount) = write(index, self.settled[index]);
                self.acknowledged[member] += amount;
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

    fn uid(&self, member: usize) -> i64 {
        self.first_uid + member as i64
    }
}

/// Whom the write `number` of a lane goes to, and how much it brings: four digits, so that balances after one write are
/// all of one length. The strides have no divisor in common with what they wrap at: each member comes once in turn.
fn write(lane: usize, number: usize) -> (usize, i64) {
    let place = (number * 57 + lane * 31) % PER_LANE;
    let amount = 1000 + (number * 37 + lane * 11) % 9000;
    (lane * PER_LANE + place, amount as i64)
}
