//! A statement as text, CSV, JSON or HTML.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::cli::output::Escaped;
use crate::config::{CoinType, Config};
use crate::ledger::book::account::Lot;
use crate::ledger::book::entry::{Contra, Entry};
use crate::ledger::book::origins::OriginRecord;
use crate::ledger::book::transaction::{AccountKey, NEVER};
use crate::ledger::proof::entry::entry_json;
use crate::ledger::read::walk::KnownEntry;
use crate::points::calendar::Calendar;
use crate::points::coins::COIN;

/// How a statement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementForm {
    /// Lines for a terminal.
    Text,
    /// A line for each entry.
    Csv,
    /// One object, whose entries are those of a proof with words.
    Json,
    /// A page that needs nothing else.
    Html,
}

/// What a statement opens with.
pub struct StatementHead {
    /// Whose points of which asset.
    pub account: AccountKey,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The points before it.
    pub opening: i64,
}

/// What turns numbers into words.
pub struct Words {
    calendar: Calendar,
    types: BTreeMap<i64, CoinType>,
}

/// The columns of an entry.
const COLUMNS: [&str; 7] = [
    "seq", "time", "points", "balance", "movement", "text", "origin",
];

impl Words {
    /// The words of a configuration.
    pub fn new(config: &Config, calendar: Calendar) -> Words {
        Words {
            calendar,
            types: config.yoho.types.clone(),
        }
    }

    /// A time (ms) of the company's calendar.
    pub fn time(&self, at: i64) -> String {
        self.calendar.format(at)
    }

    /// The number, the time, the points, the balance after it, the movement, the text and the origin of an entry.
    pub fn cells(&self, known: &KnownEntry) -> [String; 7] {
        let entry = &known.entry;
        [
            entry.seq.to_string(),
            self.calendar.format(entry.at),
            format!("{:+}", entry.amount),
            entry.balance_after.to_string(),
            movement(entry).to_owned(),
            self.text(entry),
            origin(known.origin.as_ref()),
        ]
    }

    /// The text of the caller, else that of the coin's type.
    fn text(&self, entry: &Entry) -> String {
        let of_type = || {
            let rules = self.types.get(&entry.reason.0);
            let rules = rules.filter(|_| entry.account.asset == COIN);
            let reference = entry.reference.as_deref().unwrap_or_default();
            rules.map(|rules| rules.message.replace("%s", reference))
        };
        let text = entry.message.clone().or_else(of_type);
        text.unwrap_or_else(|| format!("reason {}", entry.reason.0))
    }

    /// When a lot expires.
    pub fn expiry(&self, lot: &Lot) -> String {
        match lot.expires_at {
            NEVER => "never".to_owned(),
            at => self.calendar.format(at),
        }
    }
}

/// How points moved, in a word.
pub fn movement(entry: &Entry) -> &'static str {
    match (entry.contra, entry.amount > 0) {
        (Contra::Issued, _) => "issued",
        (Contra::Redeemed, false) => "redeemed",
        (Contra::Redeemed, true) => "returned",
        (Contra::Expired, _) => "expired",
        (Contra::Adjusted, _) => "adjusted",
        (Contra::Transferred, _) => "transferred",
    }
}

/// Who asked for an entry, in words.
fn origin(origin: Option<&OriginRecord>) -> String {
    let Some(origin) = origin else {
        return "not recorded".to_owned();
    };
    let OriginRecord {
        dialect,
        caller,
        key,
        ..
    } = origin;
    let by_key = match key {
        Some(key) => format!(", by its {key} key"),
        None => String::new(),
    };
    match dialect.as_str() {
        "pointgate" => "the ledger itself".to_owned(),
        "cli" => format!("the operator {caller}"),
        "broker" => format!("a message of {caller}"),
        _ if caller.is_empty() => format!("somebody over {dialect}{by_key}"),
        _ => format!("{caller} over {dialect}{by_key}"),
    }
}

