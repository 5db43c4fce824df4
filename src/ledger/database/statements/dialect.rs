//! A set statement in the words of each database. Its text is constant, so that it is prepared once whatever the size of a
//! batch. Its rows come as one parameter, a JSON array with an array for each row, or in PostgreSQL, which would read such an
//! array anew for each of its values, as an array for each column. What adds rows has them in itself in MySQL, see
//! [`Statement::literal`]. An answer is JSON too, a row or, except in MySQL, all rows in one: a driver
//! that hands rows over one by one may wake the reader for each.

use std::sync::OnceLock;

use sea_orm::DbBackend;
use serde::Serialize;
use serde_json::Value;

/// How MariaDB and MySQL compare texts byte by byte, each by its own name: as the tables' texts are.
const BYTEWISE: &str = "/*M!100000 utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */";

/// What stands at a place of each row.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// A whole number.
    Int,
    /// A text.
    Text,
    /// Bytes, which travel as hex.
    Bytes,
}

/// A statement over rows, which its text names `{k}`: a table whose columns are `k.place` (from 0), `k.c0`, `k.c1`, …. Rows
/// of one column come as the values themselves. `{text2}` and `{int3}` in it are further parameters, and `{hex:a.b}` writes
/// bytes.
#[derive(Debug)]
pub struct Statement {
    columns: &'static [Column],
    /// For a query, what it gathers from each row that it finds.
    gathers: Option<&'static str>,
    /// The table whose rows it locks, and its name in the text.
    locks: Option<(&'static str, &'static str)>,
    text: &'static str,
    /// Where MySQL puts the parts in another order.
    mysql: Option<&'static str>,
    ready: [OnceLock<String>; 3],
}

impl Statement {
    /// A query for these values `FROM …`.
    pub const fn ask(
        columns: &'static [Column],
        gathers: &'static str,
        text: &'static str,
    ) -> Statement {
        Statement::new(columns, Some(gathers), None, text, None)
    }

    /// A query that locks the rows that it finds in one of its tables, in the order of their numbers, where several write at once.
    /// Of its other tables it gathers `k.place` alone.
    pub const fn lock(
        columns: &'static [Column],
        gathers: &'static str,
        text: &'static str,
        table: (&'static str, &'static str),
    ) -> Statement {
        Statement::new(columns, Some(gathers), Some(table), text, None)
    }

    /// A change that reads the same everywhere.
    pub const fn tell(columns: &'static [Column], text: &'static str) -> Statement {
        Statement::new(columns, None, None, text, None)
    }

    /// A change that reads otherwise in MySQL.
    pub const fn tell_or(
        columns: &'static [Column],
        text: &'static str,
        mysql: &'static str,
    ) -> Statement {
        Statement::new(columns, None, None, text, Some(mysql))
    }

    const fn new(
        columns: &'static [Column],
        gathers: Option<&'static str>,
        locks: Option<(&'static str, &'static str)>,
        text: &'static str,
        mysql: Option<&'static str>,
    ) -> Statement {
        Statement {
            columns,
            gathers,
            locks,
            text,
            mysql,
            ready: [const { OnceLock::new() }; 3],
        }
    }

    /// As this database reads it.
    ///
    /// Its first parameters are what [`Statement::parameters`] makes of the rows.
    pub fn words(&self, database: DbBackend) -> &str {
        let (at, write): (usize, fn(&Statement) -> String) = match database {
            DbBackend::Postgres => (1, Statement::postgres),
            DbBackend::MySql => (2, Statement::mysql),
            _ => (0, Statement::sqlite),
        };
        self.ready[at].get_or_init(|| write(self))
    }

    fn sqlite(&self) -> String {
        let columns = self.list(|column, at| {
            let value = match self.is_scalar() {
                true => "value".to_owned(),
                false => format!("value->>{at}"),
            };
            match column {
                Column::Int | Column::Text => format!("{value} AS c{at}"),
                Column::Bytes => format!("unhex({value}) AS c{at}"),
            }
        });
        let query = |gathers: &str| format!("SELECT json_group_array(json_array({gathers}))");
        let text = self
            .text(query)
            .replace("{rows}", &self.rows())
            .replace("{k}", "k");
        let text = text.replace("{text2}", "?2").replace("{int3}", "?3");
        // The rows come first, since only then an index is used for each.
        let text = hexed(&text, |bytes| format!("hex({bytes})")).replace("{join}", "CROSS JOIN");
        // Arrays are materialized, since each look at one would write it anew.
        let once = if self.is_scalar() { "" } else { "MATERIALIZED" };
        format!(
            "WITH r(place, value) AS {once} (SELECT key, value FROM json_each(?1)), \
             k AS (SELECT place, {columns} FROM r) {text}"
        )
    }

