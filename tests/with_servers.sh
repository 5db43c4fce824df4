#!/usr/bin/env bash
# Runs a command with servers for the tests: tests/with_servers.sh cargo test -- --include-ignored
#
# PostgreSQL, MariaDB and RabbitMQ start with their default settings, with files of their own, on free ports of the loopback
# interface, and disappear with their files when the command ends, whether it succeeds, fails or is interrupted. Servers that
# already run on this machine are left alone. To use one of them, name it: POINTGATE_TEST_POSTGRES=postgres://NAME:PASSWORD@HOST:PORT,
# POINTGATE_TEST_MARIADB=mysql://NAME:PASSWORD@HOST:PORT (both for a user who may create databases and users, and do anything in them),
# POINTGATE_TEST_AMQP_URL=amqp://NAME:PASSWORD@HOST:PORT/%2f, and with it POINTGATE_TEST_AMQP_LIMITED_URL for a user who may configure nothing.
set -euo pipefail
# Each server gets a process group: Ctrl-C does not reach it, and one signal ends all its processes.
set -m

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

# Packages of Debian and Ubuntu. nginx and the outage tests need the programs alone: those tests start them.
install_what_is_missing() {
    local missing=()
    [ -n "$(postgresql_programs)" ] || missing+=(postgresql)
    command -v mariadbd >/dev/null || missing+=(mariadb-server)
    command -v rabbitmq-server >/dev/null || [ -n "${POINTGATE_TEST_AMQP_URL:-}" ] || missing+=(rabbitmq-server)
    command -v nginx >/dev/null || missing+=(nginx-light)
    [ -n "$(python)" ] || missing+=(python3 python3-cryptography)
    if [ ${#missing[@]} = 0 ]; then return; fi
    say "installing ${missing[*]}"
    command -v apt-get >/dev/null || fail "The tests need ${missing[*]}, as Debian calls these packages."
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo -n)
    {
        "${root[@]}" apt-get update -qq || true
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    } >&2 </dev/null || fail "The tests need the packages ${missing[*]}: install them, or run this as root."
}

# The first Python that has the package cryptography: Debian's own may not be the first on the path.
python() {
    local program
    for program in python3 /usr/bin/python3; do
        if "$program" -c 'import cryptography.hazmat.primitives.asymmetric.ed25519' 2>/dev/null; then
            echo "$program"
            return
        fi
    done
}

postgresql_programs() { find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1; }

# In memory where there is room: the tests make thousands of small files, and would wait for the disk otherwise.
make_folder() {
    local parent=${TMPDIR:-/tmp} free
    free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) || free=0
    if [ -w /dev/shm ] && [ "$free" -gt $((4 << 20)) ]; then parent=/dev/shm; fi
    folder=$(mktemp -d "$parent/pointgate.XXXXXX")
    # PostgreSQL's user must get to its own folder in it.
    chmod 711 "$folder"
    mkdir -m 711 "$folder/tmp"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets $port to the first of five free ones: outside the range of which the system takes ports for clients, and outside the one of
# which the outage tests take theirs.
find_ports() {
    local free
    while :; do
        port=$((10000 + RANDOM % 1000 * 5))
        free=yes
        for i in 0 1 2 3 4; do
            if answers $((port + i)); then free=no; fi
        done
        if [ $free = yes ]; then return; fi
    done
}

# start NAME COMMAND...: the server's process group is kept in $servers.
start() {
    local name=$1
    shift
    "$@" </dev/null >"$folder/$name.log" 2>&1 &
    servers[$name]=$!
}

# wait_for NAME COMMAND...: until the command succeeds.
wait_for() {
    local name=$1
    shift
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return; fi
        kill -0 "${servers[$name]}" 2>/dev/null || break
        sleep 0.1
    done
    cat "$folder/$name.log" >&2
    fail "$name does not start"
}

readonly WHO=pointgate_test

start_postgresql() {
    local home=$folder/postgresql programs as=()
    programs=$(postgresql_programs)
    mkdir -m 700 "$home"
    echo "$password" >"$home/password"
    if [ "$(id -u)" = 0 ]; then
        # It refuses to run as root.
        chown -R postgres:postgres "$home"
        as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    fi
    (cd / && "${as[@]}" "$programs/initdb" --username=$WHO --pwfile="$home/password" --auth=md5 --encoding=UTF8 --locale=C \
        --no-sync -D "$home/data") >"$folder/postgresql.log" 2>&1 || {
        cat "$folder/postgresql.log" >&2
        fail 'initdb fails'
    }
    start postgresql "${as[@]}" "$programs/postgres" -D "$home/data" --port=$((port)) --listen_addresses=127.0.0.1 \
        --unix_socket_directories= --max_connections=500
    export POINTGATE_TEST_POSTGRES=postgres://$WHO:$password@127.0.0.1:$port
}

start_mariadb() {
    local home=$folder/mariadb user
    user=$(id -un)
    mkdir -m 700 "$home" "$home/tmp"
    TMPDIR=$home/tmp mariadb-install-db --no-defaults --skip-test-db --auth-root-authentication-method=socket \
        --auth-root-socket-user="$user" --user="$user" --datadir="$home/data" >"$folder/mariadb.log" 2>&1 || {
        cat "$folder/mariadb.log" >&2
        fail 'mariadb-install-db fails'
    }
    cat >"$home/first.sql" <<END
CREATE USER $WHO@'127.0.0.1' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO $WHO@'127.0.0.1' WITH GRANT OPTION;
END
    start mariadb env TMPDIR="$home/tmp" mariadbd --no-defaults --user="$user" --datadir="$home/data" --port=$((port + 1)) \
        --bind-address=127.0.0.1 --skip-name-resolve --socket="$home/socket" --init-file="$home/first.sql" --max-connections=500
    export POINTGATE_TEST_MARIADB=mysql://$WHO:$password@127.0.0.1:$((port + 1))
}

start_rabbitmq() {
    local home=$folder/rabbitmq program=/usr/lib/rabbitmq/bin/rabbitmq-server
    # Debian's program on the path would go on as the user rabbitmq.
    [ -x $program ] || program=$(command -v rabbitmq-server)
    mkdir -m 700 "$home"
    # Its register of names too, since the one that it would start by itself would stay.
    start epmd epmd -address 127.0.0.1 -port $((port + 2))
    wait_for epmd answers $((port + 2))
    start rabbitmq env -i PATH="$PATH" HOME="$home" LANG=C.UTF-8 \
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 2)) \
        RABBITMQ_NODENAME=pointgate@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$((port + 3)) \
        RABBITMQ_DIST_PORT=$((port + 4)) \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
        RABBITMQ_MNESIA_BASE="$home/mnesia" RABBITMQ_LOG_BASE="$home" RABBITMQ_LOGS=- \
        RABBITMQ_CONF_ENV_FILE="$home/none" RABBITMQ_CONFIG_FILE="$home/none" RABBITMQ_ENABLED_PLUGINS_FILE="$home/none" \
        "$program"
    export POINTGATE_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:$((port + 3))/%2f
}

