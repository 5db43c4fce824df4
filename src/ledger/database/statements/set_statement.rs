//! A statement over a set of rows. Its text is constant, so that a database prepares it once whatever the size of a batch; each
//! backend writes it in its own words.

use std::sync::OnceLock;

/// The type of a column of the given rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number of 64 bits.
    Int,
    /// A text in UTF-8.
    Text,
    /// Bytes, which the rows hold as hexadecimal.
    Bytes,
}

/// A column of the given rows.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name. In a change it is also the name of the table's column.
    pub name: &'static str,
    /// The type of its values.
    pub kind: ColumnType,
}

/// A column of whole numbers.
pub const fn int(name: &'static str) -> Column {
    let kind = ColumnType::Int;
    Column { name, kind }
}

/// A column of texts.
pub const fn text(name: &'static str) -> Column {
    let kind = ColumnType::Text;
    Column { name, kind }
}

/// A column of bytes.
pub const fn bytes(name: &'static str) -> Column {
    let kind = ColumnType::Bytes;
    Column { name, kind }
}

/// A statement over rows of these columns. Rows of a single column are given as the values themselves.
#[derive(Debug)]
pub struct SetStatement {
    /// The columns of the rows.
    pub columns: &'static [Column],
    /// What the statement does with the rows.
    pub kind: Kind,
    sql: [OnceLock<String>; 3],
}

/// What a set statement does.
///
/// The text of a query names the rows `{k}`, a table whose columns are `k.place` (from 0) and those of the statement. In it
/// `{join}` is a join whose left side is the outer loop, `{hex:a.b}` is a column of bytes as hexadecimal, and `{text2}` and
/// `{int3}` are further parameters.
#[derive(Debug)]
pub enum Kind {
    /// Reads rows.
    Query {
        /// The values of each row of the answer.
        answer: &'static str,
        /// The rest of the query, from `FROM` on.
        from: &'static str,
        /// The table whose rows the query locks, and its name in the text.
        locks: Option<(&'static str, &'static str)>,
    },
    /// Inserts each row.
    Insert {
        /// The table that the statement changes.
        table: &'static str,
    },
    /// Inserts each row, or changes columns of the row that is there under its keys.
    Upsert {
        /// The table that the statement changes.
        table: &'static str,
        /// The columns of the unique key.
        keys: &'static [&'static str],
        /// The columns that change, and how.
        conflict: &'static [(&'static str, OnConflict)],
    },
    /// Sets all other columns of the rows under these keys.
    Update {
        /// The table that the statement changes.
        table: &'static str,
        /// The columns of the unique key.
        keys: &'static [&'static str],
        /// The texts that a new row would need beside the statement's columns, for a database that has no fast change of many rows
        /// but an upsert.
        needed: &'static [&'static str],
    },
    /// Deletes the rows under these keys, which are all of the columns.
    Delete {
        /// The table that the statement changes.
        table: &'static str,
    },
}

/// How an upsert changes a row that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// It takes the new value.
    Replace,
    /// It adds the new value.
    Add,
}

impl SetStatement {
    /// A query that answers these values of each row that it finds `FROM …`.
    pub const fn query(
        columns: &'static [Column],
        answer: &'static str,
        from: &'static str,
    ) -> SetStatement {
        let locks = None;
        let kind = Kind::Query {
            answer,
            from,
            locks,
        };
        SetStatement::new(columns, kind)
    }

    /// A query that locks the rows that it finds in one of its tables, in the order of their `id`, if transactions write
    /// concurrently. It may answer `k.place` and columns of that table.
    pub const fn locking_query(
        columns: &'static [Column],
        answer: &'static str,
        from: &'static str,
        table: (&'static str, &'static str),
    ) -> SetStatement {
        let locks = Some(table);
        let kind = Kind::Query {
            answer,
            from,
            locks,
        };
        SetStatement::new(columns, kind)
    }

    /// Inserts rows; a row whose key is taken fails the statement.
    pub const fn insert(table: &'static str, columns: &'static [Column]) -> SetStatement {
        SetStatement::new(columns, Kind::Insert { table })
    }

