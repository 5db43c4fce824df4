//! Which settings a running program can take over, and which need a restart.

use super::{Config, Secret};

impl Config {
    /// This configuration with the settings of `running` that cannot change while the program runs, and the names of those that
    /// differ.
    ///
    /// # Errors
    /// Returns a message for the user if this configuration brings sample secrets to an address that other machines reach.
    pub fn taken_over_from(
        mut self,
        running: &Config,
    ) -> Result<(Config, Vec<&'static str>), String> {
        let listen = running.server.listen;
        if !self.samples.is_empty() && !listen.ip().to_canonical().is_loopback() {
            return Err(format!(
                "it holds sample secrets ({}), and the server listens on {listen}, which other machines can reach",
                self.samples.join(", ")
            ));
        }
        let text = |secret: &Secret| secret.reveal().to_owned();
        let mut differing = Vec::new();
        let mut keep = |name, differs: bool| {
            if differs {
                differing.push(name);
            }
        };
        let (new, old) = (&self, running);
        keep("timezone", new.timezone != old.timezone);
        keep("server.listen", new.server.listen != listen);
        keep("server.workers", new.server.workers != old.server.workers);
        let (most, most_old) = (new.server.max_connections, old.server.max_connections);
        keep("server.max_connections", most != most_old);
        keep(
            "server.max_connections_per_second",
            new.server.max_connections_per_second != old.server.max_connections_per_second,
        );
        let (url, url_old) = (text(&new.database.url), text(&old.database.url));
        keep(
            "server.pid_file",
            new.server.pid_file != old.server.pid_file,
        );
        keep("database.url", url != url_old);
        keep("ledger", new.ledger != old.ledger);
        let (url, url_old) = (new.amqp.url.as_ref(), old.amqp.url.as_ref());
        keep("amqp.url", url.map(text) != url_old.map(text));
        keep("amqp.exchange", new.amqp.exchange != old.amqp.exchange);
        keep("amqp.queue", new.amqp.queue != old.amqp.queue);
        keep("amqp.bindings", new.amqp.bindings != old.amqp.bindings);
        keep("amqp.prefetch", new.amqp.prefetch != old.amqp.prefetch);

        self.timezone = running.timezone.clone();
        self.server.listen = listen;
        self.server.workers = running.server.workers;
        self.server.max_connections = running.server.max_connections;
        self.server.max_connections_per_second = running.server.max_connections_per_second;
        self.server.pid_file = running.server.pid_file.clone();
        self.database = running.database.clone();
        self.ledger = running.ledger.clone();
        self.amqp.url = running.amqp.url.clone();
        self.amqp.exchange = running.amqp.exchange.clone();
        self.amqp.queue = running.amqp.queue.clone();
        self.amqp.bindings = running.amqp.bindings.clone();
        self.amqp.prefetch = running.amqp.prefetch;
        Ok((self, differing))
    }
}