    fn postgres(&self) -> String {
        let columns = self.list(|_, at| format!("c{at}"));
        let arrays = self.list(|column, at| {
            let kind = match column {
                Column::Int => "bigint",
                Column::Text => "text",
                Column::Bytes => "bytea",
            };
            format!("${}::text::{kind}[]", at + 1)
        });
        let next = self.columns.len() + 1;
        let text = match (self.gathers, self.locks) {
            // It locks nothing where it gathers.
            (Some(gathers), Some((_, name))) => format!(
                "SELECT CAST(json_agg(found) AS text) FROM (SELECT json_build_array({gathers}) AS found {} \
                 ORDER BY {name}.id FOR UPDATE OF {name}) locked",
                self.text
            ),
            _ => self.text(|gathers| {
                format!("SELECT CAST(json_agg(json_build_array({gathers})) AS text)")
            }),
        };
        let text = text.replace("{rows}", &self.rows()).replace("{k}", "k");
        let text = text
            .replace("{text2}", &format!("${next}::text"))
            .replace("{int3}", &format!("${}::bigint", next + 1));
        let text = hexed(&text, |bytes| format!("encode({bytes}, 'hex')"));
        let text = text.replace("{join}", "JOIN");
        format!(
            "WITH k AS MATERIALIZED (SELECT ord - 1 AS place, {columns} \
             FROM unnest({arrays}) WITH ORDINALITY AS r({columns}, ord)) {text}"
        )
    }

    fn mysql(&self) -> String {
        let read = self.list(|column, at| {
            let path = match self.is_scalar() {
                true => "$".to_owned(),
                false => format!("$[{at}]"),
            };
            match column {
                Column::Int => format!("c{at} BIGINT PATH '{path}'"),
                Column::Text => format!("c{at} LONGTEXT COLLATE {BYTEWISE} PATH '{path}'"),
                Column::Bytes => format!("c{at} VARCHAR(64) PATH '{path}'"),
            }
        });
        let columns = self.list(|column, at| match column {
            Column::Int | Column::Text => format!("c{at}"),
            Column::Bytes => format!("UNHEX(c{at}) AS c{at}"),
        });
        // To gather them, MariaDB makes a table on disk; and what MySQL knows to be JSON, the driver does not take for a text.
        let query = |gathers: &str| format!("SELECT CAST(JSON_ARRAY({gathers}) AS CHAR)");
        let rows = format!(
            "(SELECT place - 1 AS place, {columns} \
             FROM JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, {read})) r) k"
        );
        let text = match (self.gathers, self.locks) {
            // It locks rows as it comes to them; and the inner query, which sorts them, only because it has a limit.
            (Some(gathers), Some((table, name))) => format!(
                "{} FROM (SELECT k.place, {name}.id {} ORDER BY {name}.id LIMIT 18446744073709551615) k \
                 STRAIGHT_JOIN {table} {name} ON {name}.id = k.id FOR UPDATE",
                query(gathers),
                self.text
            ),
            _ => self.text(query),
        };
        let text = self.mysql.unwrap_or(&text);
        // Each stands once, after the rows and in this order.
        let text = text.replace("{text2}", "?").replace("{int3}", "?");
        let text = hexed(&text, |bytes| format!("HEX({bytes})"));
        text.replace("{k}", &rows)
            .replace("{join}", "STRAIGHT_JOIN")
    }

    /// Rows as this database's first parameters.
    ///
    /// # Errors
    /// Where they are no such rows.
    pub fn parameters(
        &self,
        database: DbBackend,
        rows: &[impl Serialize],
    ) -> Result<Vec<String>, serde_json::Error> {
        if database != DbBackend::Postgres {
            return Ok(vec![serde_json::to_string(rows)?]);
        }
        let mut arrays = vec!["{".to_owned(); self.columns.len()];
        for (place, row) in rows.iter().enumerate() {
            let values = values(row)?;
            for ((array, value), column) in arrays.iter_mut().zip(values).zip(self.columns) {
                if place > 0 {
                    array.push(',');
                }
                push(array, value, *column);
            }
        }
        for array in &mut arrays {
            array.push('}');
        }
        Ok(arrays)
    }

