//! The community's dialect: a GET whose parameter `sign` covers the parameters, by protocols.md part 3.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::callback::Callback;
use super::{NAME, invalid};
use crate::config::{self, Limits, Secret};
use crate::gateway::dialect::{Answer, Call, Dialect, Request, RequestError};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::form;
use crate::gateway::keys::{CallerKeys, KeyRegister};
use crate::gateway::params::ParameterFaults;
use crate::gateway::permissions::{Permissions, Refusal};
use crate::gateway::reply::Reply;
use crate::ledger::book::transaction::Nonce;
use crate::points::permissions;
use crate::sign::same;

// The envelope has no codes of faults; these are for the log and the metrics.
const EXPIRED: Fault = Fault::new(1, "请求超时");
const WRONG_KEY: Fault = Fault::new(2, "参数错误，秘钥key不正确");
pub(super) const FORGED: Fault = Fault::new(3, "签名验证不通过");
const MALFORMED: Fault = Fault::new(4, "参数格式不对");
const FORBIDDEN: Fault = Fault::new(6, "无权调用此接口");
const NO_METHOD: Fault = Fault::new(5, "接口不存在");

/// The dialect with its keys; without keys, it rejects every request.
pub struct Osx {
    /// The appKey and its secrets.
    keys: Option<(String, CallerKeys<Secret>)>,
    permissions: Arc<Permissions>,
    max_ahead: Duration,
    callback_parameters: Vec<String>,
}

impl Osx {
    /// Takes the keys of `[osx]`. Their use is recorded in `register`.
    pub fn new(config: &config::Osx, register: &KeyRegister) -> Osx {
        let keys = |keys: &config::Keys| {
            let secrets = [&keys.app_secret]
                .into_iter()
                .chain(&keys.previous_app_secret);
            let secrets = register.keys(NAME, &keys.app_key, secrets.cloned(), Secret::bytes);
            (keys.app_key.clone(), secrets)
        };
        let limits = Limits {
            from: config.from.clone(),
            max_points_per_day: config.max_points_per_day,
            ..Limits::default()
        };
        Osx {
            permissions: permissions(&["*".to_owned()], &limits),
            keys: config.keys.as_ref().map(keys),
            max_ahead: config.max_ahead,
            callback_parameters: config.callback_parameters.clone(),
        }
    }

    /// Verifies a request. Returns its appKey, the name of the key that signed it, and the end of its validity (ms).
    fn verify(
        &self,
        callback: &Callback<'_>,
        now: i64,
    ) -> Result<(String, &'static str, i64), Fault> {
        let end = self.end(callback.get("endtimestamp"), now).ok_or(EXPIRED)?;
        let (app_key, secrets) = self.keys.as_ref().ok_or(WRONG_KEY)?;
        if !same(app_key, callback.get("appKey")) {
            return Err(WRONG_KEY);
        }
        let key = callback.key_of(secrets, now).ok_or(FORGED)?;
        Ok((app_key.clone(), key, end))
    }

    /// The end of a request's validity (ms); `None` unless it is ten digits, not over, and at most `osx.max_ahead_seconds` ahead: a
    /// longer or a shorter number could have digits of its neighbours in the signed text.
    fn end(&self, digits: &str, now: i64) -> Option<i64> {
        let is_time = digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let end: i64 = digits.parse().ok().filter(|_| is_time)?;
        let now = now.div_euclid(1000);
        let ahead = u64::try_from(end.checked_sub(now)?).ok()?;
        (ahead <= self.max_ahead.as_secs()).then(|| end.saturating_mul(1000))
    }
}

impl Dialect for Osx {
    /// The signature, which has one reading.
    type Details = Nonce;

    fn open<'a>(&self, request: &Request<'a>) -> Result<Call<'a, Nonce>, Fault> {
        let mut sent = Vec::with_capacity(16);
        form::read(request.query.as_bytes(), &mut sent).ok_or(MALFORMED)?;
        let callback = Callback::of(request.path, &sent, &self.callback_parameters);
        let (caller, key, end) = self.verify(&callback, request.now)?;
        Ok(Call {
            method: Some(request.path.to_owned()),
            details: callback.nonce(end),
            parameters: callback.into_parameters()?,
            caller,
            key: Some(key),
            permissions: Some(self.permissions.clone()),
        })
    }

    /// Everything stands in the query.
    fn max_body(&self, _query: &str) -> usize {
        1024
    }

    fn seal(&self, outcome: Result<Reply, CallError>, _now: i64) -> Answer {
        match outcome {
            Ok(Reply { data, message, .. }) => Answer {
                status: 200,
                code: 200,
                body: format!(r#"{{"code":200,"msg":"{message}","data":{data}}}"#),
            },
            Err(CallError::Fault(fault)) => Answer {
                status: 200,
                code: fault.code,
                body: error_body(200, &fault.message),
            },
            Err(CallError::Busy) => error(503, "系统繁忙"),
            Err(CallError::Internal) => error(500, "系统错误"),
        }
    }

    fn unknown_method(&self, _method: Option<&str>) -> Fault {
        NO_METHOD
    }

    fn refused(&self, _refusal: Refusal) -> Fault {
        FORBIDDEN
    }

    fn refuse_request(&self, refused: RequestError) -> Answer {
        error(refused.status(), refused.message())
    }
}

impl ParameterFaults for Osx {
    fn absent(&self, name: &str) -> Fault {
        invalid("缺少参数", name)
    }

    fn wrong(&self, name: &str) -> Fault {
        invalid("参数格式不对:", name)
    }

    fn too_long(&self, name: &str) -> Fault {
        invalid("参数长度不合法:", name)
    }
}

fn error(status: u16, text: &str) -> Answer {
    let code = i64::from(status);
    Answer {
        status,
        code,
        body: error_body(code, text),
    }
}

fn error_body(code: i64, text: &str) -> String {
    let text = Value::from(text);
    format!(r#"{{"code":{code},"msg":"error","data":{text}}}"#)
}
