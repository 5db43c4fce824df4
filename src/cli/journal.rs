//! The commands `forget`, which the journal records, and `journal`, which lists it.

use super::commands::{check_existence, open_to_write};
use super::output::{self, Escaped};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::book::journal::Operator;
use crate::members::{MemberName, Members};
use crate::points::calendar::Calendar;
use crate::server;

/// Erases what is known of an owner beside points; without an operator, lists what that would erase.
pub async fn forget(
    config: &Config,
    owner: &str,
    operator: Option<Operator>,
) -> Result<(), String> {
    let name = MemberName::of_owner(owner).ok_or("an owner is uid:N or key:K, as in uid:5")?;
    check_existence(config)?;
    let ledger = match operator {
        Some(_) => open_to_write(config).await?,
        None => server::open_ledger_read_only(config, Clock::system()).await?,
    };
    let members = Members::new(ledger.clone());
    let is_erased = operator.is_some();
    let kinds = match operator {
        Some(operator) => members.forget(&name, operator).await,
        None => members.erasable(&name).await,
    };
    ledger.close().await;
    let kinds = kinds.map_err(|error| format!("cannot forget: {error}"))?;
    let listed = kinds.join(", ");
    output::line(Escaped(match (kinds.is_empty(), is_erased) {
        (true, _) => format!("{owner} has nothing to erase"),
        (false, true) => format!("erased what is known of {owner}: {listed}"),
        (false, false) => {
            format!("would erase what is known of {owner}: {listed}; --yes erases it")
        }
    }))
}

/// Lists the records of the journal, oldest first.
pub async fn journal(config: &Config) -> Result<(), String> {
    check_existence(config)?;
    let ledger = server::open_ledger_read_only(config, Clock::system()).await?;
    let calendar = Calendar::new(config.timezone.clone());
    let (mut last, mut count) = (i64::MIN, 0);
    let listed = loop {
        let records = match ledger.journal_after(last).await {
            Ok(records) => records,
            Err(error) => break Err(error.to_string()),
        };
        let Some(newest) = records.last() else {
            break output::line(format_args!("{count} records"));
        };
        last = newest.number;
        count += records.len();
        let mut lines = records.iter().map(|record| {
            output::line(Escaped(format_args!(
                "{}  {}  {}  {}  {}  {}  {}",
                record.number,
                calendar.format(record.at),
                record.kind,
                record.operator.user,
                record.operator.request_id,
                record.details,
                hex::encode(record.hash),
            )))
        });
        if let Err(error) = lines.try_for_each(|line| line) {
            break Err(error);
        }
    };
    ledger.close().await;
    listed
}
