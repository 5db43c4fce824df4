//! The open platform's dialect: a signed JSON envelope, by protocols.md part 2.

use std::collections::HashMap;
use std::sync::Arc;

use super::caller::Caller;
use super::envelope::{Envelope, read_params};
use super::partner::AuthorisedPartner;
use super::{MALFORMED, missing_parameter, reply};
use crate::config::{self, SignedFields};
use crate::gateway::dialect::{Answer, Call, Dialect, Request, RequestError};
use crate::gateway::fault::{CallError, Fault};
use crate::gateway::keys::KeyRegister;
use crate::gateway::params::ParameterFaults;
use crate::gateway::permissions::Refusal;
use crate::gateway::reply::Reply;
use crate::ledger::book::transaction::Nonce;
use crate::points::keys::KeySpace;
use crate::sign::same;

const UNKNOWN_ACTION: Fault = Fault::new(100404, "Action不存在");
const UNKNOWN_PARTNER: Fault = Fault::new(110001, "OpenId不存在");
const WRONG_GRANT: Fault = Fault::new(110002, "GrantCode不匹配");
const UNTIMELY: Fault = Fault::new(110003, "Timestamp不在有效时间内");
const FORGED: Fault = Fault::new(110004, "验签失败");
const FORBIDDEN: Fault = Fault::new(110006, "无权调用此Action");
const TOO_FREQUENT: Fault = Fault::new(110007, "请求过于频繁");

/// The largest body (bytes).
const MAX_BODY: usize = 256 << 10;

/// The dialect with its partners, by OpenId, and the tolerance of a Timestamp (ms).
pub struct OpenPlatform {
    partners: HashMap<String, Arc<AuthorisedPartner>>,
    window: i64,
}

impl OpenPlatform {
    /// Takes the partners of the configuration. The use of their secrets is recorded in `register`.
    pub fn new(config: &config::Openapi, register: &KeyRegister) -> OpenPlatform {
        let partner = |partner: &config::Partner| {
            let authorised = AuthorisedPartner::new(partner, register);
            (partner.open_id.clone(), Arc::new(authorised))
        };
        OpenPlatform {
            partners: config.partners.iter().map(partner).collect(),
            window: i64::try_from(config.window.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// Authenticates the partner of an envelope. Returns it with the name of the secret that signed, `current` or `previous`, and puts the
    /// parameters that the Token covers into the envelope.
    fn authenticate(
        &self,
        envelope: &mut Envelope,
        now: i64,
    ) -> Result<(&Arc<AuthorisedPartner>, &'static str), Fault> {
        let partner = self.partners.get(&envelope.open_id);
        let partner = partner.ok_or(UNKNOWN_PARTNER)?;
        if !same(partner.grant_code.reveal(), &envelope.grant_code) {
            return Err(WRONG_GRANT);
        }
        if now.abs_diff(envelope.at()) > self.window.unsigned_abs() {
            return Err(UNTIMELY);
        }
        let verify = |params: Option<&str>| {
            let signed = envelope.signed(params);
            partner.verify(&signed, &envelope.token, now)
        };
        if partner.sign == SignedFields::Envelope {
            return Ok((partner, verify(None).ok_or(FORGED)?));
        }
        let sent = envelope.sent_params();
        let (secret, params) = match verify(Some(&sent)) {
            Some(secret) => (secret, sent),
            None => {
                let sorted = envelope.sorted_params().ok_or(FORGED)?;
                (verify(Some(&sorted)).ok_or(FORGED)?, sorted)
            }
        };
        // The Action reads the text that the Token covers: two long numbers may be equal once they are written again.
        envelope.parameters = read_params(&params)?;
        Ok((partner, secret))
    }
}

impl Dialect for OpenPlatform {
    type Details = Caller;

    fn open<'a>(&self, request: &Request<'a>) -> Result<Call<'a, Caller>, Fault> {
        let mut envelope = Envelope::read(request.body)?;
        let (partner, secret) = self.authenticate(&mut envelope, request.now)?;
        let nonce = Nonce {
            at: envelope.at(),
            key: KeySpace::PartnerNonce.key(&[&partner.open_id, &envelope.nonce]),
            fingerprint: None,
        };
        Ok(Call {
            caller: partner.open_id.clone(),
            key: Some(secret),
            permissions: Some(partner.permissions.clone()),
            details: Caller {
                partner: partner.clone(),
                nonce,
            },
            method: Some(envelope.action),
            parameters: envelope.parameters,
        })
    }

    fn refused(&self, refusal: Refusal) -> Fault {
        match refusal {
            Refusal::Forbidden => FORBIDDEN,
            Refusal::TooFrequent => TOO_FREQUENT,
        }
    }

    fn max_body(&self, _query: &str) -> usize {
        MAX_BODY
    }

    fn seal(&self, outcome: Result<Reply, CallError>, _now: i64) -> Answer {
        reply::seal(outcome)
    }

    fn unknown_method(&self, _method: Option<&str>) -> Fault {
        UNKNOWN_ACTION
    }

    fn refuse_request(&self, error: RequestError) -> Answer {
        let code = match error {
            RequestError::Busy => return reply::seal(Err(CallError::Busy)),
            RequestError::Forwarded => FORBIDDEN.code,
            _ => MALFORMED.code,
        };
        reply::seal_fault(error.status(), &Fault::new(code, error.message()))
    }
}

impl ParameterFaults for OpenPlatform {
    fn absent(&self, name: &str) -> Fault {
        missing_parameter(name)
    }

    fn wrong(&self, _name: &str) -> Fault {
        MALFORMED
    }

    fn too_long(&self, _name: &str) -> Fault {
        MALFORMED
    }
}