    /// The statement with its rows in it, if it is one that adds rows: MariaDB reads numbers and hexadecimal in a statement far
    /// faster than it takes JSON apart, and several such statements may go at once.
    ///
    /// # Errors
    /// Where they are no such rows.
    pub fn literal(&self, rows: &[impl Serialize]) -> Result<Option<String>, serde_json::Error> {
        let text = self.mysql.unwrap_or(self.text);
        let Some((before, after)) = text.split_once("{rows}") else {
            return Ok(None);
        };
        let mut whole = format!("{before}VALUES ");
        for (place, row) in rows.iter().enumerate() {
            whole.push_str(if place > 0 { ",(" } else { "(" });
            for (at, (value, column)) in values(row)?.into_iter().zip(self.columns).enumerate() {
                if at > 0 {
                    whole.push(',');
                }
                push_literal(&mut whole, &value, *column)?;
            }
            whole.push(')');
        }
        whole.push_str(after);
        Ok(Some(whole))
    }

    /// A query for the rows as they are.
    fn rows(&self) -> String {
        let columns = self.list(|_, at| format!("c{at}"));
        // SQLite would take the ON of a conflict for that of a join.
        format!("SELECT {columns} FROM {{k}} WHERE true")
    }

    /// Whether rows come as the values of their one column.
    fn is_scalar(&self) -> bool {
        self.columns.len() == 1
    }

    fn text(&self, query: impl Fn(&str) -> String) -> String {
        match self.gathers {
            Some(gathers) => format!("{} {}", query(gathers), self.text),
            None => self.text.to_owned(),
        }
    }

    fn list(&self, column: impl Fn(Column, usize) -> String) -> String {
        let columns = self.columns.iter().enumerate();
        let columns: Vec<String> = columns.map(|(at, &kind)| column(kind, at)).collect();
        columns.join(", ")
    }
}

/// What stands in a row.
fn values(row: &impl Serialize) -> Result<Vec<Value>, serde_json::Error> {
    Ok(match serde_json::to_value(row)? {
        Value::Array(values) => values,
        value => vec![value],
    })
}

/// Adds a value to a statement of MySQL, in which no text stands but in hexadecimal.
fn push_literal(
    whole: &mut String,
    value: &Value,
    column: Column,
) -> Result<(), serde_json::Error> {
    match (value, column) {
        (Value::Null, _) => whole.push_str("NULL"),
        (Value::Number(number), Column::Int) => whole.push_str(&number.to_string()),
        (Value::String(text), Column::Text) => {
            whole.push_str("_utf8mb4 X'");
            whole.push_str(&hex::encode(text));
            whole.push('\'');
        }
        (Value::String(hex), Column::Bytes) if hex.bytes().all(|c| c.is_ascii_hexdigit()) => {
            whole.push_str("X'");
            whole.push_str(hex);
            whole.push('\'');
        }
        _ => return Err(serde::de::Error::custom("a value of another kind")),
    }
    Ok(())
}

/// Adds a value to an array as PostgreSQL writes them.
fn push(array: &mut String, value: Value, column: Column) {
    match (value, column) {
        (Value::Null, _) => array.push_str("NULL"),
        (Value::String(hex), Column::Bytes) => {
            array.push_str("\"\\\\x");
            array.push_str(&hex);
            array.push('"');
        }
        (Value::String(text), _) => {
            array.push('"');
            for letter in text.chars() {
                if matches!(letter, '"' | '\\') {
                    array.push('\\');
                }
                array.push(letter);
            }
            array.push('"');
        }
        (value, _) => array.push_str(&value.to_string()),
    }
}

/// Writes each `{hex:a.b}` in a database's words.
fn hexed(text: &str, hex: impl Fn(&str) -> String) -> String {
    let mut parts = text.split("{hex:");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (bytes, rest) = part.split_once('}').unwrap_or((part, ""));
        whole.push_str(&hex(bytes));
        whole.push_str(rest);
    }
    whole
}
