//! What the entries of an order say: which points it took from which lot, and which of them came back.

use super::account::Allocation;
use super::lots::{self, LotChange};

/// Adds what a spend took from each lot.
pub fn spend(allocations: &mut Vec<Allocation>, spend_seq: i64, changes: &[LotChange]) {
    allocations.extend(changes.iter().map(|change| Allocation {
        spend_seq,
        expires_at: change.expires_at,
        drawn: -change.points,
        returned: 0,
    }));
}

/// Gives points back, the last drawn first. Returns the changes of the lots; `None` if the order has fewer points left.
pub fn give_back(allocations: &mut [Allocation], amount: i64) -> Option<Vec<LotChange>> {
    let (mut changes, mut left) = (Vec::new(), amount);
    for allocation in allocations.iter_mut().rev() {
        let back = left.min(allocation.drawn - allocation.returned);
        if back > 0 {
            allocation.returned += back;
            left -= back;
            lots::add(&mut changes, allocation.expires_at, back);
        }
    }
    (left == 0).then_some(changes)
}

/// Continues an order with its next entry of format 2. Returns `None`, after which the allocations mean nothing, if the entry gives
/// back what the order has not taken, or not the last drawn first.
pub fn replay(allocations: &mut Vec<Allocation>, seq: i64, changes: &[LotChange]) -> Option<()> {
    let amount = lots::sum(changes)?;
    if amount < 0 {
        spend(allocations, seq, changes);
        return Some(());
    }
    let expected = give_back(allocations, amount)?;
    (expected == changes).then_some(())
}

/// Reads what the entry of an order states, whatever its format, and continues the order with it. An entry of format 1 spends, and
/// states `EXPIRY:-DRAWN:RETURNED` for each lot.
pub fn replay_text(allocations: &mut Vec<Allocation>, seq: i64, text: &str) -> Option<()> {
    let old = |part: &str| {
        let mut numbers = part.split(':').map(lots::number);
        let (expires_at, points) = (numbers.next()??, numbers.next()??);
        let (returned, end) = (numbers.next()??, numbers.next());
        let allocation = Allocation {
            spend_seq: seq,
            expires_at,
            drawn: points.checked_neg()?,
            returned,
        };
        let holds = end.is_none() && (0..=allocation.drawn).contains(&returned);
        holds.then_some(allocation)
    };
    match lots::read_changes(text) {
        Some(changes) => replay(allocations, seq, &changes),
        None => {
            let old: Option<Vec<Allocation>> = text.split(',').map(old).collect();
            allocations.extend(old?);
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(texts: &[&str]) -> Option<Vec<(i64, i64, i64, i64)>> {
        let mut allocations = Vec::new();
        for (text, seq) in texts.iter().zip(1..) {
            replay_text(&mut allocations, seq, text)?;
        }
        let row = |it: &Allocation| (it.spend_seq, it.expires_at, it.drawn, it.returned);
        Some(allocations.iter().map(row).collect())
    }

    #[test]
    fn the_entries_of_an_order_say_what_it_drew_and_had_back() {
        let expected = vec![(1, 5, 3, 1), (1, 9, 4, 4), (2, 5, 2, 2)];
        assert_eq!(replayed(&["5:-3,9:-4", "5:-2", "5:3,9:4"]), Some(expected));
        for forged in [
            ["5:-3,9:-4", "5:3", ""],
            ["5:-3,9:-4", "9:5", ""],
            ["5:-3", "7:3", ""],
            ["5:-3", "5:4", ""],
        ] {
            assert_eq!(replayed(&forged[..2]), None, "{forged:?}");
        }
    }

    #[test]
    fn an_old_spend_states_what_had_come_back() {
        let texts = ["5:-3:1,9:-4:4", "5:-2", "5:4"];
        let expected = vec![(1, 5, 3, 3), (1, 9, 4, 4), (2, 5, 2, 2)];
        assert_eq!(replayed(&texts), Some(expected));
        for bad in [
            "5:-3:4",
            "5:-3:-1",
            "5:-3:1:1",
            "5:-3:1,9:-4",
            "5:3:1",
            "5:-3:x",
        ] {
            assert_eq!(replayed(&[bad]), None, "{bad}");
        }
    }
}
