//! What corrections need: the entries that they correct, and what accounts owe.

use entity::entry;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};

use crate::ledger::book::Book;
use crate::ledger::book::correction::Correction;
use crate::ledger::book::debt::{CorrectedEntry, DebtCause, debt_of};
use crate::ledger::book::entry::{Contra, Format};
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::read_changes;
use crate::ledger::book::transaction::{AccountKey, Posting, PostingKind, Reason};
use crate::ledger::write::sets::invalid;

/// The accounts that hold what the postings' accounts owe, as far as a posting could pay or raise it.
pub fn debts(postings: &[&Posting]) -> Vec<AccountKey> {
    let changes = |kind: PostingKind| match kind {
        PostingKind::Earn { .. } | PostingKind::Return { .. } | PostingKind::Correct(_) => true,
        PostingKind::Spend { .. } | PostingKind::SpendUpTo { .. } | PostingKind::Expire { .. } => {
            false
        }
    };
    let changing = postings.iter().filter(|posting| changes(posting.kind));
    changing
        .filter_map(|posting| debt_of(&posting.account))
        .collect()
}

/// Loads the entries that the postings correct, and the causes of debts. Returns the orders that these entries spent on.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or holds a row that the ledger cannot have written.
pub async fn load(
    db: &impl ConnectionTrait,
    postings: &[&Posting],
    book: &mut Book,
) -> Result<Vec<Key>, DbErr> {
    let mut orders = Vec::new();
    for posting in postings {
        let seq = match posting.kind {
            PostingKind::Correct(
                Correction::Reverse { seq, .. } | Correction::Reinstate { seq, .. },
            ) => seq,
            _ => continue,
        };
        let account = AccountKey {
            owner: book.owner_of(&posting.account).to_owned(),
            asset: posting.account.asset.clone(),
        };
        let Some(id) = book.account(&account).and_then(|account| account.id) else {
            continue;
        };
        if let Some(row) = entry::Entity::find_by_id((id, seq)).one(db).await? {
            let corrected = read(&row)?;
            orders.extend(corrected.order);
            book.put_corrected(account, seq, corrected);
        }
    }
    for debt in debts(postings) {
        let debt = AccountKey {
            owner: book.owner_of(&debt).to_owned(),
            asset: debt.asset,
        };
        let owed = book.account(&debt).filter(|account| account.balance > 0);
        let Some(id) = owed.and_then(|account| account.id) else {
            continue;
        };
        let cause = entry::Entity::find()
            .filter(entry::Column::AccountId.eq(id))
            .filter(entry::Column::Direction.eq(1))
            .order_by_desc(entry::Column::DirectionSeq)
            .one(db)
            .await?;
        let cause = cause.ok_or_else(|| invalid("a debt without a cause"))?;
        let cause = DebtCause {
            reason: Reason(cause.reason),
            reference: cause.reference,
            message: cause.message,
        };
        book.put_debt(debt, cause);
    }
    Ok(orders)
}

fn read(row: &entry::Model) -> Result<CorrectedEntry, DbErr> {
    let contra = Contra::from_name(&row.contra);
    let second = row.version == Format::Second.version();
    let lots = match (second, row.lots.as_deref()) {
        (true, Some(lots)) => read_changes(lots),
        (true, None) => None,
        (false, _) => Some(Vec::new()),
    };
    let order = row.order_key.as_deref();
    Ok(CorrectedEntry {
        contra: contra.ok_or_else(|| invalid("an entry of an unknown contra account"))?,
        lots: lots.ok_or_else(|| invalid("an entry that does not state its lots"))?,
        order: order.and_then(Key::from_bytes),
    })
}
