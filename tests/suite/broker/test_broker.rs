//! An exchange and queues of one test at the broker, with a publisher to them and a view into them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lapin::message::Delivery;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::database::{RABBITMQ, RABBITMQ_LIMITED, must};
use crate::program::{CONFIG, Client, Program};

/// The limit for every wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// The broker's URL.
pub fn url() -> String {
    must(RABBITMQ)
}

/// The broker's URL for a user who may read and write everything, and configure nothing.
pub fn limited_url() -> String {
    must(RABBITMQ_LIMITED)
}

/// An exchange, a queue bound to every method, and its dead-letter queue, all deleted when dropped.
pub struct TestBroker {
    /// The exchange's name; the queue's name is this with `.in` appended.
    pub name: String,
    channel: Channel,
    _connection: Connection,
}

impl TestBroker {
    /// Connects and makes up unique names; declares nothing.
    pub async fn new() -> TestBroker {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pointgate-test-{}-{number}", std::process::id());
        let connection = Connection::connect(&url(), ConnectionProperties::default()).await;
        let connection = connection.expect("RabbitMQ runs");
        let channel = connection.create_channel().await.unwrap();
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await.unwrap();
        TestBroker {
            name,
            channel,
            _connection: connection,
        }
    }

    /// Connects and declares exchange and queues, before the program does.
    pub async fn declared() -> TestBroker {
        let broker = TestBroker::new().await;
        broker.declare().await;
        broker
    }

    /// Declares the exchange and the queues as durable; panics if they exist with other properties.
    pub async fn declare(&self) {
        self.declare_with(FieldTable::default(), FieldTable::default())
            .await;
    }

    /// As [`TestBroker::declare`], with arguments of the queue and of the dead-letter queue.
    pub async fn declare_with(&self, arguments: FieldTable, dead_arguments: FieldTable) {
        let (channel, none) = (&self.channel, FieldTable::default);
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let exchange = self.name.as_str().into();
        let declared = channel.exchange_declare(exchange, ExchangeKind::Topic, durable, none());
        declared.await.unwrap();
        for (queue, arguments) in [
            (self.queue(), arguments),
            (self.dead_queue(), dead_arguments),
        ] {
            let durable = QueueDeclareOptions::durable();
            let declared = channel.queue_declare(queue.into(), durable, arguments);
            declared.await.unwrap();
        }
        for key in ["app.#", "probe.#", "status.#", "broadcast.#"] {
            let (queue, exchange) = (self.queue().into(), self.name.as_str().into());
            let options = QueueBindOptions::default();
            let bound = channel.queue_bind(queue, exchange, key.into(), options, none());
            bound.await.unwrap();
        }
    }

    /// The name of the queue.
    pub fn queue(&self) -> String {
        format!("{}.in", self.name)
    }

    /// The name of the dead-letter queue.
    pub fn dead_queue(&self) -> String {
        format!("{}.in.dead", self.name)
    }

    /// The name of the user who publishes.
    pub fn user(&self) -> String {
        let url = url();
        let user = url.split("://").nth(1).and_then(|it| it.split(':').next());
        user.unwrap().to_owned()
    }

    /// The configuration's section `[amqp]`.
    pub fn section(&self, url: &str) -> String {
        let TestBroker { name, .. } = self;
        format!(
            "[amqp]\nurl = '{url}'\nexchange = '{name}'\nqueue = '{name}.in'\nbindings = ['app.#', 'probe.#', 'status.#', 'broadcast.#']\n\
             methods = ['app.yohocoin.get', 'app.yohocoin.subtract']\n"
        )
    }

    /// A program's whole configuration.
    pub fn config(&self) -> String {
        self.config_with_url(&url())
    }

    /// A program's whole configuration, with another URL of the broker.
    pub fn config_with_url(&self, url: &str) -> String {
        format!("{CONFIG}{}", self.section(url))
    }

    /// Publishes a persistent message with an id and waits for the broker's confirmation.
    pub async fn publish(&self, key: &str, body: &Value, id: &str) {
        let properties = persistent().with_message_id(id.into());
        let body = body.to_string();
        self.publish_with(key, body.as_bytes(), properties).await;
    }

    /// Publishes any message and waits for the broker's confirmation; panics if no queue takes it.
    pub async fn publish_with(&self, key: &str, body: &[u8], properties: BasicProperties) {
        let options = BasicPublishOptions {
            mandatory: true,
            immediate: false,
        };
        let exchange = self.name.as_str().into();
        let published = self
            .channel
            .basic_publish(exchange, key.into(), options, body, properties);
        let confirmed = published.await.unwrap().await.unwrap();
        assert!(confirmed.is_ack(), "{confirmed:?}");
        assert!(confirmed.take_message().is_none(), "{key} goes nowhere");
    }

