//! A stand-in for Ping++, which signs events with a key that the test generates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointgate::ledger::book::transaction::AccountKey;
use rsa::pkcs8::EncodePublicKey;
use rsa::sha2::Sha256;
use rsa::{Generate, PrivateKey};
use serde_json::{Value, json};

use crate::test_gateway::{Answer, TestGateway, sealed};

/// A stand-in for Ping++: its private key, and a gateway with the public key.
pub struct Provider {
    pub key: PrivateKey,
    pub gateway: TestGateway,
}

pub fn setting(key: &PrivateKey) -> String {
    let pem = key.to_public_key().to_public_key_pem(Default::default());
    format!("[status]\npingpp_public_key = '''\n{}'''\n", pem.unwrap())
}

pub fn signature(key: &PrivateKey, body: &[u8]) -> String {
    STANDARD.encode(key.pkcs1v15_sign::<Sha256>(body).unwrap())
}

/// An event as in the provider's documentation, with the values of the protocol's example.
pub fn event() -> Value {
    json!({
        "id": "evt_9LGm1cFqqx6OrD5zD4rI6YuG", "created": 1458280536, "livemode": false, "type": "charge.succeeded",
        "data": {"object": {
            "id": "ch_yzLiP4fHiDiTeTyLCKOC8urD", "object": "charge", "created": 1458280534, "livemode": false,
            "paid": true, "refunded": false, "app": "app_f9yb50vPenXL5eXj", "channel": "wx",
            "order_no": "wx20180415095200T639136", "client_ip": "58.246.136.4", "amount": 100, "amount_settle": 1001,
            "currency": "cny", "subject": "薄荷科技", "body": "超模25营养饮", "extra": {}, "time_paid": 1458280536,
            "time_expire": 1458366934, "time_settle": null, "transaction_no": "2016031881679598",
            "amount_refunded": 0, "failure_code": null, "failure_msg": null, "metadata": {}, "credential": {},
            "description": null
        }},
        "object": "event", "pending_webhooks": 8, "request": "iar_Wvv1iDLGyzfPHuDyHGzLCmnT"
    })
}

/// The event of a live payment of 1 yuan by `a`, about the charge with this number.
pub fn charge(number: impl std::fmt::Display) -> Value {
    let mut event = event();
    event["id"] = format!("evt_ch_{number}").into();
    event["livemode"] = true.into();
    let object = &mut event["data"]["object"];
    object["id"] = format!("ch_{number}").into();
    object["livemode"] = true.into();
    object["metadata"] = json!({"user_key": "a"});
    event
}

/// The event of a refund of the charge with this number.
pub fn refund(number: impl std::fmt::Display) -> Value {
    json!({
        "id": format!("evt_re_{number}"), "created": 1458290536, "livemode": true, "type": "refund.succeeded",
        "data": {"object": {
            "id": format!("re_{number}"), "object": "refund", "order_no": format!("r_{number}"), "amount": 100,
            "created": 1458290530, "succeed": true, "status": "succeeded", "time_succeed": 1458290536,
            "description": "refund", "failure_code": null, "failure_msg": null, "metadata": {},
            "charge": format!("ch_{number}"), "charge_order_no": "wx20180415095200T639136"
        }},
        "object": "event", "pending_webhooks": 1, "request": "iar_1"
    })
}

impl Provider {
    pub async fn with(more: &str) -> Provider {
        let key = PrivateKey::generate();
        let gateway = TestGateway::with_config(&format!("{}{more}", setting(&key))).await;
        Provider { key, gateway }
    }

    pub async fn send(&self, body: &[u8], signature: Option<&str>) -> Answer {
        let url = self.gateway.url("/gateway?method=status.pay_notify");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .post(url)
            .header("content-type", "application/json; charset=UTF-8");
        if let Some(signature) = signature {
            request = request.header("X-Pingplusplus-Signature", signature);
        }
        let response = request.body(body.to_vec()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn notify(&self, event: &Value) -> Answer {
        // Other spellings of the same JSON: the signature covers the bytes as sent.
        let body = serde_json::to_string_pretty(event).unwrap();
        let signature = signature(&self.key, body.as_bytes());
        self.send(body.as_bytes(), Some(&signature)).await
    }

    /// The points that a member has of an asset.
    pub async fn balance(&self, user_key: &str, asset: &str) -> Option<i64> {
        let account = AccountKey {
            owner: format!("key:{user_key}"),
            asset: asset.to_owned(),
        };
        self.gateway.ledger().balance(account).await.unwrap()
    }

    pub async fn payments(&self) -> Vec<entity::payment::Model> {
        use sea_orm::EntityTrait as _;
        let db = sea_orm::Database::connect(self.gateway.database_url())
            .await
            .unwrap();
        entity::payment::Entity::find().all(&db).await.unwrap()
    }
}

pub fn paid() -> Answer {
    let data =
        r#"{"id":"ch_yzLiP4fHiDiTeTyLCKOC8urD","order_no":"wx20180415095200T639136","paid":true}"#;
    sealed(200, data, "ok")
}
