//! An event of a payment gets a subject, which is the charge that it is about, and a number among the events of its subject. Of two
//! writers that both saw `n` events of a charge, the database refuses the second one that adds an event.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{has_column, has_index};

#[derive(DeriveIden)]
enum Payment {
    Table,
    Subject,
    SubjectSeq,
}

const INDEX: &str = "payment_subject";

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    // SQLite adds one column per statement, and a column that is not null only with a default. MySQL commits each step by itself:
    // a try that was cut off goes on with the first step that is not done.
    let subject = ColumnDef::new(Payment::Subject)
        .string_len(128)
        .not_null()
        .default("")
        .to_owned();
    let seq = ColumnDef::new(Payment::SubjectSeq)
        .big_integer()
        .not_null()
        .default(0)
        .to_owned();
    for (name, mut column) in [("subject", subject), ("subject_seq", seq)] {
        if !has_column(db, "payment", name).await? {
            let add = Table::alter()
                .table(Payment::Table)
                .add_column(&mut column)
                .to_owned();
            db.execute(&add).await?;
        }
    }
    // Which charge a refund of before was about is not known: such an event is its own subject.
    let fill = "UPDATE payment SET subject = COALESCE(charge_id, event_id) WHERE subject = ''";
    db.execute_unprepared(fill).await?;
    if has_index(db, "payment", INDEX).await? {
        return Ok(());
    }
    let index = Index::create()
        .name(INDEX)
        .table(Payment::Table)
        .col(Payment::Subject)
        .col(Payment::SubjectSeq)
        .unique()
        .to_owned();
    db.execute(&index).await?;
    Ok(())
}
