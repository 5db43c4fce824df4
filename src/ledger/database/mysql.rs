//! What is set in each session of MySQL and MariaDB.

use sea_orm::ConnectOptions;
use sea_orm::sqlx::Executor;

use super::guarded::WriteHealth;

/// What is set in each session: values are refused, not bent; a statement sees what is committed when
/// it begins; what an instance that stands still has locked is free again, which MySQL does not know.
const SESSION: &str = "SET SESSION \
    sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    time_zone = '+00:00', innodb_lock_wait_timeout = 5 \
    /*M!100000 , idle_transaction_timeout = 10 */";
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

pub(super) fn prepare(options: &mut ConnectOptions, health: &WriteHealth) {
    let health = health.clone();
    options
        .map_sqlx_mysql_opts(|options| options.charset("utf8mb4").collation("utf8mb4_bin"))
        .map_sqlx_mysql_pool_opts(move |options| {
            health.guard(options.after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(SESSION).await?;
                    connection.execute(ISOLATION).await?;
                    Ok(())
                })
            }))
        });
}
