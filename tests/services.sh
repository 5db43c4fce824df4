#!/usr/bin/env bash
# Makes sure that the services which the tests need run on this machine.
set -euo pipefail

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# wait_for PORT SECONDS
wait_for() {
    for _ in $(seq "$2"); do
        if answers "$1"; then return 0; fi
        sleep 1
    done
    return 1
}

rabbitmq() {
    local port=5672
    if [ -n "${POINTGATE_TEST_AMQP_URL:-}" ]; then
        echo 'RabbitMQ: the one that POINTGATE_TEST_AMQP_URL names'
        return
    fi
    if answers "$port"; then
        echo "RabbitMQ: runs on port $port"
        return
    fi
    local server=/usr/sbin/rabbitmq-server
    if ! [ -x "$server" ] && command -v apt-get >/dev/null; then
        echo 'RabbitMQ: installing'
        as_root apt-get update -qq || true
        # The package starts it where the machine has an init system.
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rabbitmq-server || true
    fi
    if [ -x "$server" ] && ! answers "$port"; then
        echo 'RabbitMQ: starting'
        # A name that resolves on any machine.
        as_root env RABBITMQ_NODENAME=rabbit@localhost "$server" -detached || true
    fi
    if ! wait_for "$port" 60; then
        echo "The tests need RabbitMQ on 127.0.0.1:$port with the user guest/guest: install the package rabbitmq-server and" >&2
        echo 'start it, or name another broker in POINTGATE_TEST_AMQP_URL, such as amqp://NAME:PASSWORD@HOST:5672/%2f' >&2
        return 1
    fi
    echo "RabbitMQ: runs on port $port"
}

# Both get a user of the tests' own, who may make databases; they listen to this machine alone.
readonly WHO=pointgate_test

postgresql() {
    if ! answers 5432; then
        if ! command -v pg_ctlcluster >/dev/null && command -v apt-get >/dev/null; then
            echo 'PostgreSQL: installing'
            as_root apt-get update -qq || true
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql || true
        fi
        echo 'PostgreSQL: starting'
        local version
        version=$(ls /etc/postgresql 2>/dev/null | tail -n 1)
        as_root pg_ctlcluster --skip-systemctl-redirect "$version" main start || true
        wait_for 5432 30 || true
    fi
    local role="CREATE ROLE $WHO SUPERUSER LOGIN PASSWORD '$WHO'"
    psql_as_owner -c "$role" >/dev/null 2>&1 || true
    if ! PGPASSWORD=$WHO psql -h 127.0.0.1 -U "$WHO" -d postgres -qtc 'SELECT 1' >/dev/null; then
        echo "The tests need PostgreSQL on 127.0.0.1:5432 with a superuser $WHO whose password is $WHO" >&2
        return 1
    fi
    echo 'PostgreSQL: runs on port 5432'
}

psql_as_owner() {
    psql -h 127.0.0.1 -U postgres -w "$@" || as_root su postgres -c "psql $(printf '%q ' "$@")"
}

mariadb_server() {
    if ! answers 3306; then
        if ! [ -x /usr/sbin/mariadbd ] && command -v apt-get >/dev/null; then
            echo 'MariaDB: installing'
            as_root apt-get update -qq || true
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mariadb-server || true
        fi
        echo 'MariaDB: starting'
        as_root install -d -o mysql -g mysql /run/mysqld || true
        as_root start-stop-daemon --start --oknodo --background --exec /usr/sbin/mariadbd || true
        wait_for 3306 60 || true
    fi
    local user="CREATE USER IF NOT EXISTS $WHO@'127.0.0.1' IDENTIFIED BY '$WHO'; GRANT ALL ON *.* TO $WHO@'127.0.0.1'"
    mariadb -u root -e "$user" >/dev/null 2>&1 || as_root mariadb -u root -e "$user" >/dev/null 2>&1 || true
    if ! mariadb -h 127.0.0.1 -u "$WHO" -p"$WHO" -e 'SELECT 1' >/dev/null; then
        echo "The tests need MariaDB on 127.0.0.1:3306 with a user $WHO whose password is $WHO and who may do everything" >&2
        return 1
    fi
    echo 'MariaDB: runs on port 3306'
}

# The program alone: the tests start it themselves, on ports of their own.
nginx_program() {
    if ! command -v nginx >/dev/null && command -v apt-get >/dev/null; then
        echo 'nginx: installing'
        as_root apt-get update -qq || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nginx-light || true
    fi
    if ! command -v nginx >/dev/null; then
        echo 'The tests need the program nginx: install the package nginx-light' >&2
        return 1
    fi
    echo 'nginx: is there'
}

rabbitmq
postgresql
mariadb_server
nginx_program
