//! The community's dialect: a GET whose parameter `sign` covers the parameters, by protocols.md part 3.

use serde_json::Value;

use super::signature::{is_signed, text};
use super::{PARAMETERS, invalid};
use crate::config::{self, Keys};
use crate::gateway::dialect::{Answer, BodyError, Call, Dialect, Request};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::form;
use crate::gateway::parameters::Pair;
use crate::gateway::params::ParameterFaults;
use crate::gateway::reply::Reply;
use crate::sign::same;

// The envelope has no codes of faults; these are for the log and the metrics.
const EXPIRED: Fault = Fault::new(1, "请求超时");
const WRONG_KEY: Fault = Fault::new(2, "参数错误,秘钥key不正确");
const FORGED: Fault = Fault::new(3, "签名验证不通过");
const MALFORMED: Fault = Fault::new(4, "参数格式不对");
const NO_METHOD: Fault = Fault::new(5, "接口不存在");

/// The dialect with its keys; without keys, it rejects every request.
pub struct Osx {
    keys: Option<Keys>,
}

impl Osx {
    /// Takes the keys of `[osx]`.
    pub fn new(config: &config::Osx) -> Osx {
        Osx {
            keys: config.keys.clone(),
        }
    }

    /// Verifies a request and returns its appKey.
    fn verify(&self, request: &Request<'_>, sent: &[Pair<'_>]) -> Result<String, Fault> {
        let end = text(sent, "endtimestamp").map(str::parse::<i64>);
        if !matches!(end, Some(Ok(end)) if end >= request.now.div_euclid(1000)) {
            return Err(EXPIRED);
        }
        let app_key = text(sent, "appKey").unwrap_or_default();
        let keys = self.keys.as_ref().ok_or(WRONG_KEY)?;
        if !same(&keys.app_key, app_key) {
            return Err(WRONG_KEY);
        }
        let known = PARAMETERS.iter().find(|(path, _)| *path == request.path);
        let known = known.map_or(&[][..], |(_, names)| names);
        match is_signed(sent, known, &keys.app_secret) {
            true => Ok(keys.app_key.clone()),
            false => Err(FORGED),
        }
    }
}

impl Dialect for Osx {
    type Details = ();

    fn open<'a>(&self, request: &Request<'a>) -> Result<Call<'a, ()>, Fault> {
        let mut sent = Vec::with_capacity(16);
        form::read(request.query.as_bytes(), &mut sent).ok_or(MALFORMED)?;
        let caller = self.verify(request, &sent)?;
        Ok(Call {
            method: Some(request.path.to_owned()),
            parameters: sent.into_iter().collect(),
            caller,
            key: Some("current"),
            details: (),
        })
    }

    fn seal(&self, outcome: Result<Reply, CallError>) -> Answer {
        match outcome {
            Ok(Reply { data, message }) => Answer {
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

    fn unreadable_body(&self, body_error: BodyError) -> Answer {
        match body_error {
            BodyError::TooLarge => error(413, "请求体过大"),
            BodyError::Incomplete => error(400, &MALFORMED.message),
        }
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
