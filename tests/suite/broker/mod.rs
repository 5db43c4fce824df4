//! The broker's consumer on a real RabbitMQ, which `POINTGATE_TEST_AMQP_URL` names.

mod crash;
mod dead_letters;
mod delivery;
mod log;
mod order;
mod permission;
mod probe;
mod proxy;
mod reconnect;
mod status;
mod stop;
pub mod test_broker;
mod tls;
mod topology;
