//! The OSX community's dialect: `GET /userActionNotify` and `GET /getUserInfo`, as in protocols.md part 3.

mod community;
mod notify;
mod profile;
mod signature;
mod user_info;

use std::sync::Arc;

use serde_json::Value;

use crate::clock::Clock;
use crate::config::{self, Keys};
use crate::gateway::dialect::{Call, Dialect, Request, Sealed};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::form;
use crate::gateway::method::Reply;
use crate::gateway::params::{Parameters, Refusals};
use crate::gateway::registry::{DuplicateName, Registry};
use crate::sign::same;
pub use community::Community;
use signature::is_signed;
pub use signature::sign;

// The envelope has no codes, so these are only the log's.
const EXPIRED: Fault = Fault::new(1, "请求超时");
const WRONG_KEY: Fault = Fault::new(2, "参数错误,秘钥key不正确");
const FORGED: Fault = Fault::new(3, "签名验证不通过");
const MALFORMED: Fault = Fault::new(4, "参数格式不对");
const NO_METHOD: Fault = Fault::new(5, "接口不存在");

/// A parameter that a method refuses.
fn bad(text: &str, name: &str) -> Fault {
    Fault::naming(4, format!("{text}{name}"))
}

/// The parameters that the platform itself sends to each of the two addresses, but for `sign`.
const NOTIFY: [&str; 7] = [
    "user_token",
    "to_user_token",
    "to_id",
    "action",
    "action_token",
    "appKey",
    "endtimestamp",
];
const USER_INFO: [&str; 4] = ["user_token", "token", "appKey", "endtimestamp"];

/// The dialect with its keys; without any, every request is refused.
pub struct Osx {
    keys: Option<Keys>,
    clock: Clock,
}

impl Osx {
    /// With the keys of the configuration.
    pub fn new(config: &config::Osx, clock: Clock) -> Osx {
        Osx {
            keys: config.keys.clone(),
            clock,
        }
    }

    fn check(&self, path: &str, parameters: &Parameters) -> Result<(), Fault> {
        let end = parameters.text("endtimestamp").map(str::parse::<i64>);
        if !matches!(end, Some(Ok(end)) if end >= self.clock.now().div_euclid(1000)) {
            return Err(EXPIRED);
        }
        let app_key = parameters.text("appKey").unwrap_or_default();
        let keys = self.keys.as_ref().ok_or(WRONG_KEY)?;
        if !same(&keys.app_key, app_key) {
            return Err(WRONG_KEY);
        }
        let own = match path {
            user_info::PATH => &USER_INFO[..],
            _ => &NOTIFY[..],
        };
        match is_signed(parameters, own, &keys.app_secret) {
            true => Ok(()),
            false => Err(FORGED),
        }
    }
}

impl Dialect for Osx {
    type Caller = ();

    fn open(&self, request: &Request<'_>) -> Result<Call<()>, Fault> {
        let mut parameters = Parameters::default();
        form::read(request.query.as_bytes(), &mut parameters).ok_or(MALFORMED)?;
        self.check(request.path, &parameters)?;
        Ok(Call {
            method: Some(request.path.to_owned()),
            caller: (),
            parameters,
        })
    }

    fn seal(&self, outcome: Result<Reply, CallError>) -> Sealed {
        match outcome {
            Ok(Reply { data, message }) => Sealed {
                status: 200,
                code: 200,
                body: format!(r#"{{"code":200,"msg":"{message}","data":{data}}}"#),
            },
            Err(CallError::Fault(fault)) => Sealed {
                status: 200,
                code: fault.code,
                body: error(200, &fault.message),
            },
            Err(CallError::Busy) => Sealed {
                status: 503,
                code: 503,
                body: error(503, "系统繁忙"),
            },
            Err(CallError::Internal) => Sealed {
                status: 500,
                code: 500,
                body: error(500, "系统错误"),
            },
        }
    }

    fn no_method(&self, _named: Option<&str>) -> Fault {
        NO_METHOD
    }

    fn too_large(&self) -> Sealed {
        Sealed {
            status: 413,
            code: 413,
            body: error(413, "请求体过大"),
        }
    }

    fn unreadable(&self) -> Sealed {
        Sealed {
            status: 400,
            code: 400,
            body: error(400, &MALFORMED.message),
        }
    }
}

impl Refusals for Osx {
    fn absent(&self, name: &str) -> Fault {
        bad("缺少参数", name)
    }

    fn wrong(&self, name: &str) -> Fault {
        bad("参数格式不对:", name)
    }

    fn too_long(&self, name: &str) -> Fault {
        bad("参数长度不合法:", name)
    }
}

fn error(code: i64, text: &str) -> String {
    format!(
        r#"{{"code":{code},"msg":"error","data":{}}}"#,
        Value::from(text)
    )
}

/// Adds the methods.
///
/// # Errors
/// A name that is taken.
pub fn register(
    registry: &mut Registry<()>,
    community: &Arc<Community>,
) -> Result<(), DuplicateName> {
    registry.add(notify::UserActionNotify(community.clone()))?;
    registry.add(user_info::GetUserInfo(community.clone()))
}
