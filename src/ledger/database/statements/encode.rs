//! Rows as a database reads them: JSON, arrays, or the text of a statement.

use serde::Serialize;
use serde_json::Value;

use super::set_statement::{Column, ColumnType, SetStatement};
use crate::ledger::database::backend::{Backend, RowEncoding};

/// The rows as the first parameters of a statement.
///
/// # Errors
/// Returns [`serde_json::Error`] if a row is not a list of values.
pub fn parameters(
    statement: &SetStatement,
    backend: &Backend,
    rows: &[impl Serialize],
) -> Result<Vec<String>, serde_json::Error> {
    match backend.syntax.parameters {
        RowEncoding::Json => Ok(vec![serde_json::to_string(rows)?]),
        RowEncoding::Arrays => arrays(statement.columns, rows),
    }
}

/// An array of each column's values, as PostgreSQL writes arrays.
fn arrays(columns: &[Column], rows: &[impl Serialize]) -> Result<Vec<String>, serde_json::Error> {
    let mut arrays = vec!["{".to_owned(); columns.len()];
    for (at, row) in rows.iter().enumerate() {
        for ((array, value), column) in arrays.iter_mut().zip(values(row)?).zip(columns) {
            if at > 0 {
                array.push(',');
            }
            push_element(array, value, column.kind);
        }
    }
    for array in &mut arrays {
        array.push('}');
    }
    Ok(arrays)
}

/// The text of a change with its rows in it.
///
/// # Errors
/// Returns [`serde_json::Error`] if a row is not a list of values of the columns' types.
pub fn literal(
    statement: &SetStatement,
    backend: &Backend,
    rows: &[impl Serialize],
) -> Result<String, serde_json::Error> {
    let text = backend.sql(statement);
    let (before, rest) = text.split_once("{rows:").unwrap_or((text, "}"));
    let (before_row, after) = rest.split_once('}').unwrap_or((rest, ""));
    let mut whole = before.to_owned();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            whole.push(',');
        }
        whole.push_str(before_row);
        let values = values(row)?.into_iter().zip(statement.columns);
        for (at, (value, column)) in values.enumerate() {
            if at > 0 {
                whole.push(',');
            }
            push_literal(&mut whole, &value, column.kind)?;
        }
        whole.push(')');
    }
    whole.push_str(after);
    Ok(whole)
}

/// The values of a row.
fn values(row: &impl Serialize) -> Result<Vec<Value>, serde_json::Error> {
    Ok(match serde_json::to_value(row)? {
        Value::Array(values) => values,
        value => vec![value],
    })
}

/// Adds a value to an array.
fn push_element(array: &mut String, value: Value, kind: ColumnType) {
    match (value, kind) {
        (Value::Null, _) => array.push_str("NULL"),
        (Value::String(hex), ColumnType::Bytes) => {
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

/// Adds a value to the text of a statement, in which texts are hexadecimal, so that nothing in them can be read as SQL.
fn push_literal(
    whole: &mut String,
    value: &Value,
    kind: ColumnType,
) -> Result<(), serde_json::Error> {
    match (value, kind) {
        (Value::Null, _) => whole.push_str("NULL"),
        (Value::Number(number), ColumnType::Int) => whole.push_str(&number.to_string()),
        (Value::String(text), ColumnType::Text) => {
            whole.push_str("_utf8mb4 X'");
            whole.push_str(&hex::encode(text));
            whole.push('\'');
        }
        (Value::String(hex), ColumnType::Bytes) if hex.bytes().all(|c| c.is_ascii_hexdigit()) => {
            whole.push_str("X'");
            whole.push_str(hex);
            whole.push('\'');
        }
        _ => return Err(serde::de::Error::custom("a value of another type")),
    }
    Ok(())
}

#[cfg(all(test, feature = "mysql"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::database::statements::{ADD_ACCOUNTS, ADD_NONCES, DROP_LOTS, SET_ACCOUNTS};

    #[test]
    fn a_literal_holds_nothing_but_numbers_and_hexadecimal() {
        let mysql = Backend::of_url("mysql://").unwrap();
        let nonce = |key: &str, at: Value| literal(&ADD_NONCES, mysql, &[json!([at, key, null])]);
        let good = nonce("00fF", json!(-7)).unwrap();
        assert!(good.ends_with("VALUES (-7,X'00fF',NULL)"), "{good}");
        for (key, at) in [
            ("00'", json!(7)),
            ("0x", json!(7)),
            ("00", json!("7")),
            ("00", json!([7])),
            ("00", json!(true)),
        ] {
            assert!(nonce(key, at.clone()).is_err(), "{key} {at}");
        }
        let text = json!(["coin", "it's", 0, 0, 0, 0, null, "00"]);
        let text = literal(&ADD_ACCOUNTS, mysql, &[text]).unwrap();
        let values = "VALUES (_utf8mb4 X'636f696e',_utf8mb4 X'69742773',0,0,0,0,NULL,X'00')";
        assert!(text.ends_with(values), "{text}");
        let changed = literal(&SET_ACCOUNTS, mysql, &[json!([1, 2, 3, 4, 5, 6, "00"])]);
        let changed = changed.unwrap();
        assert!(
            changed.contains("VALUES ('','',1,2,3,4,5,6,X'00') ON"),
            "{changed}"
        );
        let rows = literal(&DROP_LOTS, mysql, &[[1, 2], [3, 4]]).unwrap();
        let values = "VALUES /*!80000 ROW*/(1,2),/*!80000 ROW*/(3,4)) k";
        assert!(rows.contains(values), "{rows}");
    }
}