# A user who may read and write what others have declared, and configure nothing.
add_limited_user() {
    local program=/usr/lib/rabbitmq/bin/rabbitmqctl
    [ -x $program ] || program=$(command -v rabbitmqctl)
    control() {
        env -i PATH="$PATH" HOME="$folder/rabbitmq" LANG=C.UTF-8 ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 2)) \
            RABBITMQ_NODENAME=pointgate@localhost RABBITMQ_CONF_ENV_FILE="$folder/none" "$program" "$@" >>"$folder/control.log" 2>&1
    }
    wait_for rabbitmq control await_startup
    control add_user $WHO "$password" && control set_permissions $WHO '^$' '.*' '.*' || {
        cat "$folder/control.log" >&2
        fail 'cannot add a user to RabbitMQ'
    }
    export POINTGATE_TEST_AMQP_LIMITED_URL=amqp://$WHO:$password@127.0.0.1:$((port + 3))/%2f
}

clean_up() {
    trap '' INT TERM HUP
    local name
    if [ -n "$command" ]; then kill -TERM -- "-$command" || true; wait "$command" || true; fi
    # By this signal PostgreSQL ends at once, but does not leave its shared memory behind.
    if [ -n "${servers[postgresql]:-}" ]; then kill -QUIT "${servers[postgresql]}" && wait "${servers[postgresql]}" || true; fi
    for name in "${!servers[@]}"; do
        kill -KILL -- "-${servers[$name]}" || true
        wait "${servers[$name]}" || true
    done
    rm -rf "$folder"
} 2>/dev/null

[ $# -gt 0 ] || fail "usage: $0 COMMAND..."
install_what_is_missing
declare -A servers=()
command='' folder=''
make_folder
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
find_ports
POINTGATE_TEST_PYTHON=$(python)
[ -n "$POINTGATE_TEST_PYTHON" ] || fail 'The tests need a python3 with the package cryptography.'
export POINTGATE_TEST_PYTHON
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
ready=()
if [ -z "${POINTGATE_TEST_AMQP_URL:-}" ]; then start_rabbitmq; fi
if [ -z "${POINTGATE_TEST_POSTGRES:-}" ]; then start_postgresql; fi
if [ -z "${POINTGATE_TEST_MARIADB:-}" ]; then start_mariadb; fi
if [ -n "${servers[postgresql]:-}" ]; then wait_for postgresql "$(postgresql_programs)/pg_isready" -h 127.0.0.1 -p "$port"; fi
if [ -n "${servers[mariadb]:-}" ]; then wait_for mariadb answers $((port + 1)); fi
if [ -n "${servers[rabbitmq]:-}" ]; then
    wait_for rabbitmq answers $((port + 3))
    add_limited_user
fi

export TMPDIR=$folder/tmp
"$@" </dev/null &
command=$!
status=0
wait "$command" || status=$?
command=''
exit "$status"
