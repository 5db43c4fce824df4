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

rabbitmq