    /// The number of messages in a queue that no consumer has taken.
    pub async fn waiting(&self, queue: &str) -> u32 {
        self.queue_state(queue).await.0
    }

    /// The number of waiting messages and of consumers of a queue.
    async fn queue_state(&self, queue: &str) -> (u32, u32) {
        let passive = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let none = FieldTable::default();
        let declared = self.channel.queue_declare(queue.into(), passive, none);
        let queue = declared.await.unwrap();
        (queue.message_count(), queue.consumer_count())
    }

    /// Waits until at most `many` messages wait in the queue.
    pub async fn wait_until_at_most(&self, many: u32) {
        let deadline = Instant::now() + PATIENCE;
        while self.waiting(&self.queue()).await > many {
            assert!(Instant::now() < deadline, "more than {many} wait");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until at least `many` messages wait in the queue.
    pub async fn wait_until_at_least(&self, many: u32) {
        let deadline = Instant::now() + PATIENCE;
        while self.waiting(&self.queue()).await < many {
            assert!(Instant::now() < deadline, "fewer than {many} wait");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until the queue has no consumer, and returns the numbers of messages in it and in the dead-letter queue.
    pub async fn remaining(&self) -> (u32, u32) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (left, consumers) = self.queue_state(&self.queue()).await;
            if consumers == 0 {
                return (left, self.waiting(&self.dead_queue()).await);
            }
            assert!(Instant::now() < deadline, "the queue still has a consumer");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits for the next dead letter and takes it from its queue.
    pub async fn dead_letter(&self) -> Delivery {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let queue = self.dead_queue();
            let options = BasicGetOptions { no_ack: true };
            if let Some(message) = self.channel.basic_get(queue.into(), options).await.unwrap() {
                return message.delivery;
            }
            assert!(Instant::now() < deadline, "no dead letter");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Deletes a queue at the broker.
    pub async fn delete_queue(&self, queue: &str) {
        let options = QueueDeleteOptions::default();
        let deleted = self.channel.queue_delete(queue.into(), options);
        deleted.await.unwrap();
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let (queues, name) = ([self.queue(), self.dead_queue()], self.name.clone());
        let channel = self.channel.clone();
        let delete = async move {
            for queue in queues {
                let options = QueueDeleteOptions::default();
                let _ = channel.queue_delete(queue.into(), options).await;
            }
            let options = ExchangeDeleteOptions::default();
            let _ = channel.exchange_delete(name.into(), options).await;
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(delete));
    }
}

/// The properties of a message that survives a restart of the broker.
pub fn persistent() -> BasicProperties {
    BasicProperties::default().with_delivery_mode(2)
}

/// The value of a text header.
pub fn header(delivery: &Delivery, name: &str) -> Option<String> {
    let headers = delivery.properties.headers().as_ref()?;
    match headers.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}

/// The routing key of the method by which a user earns coins.
pub const EARN: &str = "app.yohocoin.get";

/// The message body for `num` coins under a reference.
pub fn earn(uid: &str, num: i64, reference: &str) -> Value {
    json!({"uid": uid, "num": num, "type": 18, "referenceId": reference})
}

/// Waits until a user has `coins` coins; panics if it is ever more.
pub async fn wait_for_total(client: &Client, uid: &str, coins: i64) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = client.total(uid).await;
        if now == coins {
            return;
        }
        assert!(now < coins, "{uid} has {now} of {coins}");
        assert!(Instant::now() < deadline, "{uid} has {now} of {coins}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the program's log shows `times` connections to the broker.
pub async fn wait_for_connections(program: &mut Program, times: usize) {
    let deadline = Instant::now() + PATIENCE;
    while program.log().matches("connected to the broker").count() < times {
        assert!(
            program.is_running() && Instant::now() < deadline,
            "{}",
            program.log()
        );
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until `/metrics` has a line.
pub async fn wait_for_metric(client: &Client, line: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let request = client.http.get(format!("{}/metrics", client.base));
        let metrics = request.send().await.unwrap().text().await.unwrap();
        if metrics.lines().any(|it| it == line) {
            return;
        }
        assert!(Instant::now() < deadline, "{line}: {metrics}");
        sleep(Duration::from_millis(5)).await;
    }
}