    /// Inserts rows, and changes columns of those that are there.
    pub const fn upsert(
        table: &'static str,
        columns: &'static [Column],
        keys: &'static [&'static str],
        conflict: &'static [(&'static str, OnConflict)],
    ) -> SetStatement {
        let kind = Kind::Upsert {
            table,
            keys,
            conflict,
        };
        SetStatement::new(columns, kind)
    }

    /// Changes rows that are there to other values; a row that is missing fails the statement, and may where it holds these values
    /// already. `needed` are the texts that a new row would need.
    pub const fn update(
        table: &'static str,
        columns: &'static [Column],
        keys: &'static [&'static str],
        needed: &'static [&'static str],
    ) -> SetStatement {
        let kind = Kind::Update {
            table,
            keys,
            needed,
        };
        SetStatement::new(columns, kind)
    }

    /// Deletes rows that are there; a row that is missing fails the statement.
    pub const fn delete(table: &'static str, keys: &'static [Column]) -> SetStatement {
        SetStatement::new(keys, Kind::Delete { table })
    }

    const fn new(columns: &'static [Column], kind: Kind) -> SetStatement {
        SetStatement {
            columns,
            kind,
            sql: [const { OnceLock::new() }; 3],
        }
    }

    /// The text that `render` makes of the statement for the backend of this index. It is made once.
    pub fn text(&self, backend: usize, render: fn(&SetStatement) -> String) -> &str {
        self.sql[backend].get_or_init(|| render(self))
    }

    /// What the statement does to which table, for messages.
    pub fn describe(&self) -> String {
        match self.kind {
            Kind::Query { .. } => "a query".to_owned(),
            Kind::Insert { table } => format!("INSERT INTO {table}"),
            Kind::Upsert { table, .. } => format!("upsert into {table}"),
            Kind::Update { table, .. } => format!("UPDATE {table}"),
            Kind::Delete { table } => format!("DELETE FROM {table}"),
        }
    }

    /// Whether rows are given as the values of their only column.
    pub fn is_scalar(&self) -> bool {
        self.columns.len() == 1
    }

    /// The names of the columns, as a list.
    pub fn names(&self) -> String {
        self.list(|_, column| column.name.to_owned())
    }

    /// The names of the columns that are not among these keys.
    pub fn values<'a>(&'a self, keys: &'a [&str]) -> impl Iterator<Item = &'static str> + 'a {
        let names = self.columns.iter().map(|column| column.name);
        names.filter(|name| !keys.contains(name))
    }

    /// Something about each column, as a list.
    pub fn list(&self, write: impl Fn(usize, &Column) -> String) -> String {
        let columns = self.columns.iter().enumerate();
        let columns: Vec<String> = columns.map(|(at, column)| write(at, column)).collect();
        columns.join(", ")
    }
}

/// A change in the words that SQLite and PostgreSQL have in common.
pub fn standard_change(statement: &SetStatement, change: &Kind) -> String {
    let names = statement.names();
    // Without its WHERE, SQLite would take the ON of a conflict for that of a join.
    let insert =
        |table: &str| format!("INSERT INTO {table} ({names}) SELECT {names} FROM {{k}} WHERE true");
    match change {
        Kind::Query { .. } => String::new(),
        Kind::Insert { table } => insert(table),
        Kind::Upsert {
            table,
            keys,
            conflict,
        } => {
            let set = conflict.iter().map(|(column, how)| match how {
                OnConflict::Replace => format!("{column} = excluded.{column}"),
                OnConflict::Add => format!("{column} = {table}.{column} + excluded.{column}"),
            });
            let set = set.collect::<Vec<_>>().join(", ");
            let (insert, keys) = (insert(table), keys.join(", "));
            format!("{insert} ON CONFLICT ({keys}) DO UPDATE SET {set}")
        }
        Kind::Update { table, keys, .. } => {
            let set = statement
                .values(keys)
                .map(|name| format!("{name} = k.{name}"));
            let set = set.collect::<Vec<_>>().join(", ");
            let matches = keys.iter().map(|key| format!("{table}.{key} = k.{key}"));
            let matches = matches.collect::<Vec<_>>().join(" AND ");
            format!("UPDATE {table} SET {set} FROM {{k}} WHERE {matches}")
        }
        Kind::Delete { table } => {
            format!("DELETE FROM {table} WHERE ({names}) IN (SELECT {names} FROM {{k}})")
        }
    }
}

/// Replaces each `{hex:a.b}` by what `hex` makes of `a.b`.
pub fn with_hex(text: &str, hex: impl Fn(&str) -> String) -> String {
    let mut parts = text.split("{hex:");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (bytes, rest) = part.split_once('}').unwrap_or((part, ""));
        whole.push_str(&hex(bytes));
        whole.push_str(rest);
    }
    whole
}
