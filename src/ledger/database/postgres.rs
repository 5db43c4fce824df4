//! What is set in each session of PostgreSQL.

use sea_orm::ConnectOptions;
use sea_orm::sqlx::postgres::PgConnectOptions;

use super::guarded::WriteHealth;

pub(super) fn prepare(options: &mut ConnectOptions, health: &WriteHealth) {
    let health = health.clone();
    options
        .map_sqlx_postgres_opts(session)
        .map_sqlx_postgres_pool_opts(move |options| health.guard(options));
}

fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("pointgate").options([
        ("synchronous_commit", "on"),
        ("timezone", "UTC"),
        ("lock_timeout", "5s"),
        ("default_transaction_isolation", "read committed"),
        ("idle_in_transaction_session_timeout", "10s"),
        // The statements are short and always the same.
        ("jit", "off"),
    ])
}

/// Rules out plans that read a whole table. The set statements look up a few keys; PostgreSQL plans each once, when its tables
/// may still be empty and reading them looks cheap, and would keep that plan for long.
pub(super) fn avoid_whole_tables(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_opts(|options| {
        session(options).options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
        ])
    });
}
