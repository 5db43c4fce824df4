//! Pointgate: one ledger of points behind the old single-endpoint protocols.
//!
//! Several wire protocols (**dialects**) stand in front of one **registry of typed methods**, in front of one **ledger**.
//! A dialect knows bytes, signatures and legacy codes; a method knows its parameters and its meaning; the ledger knows
//! points and nothing of the web. Each may be read without the others.
//!
//! ```text
//! main.rs      the program: calls cli
//! cli.rs       command line → logger → configuration → a command; cli/ holds the commands and the log's way out
//! config.rs    gateway.toml → Config, in three layers; one struct a section, all mistakes at once, secrets redacted
//! server.rs    Config → running HTTP server: one route a dialect, limits, health, graceful stop
//!   body.rs      a request's body, up to a limit and in time    origin.rs   where it comes from, behind proxies or not
//!   metrics.rs   what is counted, for those who may see it      ids.rs      names of requests
//! gateway/     the spine: open → find → permit → read parameters → call → seal
//!   method.rs    trait Method: name, parameters, reply, call; Entry = a Method with its types erased
//!   registry.rs  name → Entry; refuses duplicates; describes itself
//!   params.rs    how a parameter is read from "5" or 5 (json.rs: from a body), and which refusal its absence earns
//!   value.rs     the kinds of values that any of them may have
//!   dialect.rs   trait Dialect: open(request) → Call, seal(outcome) → answer
//! yoho/        the YOHO dialect and its methods, one small file a method
//! openapi/     the open platform's dialect and its Actions
//!   envelope.rs, signature.rs, reply.rs   the wire              partner.rs, caller.rs   who calls, secrets, nonces
//! osx/         the community's dialect and its two methods
//! status/      member status: methods beside YOHO's, in its envelope; payments, which Ping++ signs
//! amqp.rs      the message broker: a message → a call of YOHO's methods; amqp/ holds its connection and its lanes
//! coins.rs     what all protocols share about coins: whose, how long they live, how a row reads
//! members/     what is known of a person beside points, and which names are one person
//! ledger/      the core
//!   posting.rs   what may be asked, and what is answered        book.rs   the rules, without I/O
//!   entry.rs     an entry and the hash that chains it           key.rs    16 bytes for a reference
//!   lanes.rs     which of the writers a unit goes to            writer.rs who writes: a queue, a batch, a commit
//!   store.rs     a batch's rows, loaded and saved               actions.rs actions: their answers, their limits
//!   connect.rs, durable.rs   what durability rests on           lost.rs   a lost race or connection: what is tried again
//!   hold.rs      locks that all instances share                 sql/      the set statements, in each database's words
//!   balances.rs  balance reads, gathered                        copy.rs   a whole ledger into another database
//!   history.rs, expire.rs, sweep.rs, audit.rs
//! sign.rs      MD5, HMAC-SHA1, RSA-SHA256, form encoding, and comparison in constant time
//! clock.rs     the time, which tests own
//! ../entity    the database's rows, data only                  ../migration   its schema, one file a change
//! ```
//!
//! # Invariants
//! - Arrows go down only: `main → cli → server → {dialects, amqp} → coins → {gateway, members, ledger, sign} → entity`. Dialects never
//!   import each other, `gateway/` names no dialect and no ledger, `ledger/` names no web type and no wire code, and SQL stays inside
//!   `ledger/` and `members/`. Deleting a dialect is one folder and a few lines of `server.rs` and `cli`. A test holds these lines.
//! - A refused request changes nothing; an acknowledged one is on disk before its answer leaves; a retry answers as the
//!   first did.
//! - No balance is negative; it is the sum of its lots and of its entries; all accounts and counter accounts of an asset
//!   together are zero; an entry never changes, and each holds the hash of the one before it.
//! - A secret is a [`config::Secret`], which shows itself to nobody, and is compared in constant time.

pub mod amqp;
pub mod cli;
pub mod clock;
pub mod coins;
pub mod config;
pub mod gateway;
pub mod ledger;
pub mod members;
pub mod openapi;
pub mod osx;
pub mod server;
pub mod sign;
pub mod status;
pub mod yoho;
