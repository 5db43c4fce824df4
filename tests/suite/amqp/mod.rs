//! Messages from a real RabbitMQ: POINTGATE_TEST_AMQP_URL, else the one on this machine.

mod broker;
mod counts;
mod kill;
mod log;
mod order;
mod poison;
mod probe;
mod proxy;
mod reconnect;
mod status;
mod stop;
mod tls;
