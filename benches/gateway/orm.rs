//! Variant (d): the same write as an ordinary application does it, one ORM transaction per request, on its own database with the
//! same schema and durability. Its contra account is spread over as many rows as that of the ledger.

use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use constant_time_eq::constant_time_eq;
use entity::{account, contra, entry, lot};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, EntityTrait, IntoActiveModel, IsolationLevel, NotSet, QueryFilter, QuerySelect, Set,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sha2::{Digest, Sha256};

use crate::protocol;
use crate::workload::Writes;

const ASSET: &str = "coin";
/// Rows of a contra account, so that concurrent transactions rarely wait for the same row.
const SHARDS: i64 = 64;
/// Connections to a database server.
const CONNECTIONS: u32 = 16;
/// How often a transaction that MariaDB rolled back for a deadlock is retried.
const RETRIES: usize = 20;
/// The expiry of all coins of the run (ms since 1970 UTC): 2100.
const EXPIRES_AT: i64 = 4_102_444_800_000;

/// Serves until SIGTERM, with its ledger at `url`.
pub(crate) fn serve(url: &str) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let db = open(url).await.map_err(std::io::Error::other)?;
        let data = web::Data::new(db);
        let app = move || {
            App::new()
                .app_data(data.clone())
                .route("/gateway", web::get().to(get))
        };
        let server = HttpServer::new(app).bind(("127.0.0.1", 0))?;
        eprintln!("listening on {}", server.addrs()[0]);
        server.run().await
    })
}

/// Compares the ledger at `url` with the acknowledged writes.
pub(crate) fn check(url: &str, writes: &Writes) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let (members, contra, entries) = runtime
        .block_on(sums(url))
        .map_err(|error| format!("cannot read the ledger of (d): {error}"))?;
    let (points, count) = (writes.points(), writes.count());
    if (members, contra, entries) != (points, -points, count) {
        return Err(format!(
            "the ledger of (d) is wrong: members hold {members} points and the contra account {contra} after {entries} \
             entries, but {count} writes with {points} points were acknowledged"
        ));
    }
    println!("ledger of (d): {count} writes, {points} points, as acknowledged");
    Ok(())
}

/// The sum of the members' balances, that of the contra accounts, and the number of entries.
async fn sums(url: &str) -> Result<(i64, i64, usize), DbErr> {
    let db = open(url).await?;
    let accounts = account::Entity::find().all(&db).await?;
    let contras = contra::Entity::find().all(&db).await?;
    Ok((
        accounts.iter().map(|row| row.balance).sum(),
        contras.iter().map(|row| row.balance).sum(),
        accounts.iter().map(|row| row.last_seq as usize).sum(),
    ))
}

/// Opens the database. SQLite gets one connection: it has one writer at a time, and waiting for the connection costs less than
/// retrying on its lock.
async fn open(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(if is_sqlite(url) { 1 } else { CONNECTIONS })
        .min_connections(1)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5))
        });
    let db = Database::connect(options).await?;
    migration::up(&db).await?;
    for shard in 0..SHARDS {
        let key = (ASSET.to_owned(), "issued".to_owned(), shard);
        if contra::Entity::find_by_id(key).one(&db).await?.is_none() {
            let row = contra::Model {
                asset: ASSET.to_owned(),
                name: "issued".to_owned(),
                shard,
                balance: 0,
                entries: 0,
                checksum: 0,
            };
            contra::Entity::insert(row.into_active_model())
                .exec_without_returning(&db)
                .await?;
        }
    }
    Ok(db)
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// The parameters of a request.
struct Get {
    uid: i64,
    num: i64,
    kind: i64,
    reference: String,
}

impl Get {
    /// Reads and verifies a query; `None` if it is invalid.
    fn read(query: &str) -> Option<Get> {
        let params = web::Query::<Vec<(String, String)>>::from_query(query).ok()?;
        let value_of = |name| {
            params
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.as_str())
        };
        let signed: Vec<(&str, &str)> = params
            .iter()
            .filter(|(name, _)| name != "client_secret")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let given = value_of("client_secret")?.to_ascii_lowercase();
        let expected = protocol::client_secret(&signed);
        if !constant_time_eq(given.as_bytes(), expected.as_bytes())
            || value_of("method")? != "app.yohocoin.get"
        {
            return None;
        }
        Some(Get {
            uid: value_of("uid")?.parse().ok()?,
            num: value_of("num")?.parse().ok().filter(|num| *num > 0)?,
            kind: value_of("type")?.parse().ok()?,
            reference: value_of("referenceId")?.to_owned(),
        })
    }
}

