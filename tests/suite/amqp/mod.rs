//! Messages from a real RabbitMQ, the one that `POINTGATE_TEST_AMQP_URL` names.

pub mod broker;
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