impl StatementForm {
    /// What stands before the entries.
    pub fn head(self, head: &StatementHead) -> String {
        let AccountKey { owner, asset } = &head.account;
        let StatementHead {
            from, to, opening, ..
        } = head;
        match self {
            StatementForm::Text => {
                let title = Escaped(format_args!("{asset} of {owner}, {from} to {to}"));
                format!("{title}\nopening {opening}")
            }
            StatementForm::Csv => {
                let opening = ["", "", "", &opening.to_string(), "opening", "", ""];
                format!("{}\r\n{}\r", csv_line(&COLUMNS), csv_line(&opening))
            }
            StatementForm::Json => {
                let account = json!({"asset": asset, "owner": owner});
                format!(
                    "{{\"account\":{account},\"from\":\"{from}\",\"to\":\"{to}\",\"opening\":{opening},\"entries\":["
                )
            }
            StatementForm::Html => {
                let title = html(&format!("{asset} of {owner}, {from} to {to}"));
                let columns: String = COLUMNS.map(|it| format!("<th>{it}</th>")).concat();
                format!(
                    "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{title}</title><style>table{{border-collapse:collapse}}\
                     td,th{{border:1px solid #999;padding:2px 6px;text-align:left}}</style></head><body><h1>{title}</h1>\n\
                     <p>Opening: {opening}</p>\n<table><tr>{columns}</tr>"
                )
            }
        }
    }

    /// An entry; `first`: whether no other one stands before it.
    pub fn row(self, known: &KnownEntry, words: &Words, first: bool) -> String {
        let cells = words.cells(known);
        match self {
            StatementForm::Text => Escaped(cells.join("  ")).to_string(),
            StatementForm::Csv => format!("{}\r", csv_line(&cells.each_ref().map(String::as_str))),
            StatementForm::Json => {
                let [_, time, _, _, movement, text, origin] = cells;
                let mut whole: Value = entry_json(&known.entry, known.origin.as_ref());
                whole["words"] =
                    json!({"movement": movement, "origin": origin, "text": text, "time": time});
                let comma = if first { "" } else { "," };
                format!("{comma}{whole}")
            }
            StatementForm::Html => {
                let cells = cells.map(|cell| format!("<td>{}</td>", html(&cell)));
                format!("<tr>{}</tr>", cells.concat())
            }
        }
    }

    /// What stands after the entries.
    pub fn tail(self, closing: i64, lots: &[Lot], words: &Words) -> String {
        let expiries = lots.iter().map(|lot| (words.expiry(lot), lot.remaining));
        match self {
            StatementForm::Text => {
                let lots = expiries.map(|(expiry, points)| format!("\n  {points} until {expiry}"));
                format!("closing {closing}{}", lots.collect::<String>())
            }
            StatementForm::Csv => {
                let closing = ["", "", "", &closing.to_string(), "closing", "", ""];
                let mut lines = csv_line(&closing);
                for (expiry, points) in expiries {
                    let lot = ["", &expiry, "", &points.to_string(), "lot", "", ""];
                    lines += &format!("\r\n{}", csv_line(&lot));
                }
                format!("{lines}\r")
            }
            StatementForm::Json => {
                let lots: Vec<Value> = expiries
                    .map(|(expiry, points)| json!({"expires": expiry, "points": points}))
                    .collect();
                format!("],\"closing\":{closing},\"lots\":{}}}", json!(lots))
            }
            StatementForm::Html => {
                let lots: String = expiries
                    .map(|(expiry, points)| format!("<li>{points} until {expiry}</li>"))
                    .collect();
                format!("</table>\n<p>Closing: {closing}</p>\n<ul>{lots}</ul></body></html>")
            }
        }
    }
}

/// A line of CSV (RFC 4180) without its end. A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn csv_line(cells: &[&str]) -> String {
    let cell = |cell: &&str| {
        let is_number = cell.parse::<i64>().is_ok();
        let formula = !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let quote = if formula { "'" } else { "" };
        match cell.contains(['"', ',', '\n', '\r']) {
            true => format!("\"{quote}{}\"", cell.replace('"', "\"\"")),
            false => format!("{quote}{cell}"),
        }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",")
}

/// A text in HTML.
fn html(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let line = csv_line(&["=1+1", "+5", "-5", "@a", "+a", "a,b", "=\"x\"", "字"]);
        assert_eq!(line, "'=1+1,+5,-5,'@a,'+a,\"a,b\",\"'=\"\"x\"\"\",字");
    }

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            html("<b a='1'>\"&\u{1b}"),
            "&lt;b a=&#39;1&#39;&gt;&quot;&amp;\\u{1b}"
        );
    }
}
