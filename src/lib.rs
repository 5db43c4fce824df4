//! Pointgate: one ledger of points behind the old single-endpoint protocols.
//!
//! Several wire protocols (**dialects**), each behind an **endpoint**, stand in front of typed **methods**, in front of one
//! **ledger**. A dialect knows bytes, signatures and legacy codes; a method knows its parameters and its meaning; the ledger knows
//! points and nothing of the web. Each can be read without the others. `docs/architecture.md` says why.
//!
//! ```text
//! main.rs      the program: calls cli
//! cli/         commands: command line → logger → configuration → a command; serve.rs reloads on SIGHUP
//! config/      gateway.toml → Config, in three layers; one struct a section, all errors at once, secrets redacted
//! server/      Config → running HTTP server over the list of endpoints: limits, request ids, health, reload, graceful stop;
//!              wire/ filters the bytes before the HTTP parser
//!   wire/        the bytes of a connection before they are parsed: raw characters encoded, what is no HTTP refused in an envelope
//! endpoints.rs the list of endpoints, one line each
//! services.rs  what endpoints need to serve, built once
//! gateway/     the spine: open → find → permit → read parameters → call → seal
//!   endpoint.rs  trait Endpoint: routes, description, sample signing, start
//!   dialect.rs   trait Dialect: bytes, signatures, codes          service.rs   a dialect at work
//!   method.rs    trait Method, and its types erased                registry.rs  name → method
//!   params.rs    declared parameters                               context.rs   request id, origin, time of a call
//!   keys.rs      callers' keys, and when each was last used        metrics.rs   what /metrics shows, over reloads
//! yoho/        the endpoint /gateway and the methods of the shop's coins, one small file a method
//! openapi/     the endpoint /api/v2 and the Actions of partners
//! osx/         the endpoint of the community, with its two methods
//! status/      member status: methods of /gateway beside the coins'; payments, which Ping++ signs
//! broker/      the message broker: a message → a call of a method of /gateway
//! points/      coins, reasons, expiry rules and the company's calendar
//! members/     profiles, follows, payments, the identities of one person, and erasing what is known of them
//! ledger/      the core
//!   book/        the rules, without I/O: transactions, entries, accounts, lots
//!   proof/       what outsiders verify: the tree of accounts, the log of seals, signed notes; without I/O too
//!   write/       the queue, its partitions and their writers, a batch's rows, retries
//!   read/        balances and histories
//!   upkeep/      expiry, purging, freezes, the journal, the audit, copies
//!   database/    connections, durability, locks, the set statements in each database's SQL
//! sign.rs      MD5, HMAC-SHA1, RSA-SHA256, form encoding, and comparison in constant time
//! tls.rs       TLS to the broker and to the witness of seals
//! clock.rs     the time, which tests own
//! origin.rs    who asked for a change, and what proves it
//! ../entity    the database's rows, data only                  ../migration   its schema, one file a change
//! ```
//!
//! # Invariants
//! - Arrows go down only: `main → cli → server → endpoints → {dialects, broker} → services → points → {gateway, members, ledger,
//!   sign} → entity`. Dialects never import each other, `gateway/` names no dialect and no ledger, `ledger/` names no web type and no
//!   wire code, and SQL stays inside `ledger/` and `members/`. Deleting a dialect is deleting one folder and one line. A test holds
//!   these rules.
//! - A rejected transaction changes nothing; an acknowledged one is on disk before its answer leaves; a retry answers as the first
//!   attempt did.
//! - No balance is negative; it is the sum of the account's lots and of its entries; all accounts and contra accounts of an asset
//!   sum to zero; an entry never changes, and each holds the hash of the entry before it. A link or an erased
//!   profile has a record in the journal, of the same transaction and chained alike.
//! - A secret is a [`config::Secret`], which no log, error or debug output shows, and is compared in constant time.

#[cfg(feature = "amqp")]
pub mod broker;
#[cfg(not(feature = "amqp"))]
#[path = "broker/absent.rs"]
pub mod broker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod endpoints;
pub mod gateway;
pub mod ledger;
pub mod members;
pub mod openapi;
pub mod origin;
pub mod osx;
pub mod points;
pub mod server;
pub mod services;
pub mod sign;
pub mod status;
pub mod tls;
pub mod yoho;