async fn get(request: HttpRequest, db: web::Data<DatabaseConnection>) -> HttpResponse {
    let Some(get) = Get::read(request.query_string()) else {
        return HttpResponse::BadRequest().finish();
    };
    let mut result = post(&db, &get).await;
    for _ in 0..RETRIES {
        if !result
            .as_ref()
            .is_err_and(|error| error.to_string().contains("40001"))
        {
            break;
        }
        result = post(&db, &get).await;
    }
    match result {
        Ok(balance) => HttpResponse::Ok()
            .content_type(protocol::CONTENT_TYPE)
            .body(protocol::get_answer(get.uid, balance)),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// Runs the whole write in one transaction; returns the new balance.
async fn post(db: &DatabaseConnection, get: &Get) -> Result<i64, DbErr> {
    let sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let immediate = TransactionOptions {
        sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
        isolation_level: (!sqlite).then_some(IsolationLevel::ReadCommitted),
        ..Default::default()
    };
    let tx = db.begin_with_options(immediate).await?;
    let owner = format!("uid:{}", get.uid);
    let idempotency_key = key_of(&[&owner, &get.kind.to_string(), &get.reference]);
    let fingerprint = key_of(&[&get.num.to_string()]);
    let used = entry::Entity::find()
        .filter(entry::Column::IdempotencyKey.eq(idempotency_key.clone()))
        .one(&tx)
        .await?;
    if let Some(used) = used {
        return match used.fingerprint == Some(fingerprint) {
            true => Ok(used.balance_after),
            false => Err(DbErr::Custom(
                "the reference was used with another fingerprint".into(),
            )),
        };
    }
    let mut account = account_of(&tx, owner).await?;
    account.balance += get.num;
    account.last_seq += 1;
    account.income_seq += 1;
    account.last_at = now();
    account.next_expiry = Some(EXPIRES_AT);
    let entry = entry::Model {
        idempotency_key: Some(idempotency_key),
        fingerprint: Some(fingerprint),
        idempotency_balance: Some(account.balance),
        ..entry_of(get, &account)
    };
    account.head.clone_from(&entry.hash);
    let (account_id, balance_after) = (account.id, account.balance);
    entry::Entity::insert(entry.into_active_model())
        .exec_without_returning(&tx)
        .await?;
    add_to_lot(&tx, account_id, get.num).await?;
    update_account(&tx, account).await?;
    contra::Entity::update_many()
        .col_expr(
            contra::Column::Balance,
            Expr::col(contra::Column::Balance).sub(get.num),
        )
        .filter(contra::Column::Asset.eq(ASSET))
        .filter(contra::Column::Name.eq("issued"))
        .filter(contra::Column::Shard.eq(account_id % SHARDS))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    Ok(balance_after)
}

async fn account_of(tx: &DatabaseTransaction, owner: String) -> Result<account::Model, DbErr> {
    let found = account::Entity::find()
        .filter(account::Column::Owner.eq(owner.as_str()))
        .filter(account::Column::Asset.eq(ASSET))
        .lock_exclusive()
        .one(tx)
        .await?;
    match found {
        Some(account) => Ok(account),
        None => {
            let new = account::ActiveModel {
                id: NotSet,
                asset: Set(ASSET.into()),
                owner: Set(owner),
                balance: Set(0),
                last_seq: Set(0),
                income_seq: Set(0),
                last_at: Set(0),
                next_expiry: Set(None),
                head: Set(vec![0; 32]),
            };
            account::Entity::insert(new).exec_with_returning(tx).await
        }
    }
}

async fn add_to_lot(tx: &DatabaseTransaction, account_id: i64, num: i64) -> Result<(), DbErr> {
    match lot::Entity::find_by_id((account_id, EXPIRES_AT))
        .one(tx)
        .await?
    {
        Some(found) => {
            lot::Entity::update_many()
                .col_expr(lot::Column::Remaining, Expr::val(found.remaining + num))
                .filter(lot::Column::AccountId.eq(account_id))
                .filter(lot::Column::ExpiresAt.eq(EXPIRES_AT))
                .exec(tx)
                .await?;
        }
        None => {
            let new = lot::Model {
                account_id,
                expires_at: EXPIRES_AT,
                remaining: num,
            };
            lot::Entity::insert(new.into_active_model())
                .exec_without_returning(tx)
                .await?;
        }
    }
    Ok(())
}

async fn update_account(tx: &DatabaseTransaction, account: account::Model) -> Result<(), DbErr> {
    let id = account.id;
    let changed = account::ActiveModel {
        id: NotSet,
        asset: NotSet,
        owner: NotSet,
        balance: Set(account.balance),
        last_seq: Set(account.last_seq),
        income_seq: Set(account.income_seq),
        last_at: Set(account.last_at),
        next_expiry: Set(account.next_expiry),
        head: Set(account.head),
    };
    // `ActiveModel::update` would read the row back.
    account::Entity::update_many()
        .set(changed)
        .filter(account::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The entry that leads to the current state of the account, chained to the entry before it.
fn entry_of(get: &Get, account: &account::Model) -> entry::Model {
    let mut hash = Sha256::new();
    hash.update(&account.head);
    for number in [
        account.last_seq,
        account.last_at,
        get.kind,
        get.num,
        account.balance,
        account.income_seq,
    ] {
        hash.update(number.to_be_bytes());
    }
    for text in [ASSET, &account.owner, "issued", &get.reference] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    entry::Model {
        account_id: account.id,
        seq: account.last_seq,
        at: account.last_at,
        reason: get.kind,
        amount: get.num,
        balance_after: account.balance,
        contra: "issued".into(),
        direction: 1,
        direction_seq: account.income_seq,
        reference: Some(get.reference.clone()),
        message: None,
        operator: None,
        idempotency_key: None,
        fingerprint: None,
        idempotency_balance: None,
        version: 2,
        recorded_at: Some(account.last_at),
        origin_id: Some(1),
        request_id: Some(get.reference.clone()),
        lots: Some(format!("{}:{}", i64::MAX, get.num)),
        order_key: None,
        hash: hash.finalize().to_vec(),
    }
}

fn key_of(parts: &[&str]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].to_vec()
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}
