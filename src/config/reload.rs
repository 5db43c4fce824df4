//! Which settings a running program can take over, and which need a restart.

use super::{Amqp, Config, Seal, Secret, Server};

/// The names of the settings that differ and stay as they are until a restart.
#[derive(Default)]
struct Pending(Vec<&'static str>);

impl Pending {
    /// Gives a setting its running value.
    fn keep<T: Clone + PartialEq>(&mut self, name: &'static str, setting: &mut T, running: &T) {
        if setting != running {
            self.0.push(name);
            *setting = running.clone();
        }
    }
}

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
        let mut pending = Pending::default();
        pending.keep("timezone", &mut self.timezone, &running.timezone);
        keep_server(&mut pending, &mut self.server, &running.server);
        if self.database.url.reveal() != running.database.url.reveal() {
            pending.0.push("database.url");
            self.database = running.database.clone();
        }
        pending.keep("ledger", &mut self.ledger, &running.ledger);
        keep_seal(&mut pending, &mut self.seal, &running.seal);
        keep_amqp(&mut pending, &mut self.amqp, &running.amqp);
        Ok((self, pending.0))
    }
}

/// Names every setting, so that a new one does not compile until it stands on one side.
fn keep_server(pending: &mut Pending, new: &mut Server, running: &Server) {
    let Server {
        listen,
        workers,
        max_connections,
        max_connections_per_second: rate,
        pid_file,
        trusted_proxies: _,
        metrics_from: _,
        request_timeout: _,
    } = new;
    pending.keep("server.listen", listen, &running.listen);
    pending.keep("server.workers", workers, &running.workers);
    let most = &running.max_connections;
    pending.keep("server.max_connections", max_connections, most);
    let name = "server.max_connections_per_second";
    pending.keep(name, rate, &running.max_connections_per_second);
    pending.keep("server.pid_file", pid_file, &running.pid_file);
}

/// As [`keep_server`].
fn keep_seal(pending: &mut Pending, new: &mut Seal, running: &Seal) {
    let Seal { name, key, witness } = new;
    pending.keep("seal.name", name, &running.name);
    if key.as_ref().map(Secret::reveal) != running.key.as_ref().map(Secret::reveal) {
        pending.0.push("seal.key_file");
        *key = running.key.clone();
    }
    let same = match (&*witness, &running.witness) {
        (Some(new), Some(running)) => new.is(running),
        (new, running) => new.is_none() && running.is_none(),
    };
    if !same {
        pending.0.push("seal.witness");
        witness.clone_from(&running.witness);
    }
}

/// As [`keep_server`].
fn keep_amqp(pending: &mut Pending, new: &mut Amqp, running: &Amqp) {
    let Amqp {
        url,
        exchange,
        queue,
        bindings,
        prefetch,
        methods: _,
        publishers: _,
        max_points_per_day: _,
    } = new;
    if url.as_ref().map(Secret::reveal) != running.url.as_ref().map(Secret::reveal) {
        pending.0.push("amqp.url");
        *url = running.url.clone();
    }
    pending.keep("amqp.exchange", exchange, &running.exchange);
    pending.keep("amqp.queue", queue, &running.queue);
    pending.keep("amqp.bindings", bindings, &running.bindings);
    pending.keep("amqp.prefetch", prefetch, &running.prefetch);
}
