//! The lines of a statement with its proof.

use serde_json::{Value, json};

use crate::ledger::book::entry::Hash;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::proof::state::{AccountState, key_of};
use crate::ledger::proof::tree::TreeProof;

/// The version of the lines.
const VERSION: i64 = 1;

/// The first line: the account, and the checkpoint to which all of it is proven.
pub fn head_line(account: &AccountKey, checkpoint: &str) -> String {
    let head = json!({
        "asset": account.asset,
        "checkpoint": checkpoint,
        // Of an account that does not exist, nothing else would tell that a name was changed into that of another such account.
        "key": hex::encode(key_of(account)),
        "owner": account.owner,
        "version": VERSION,
    });
    head.to_string()
}

/// What one seal says of an account, with the proofs that it does.
#[derive(Clone, Debug)]
pub struct SealProof {
    /// The day record.
    pub record: String,
    /// The proof that the record is in the log of the checkpoint.
    pub log: Vec<Hash>,
    /// The path from the root in the record to the account's place.
    pub path: TreeProof,
    /// The state of the account and its salt; `None` if there is no account.
    pub state: Option<(AccountState, Hash)>,
}

impl SealProof {
    /// The line of a seal.
    pub fn line(&self) -> String {
        let hashes = |hashes: &[Hash]| -> Vec<String> { hashes.iter().map(hex::encode).collect() };
        let end = self.path.end.map(|leaf| {
            json!({
                "key": hex::encode(leaf.key),
                "value": hex::encode(leaf.value),
            })
        });
        let state = self.state.as_ref().map(|(state, salt)| {
            json!({
                "balance": state.balance,
                "head": hex::encode(state.head),
                "lots": state.lots,
                "salt": hex::encode(salt),
                "seq": state.seq,
            })
        });
        let whole: Value = json!({
            "end": end,
            "log": hashes(&self.log),
            "record": self.record,
            "state": state,
            "tree": hashes(&self.path.siblings),
        });
        whole.to_string()
    }
}
