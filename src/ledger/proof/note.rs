//! Signed notes with Ed25519 (C2SP signed-note): a text, and who signed it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// The byte of Ed25519 before a key.
const ED25519_TYPE: u8 = 1;
/// What a line of a signature begins with.
const SIGNATURE: &str = "\u{2014} ";
/// What the text of a signing key begins with, as Go's package note writes it.
const PRIVATE: &str = "PRIVATE+KEY+";
/// The most bytes of a note.
const MOST_BYTES: usize = 64 << 10;
/// The most signatures under a note.
const MOST_SIGNATURES: usize = 16;

/// A public key with the name of its owner. Written as `NAME+ID+KEY`, the form that tools for notes read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

/// A key that signs notes. `Debug` shows only its public half.
pub struct SigningKey {
    verifier: VerifierKey,
    pair: Ed25519KeyPair,
}

/// A text with signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed; its last line ends with a line feed.
    pub text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: [u8; 64],
}

/// Why a note does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has another form.
    #[error("this is not a signed note")]
    Malformed,
    /// Nobody whom the reader knows has signed it.
    #[error("no known key has signed this note")]
    UnknownKey,
    /// A signature is not one of its key over this text.
    #[error("the signature does not fit the note")]
    BadSignature,
}

impl VerifierKey {
    /// `None` if the name is empty or holds white space or `+`.
    fn new(name: &str, public: [u8; 32]) -> Option<VerifierKey> {
        is_name(name).then(|| VerifierKey {
            name: name.to_owned(),
            id: key_id(name, &public),
            public,
        })
    }

    /// Reads `NAME+ID+KEY`. `None` if it has another form or another key's id.
    pub fn parse(text: &str) -> Option<VerifierKey> {
        let (name, rest) = text.split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let bytes = STANDARD.decode(key).ok()?;
        let (ED25519_TYPE, public) = split_type(&bytes)? else {
            return None;
        };
        let verifier = VerifierKey::new(name, public)?;
        (hex::encode(verifier.id) == id).then_some(verifier)
    }

    /// The name of the owner, which is that of the log.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE], self.public.as_slice()].concat();
        let (id, key) = (hex::encode(self.id), STANDARD.encode(key));
        write!(out, "{}+{id}+{key}", self.name)
    }
}

impl SigningKey {
    /// The key of 32 random bytes, and its text for a file. `None` if the name is empty or holds white space or `+`.
    pub fn generate(name: &str, seed: &[u8; 32]) -> Option<(SigningKey, String)> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        let verifier = VerifierKey::new(name, public)?;
        let private = STANDARD.encode([&[ED25519_TYPE], seed.as_slice()].concat());
        let text = format!("{PRIVATE}{name}+{}+{private}", hex::encode(verifier.id));
        Some((SigningKey { verifier, pair }, text))
    }

    /// Reads the text of a key. `None` if it has another form or another key's id.
    pub fn parse(text: &str) -> Option<SigningKey> {
        let rest = text.strip_prefix(PRIVATE)?;
        let (name, rest) = rest.split_once('+')?;
        let (id, private) = rest.split_once('+')?;
        let bytes = STANDARD.decode(private).ok()?;
        let (ED25519_TYPE, seed) = split_type(&bytes)? else {
            return None;
        };
        let (key, _) = SigningKey::generate(name, &seed)?;
        (hex::encode(key.verifier.id) == id).then_some(key)
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &str) -> Option<NoteSignature> {
        Some(NoteSignature {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            bytes: self.pair.sign(text.as_bytes()).as_ref().try_into().ok()?,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.verifier)
    }
}

impl Note {
    /// Signs a text with each of these keys. `None` if it does not end with a line feed, holds another control character, or is
    /// too long.
    pub fn sign(text: &str, keys: &[&SigningKey]) -> Option<Note> {
        let signatures: Option<Vec<_>> = keys.iter().map(|key| key.sign(text)).collect();
        let note = Note {
            text: text.to_owned(),
            signatures: signatures?,
        };
        (Note::parse(&note.to_string()).as_ref() == Ok(&note)).then_some(note)
    }

    /// Reads a note, whatever keys have signed it.
    ///
    /// # Errors
    /// Returns [`NoteError::Malformed`] if the text has another form.
    pub fn parse(note: &str) -> Result<Note, NoteError> {
        let plain = |c: char| c == '\n' || !c.is_ascii_control();
        if note.len() > MOST_BYTES || !note.chars().all(plain) {
            return Err(NoteError::Malformed);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures: Option<Vec<_>> = lines.split('\n').map(NoteSignature::parse).collect();
        let signatures = signatures.ok_or(NoteError::Malformed)?;
        if text == "\n" || signatures.len() > MOST_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        Ok(Note {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Whether one of these keys has signed the text at least. Signatures of others do not count.
    ///
    /// # Errors
    /// Returns [`NoteError`] if none has, or if one of their signatures is wrong.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<(), NoteError> {
        let mut known = false;
        for signature in &self.signatures {
            let by = |key: &&VerifierKey| key.name == signature.name && key.id == signature.id;
            for key in keys.iter().filter(by) {
                let key = UnparsedPublicKey::new(&ED25519, key.public);
                key.verify(self.text.as_bytes(), &signature.bytes)
                    .map_err(|_| NoteError::BadSignature)?;
                known = true;
            }
        }
        known.then_some(()).ok_or(NoteError::UnknownKey)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.text)?;
        writeln!(out)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            let signature = STANDARD.encode([id.as_slice(), bytes].concat());
            writeln!(out, "{SIGNATURE}{name} {signature}")?;
        }
        Ok(())
    }
}

impl NoteSignature {
    /// Reads a line `— NAME BASE64`.
    fn parse(line: &str) -> Option<NoteSignature> {
        let (name, signature) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        is_name(name).then_some(NoteSignature {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.try_into().ok()?,
        })
    }
}

/// Whether a key may have this name.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// The first four bytes of the SHA-256 of the name, a line feed, and the key after its type.
fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update(b"\n");
    let hash: [u8; 32] = hash
        .chain_update([ED25519_TYPE])
        .chain_update(public)
        .finalize()
        .into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A key of 32 bytes after the byte of its type.
fn split_type(bytes: &[u8]) -> Option<(u8, [u8; 32])> {
    let (kind, key) = bytes.split_first()?;
    Some((*kind, key.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From the documentation of golang.org/x/mod/sumdb/note.
    const SIGNER: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key(name: &str, seed: u8) -> SigningKey {
        SigningKey::generate(name, &[seed; 32]).unwrap().0
    }

    #[test]
    fn the_published_example_is_signed_and_verified() {
        let signer = SigningKey::parse(SIGNER).unwrap();
        let verifier = VerifierKey::parse(VERIFIER).unwrap();
        assert_eq!(*signer.verifier(), verifier);
        assert_eq!(verifier.to_string(), VERIFIER);
        assert_eq!(Note::sign(TEXT, &[&signer]).unwrap().to_string(), NOTE);
        let note = Note::parse(NOTE).unwrap();
        assert_eq!(
            (note.text.as_str(), note.verify(&[verifier])),
            (TEXT, Ok(()))
        );
    }

    #[test]
    fn a_key_is_read_back_and_shows_no_secret() {
        let (key, text) = SigningKey::generate("example.com/log", &[7; 32]).unwrap();
        let read = SigningKey::parse(&text).unwrap();
        assert_eq!(read.verifier(), key.verifier());
        let secret = STANDARD.encode([[1].as_slice(), &[7; 32]].concat());
        assert!(text.contains(&secret));
        let shown = format!("{key:?} {}", key.verifier());
        assert!(
            !shown.contains(&secret) && shown.contains("example.com/log"),
            "{shown}"
        );
        for name in ["", "a b", "a+b", "a\n", "a\u{3000}b"] {
            assert!(SigningKey::generate(name, &[7; 32]).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_key_of_another_form_is_refused() {
        for text in [
            "",
            "PeterNeumann",
            &VERIFIER.replace("c74f20a3", "c74f20a4"),
            &VERIFIER.replace("c74f20a3", "C74F20A3"),
            &VERIFIER.replace("+ARpc", "+AhPc"),
            &VERIFIER.replace("Peter", "Pet"),
            &VERIFIER.replace("10TW", "10T="),
            &format!("{VERIFIER}\n"),
        ] {
            assert!(VerifierKey::parse(text).is_none(), "{text}");
            let private = SIGNER.replace("PRIVATE", "private");
            assert!(SigningKey::parse(text).is_none() && SigningKey::parse(&private).is_none());
        }
        assert!(SigningKey::parse(&SIGNER.replace("c74f20a3", "c74f20a4")).is_none());
        assert!(SigningKey::parse(&SIGNER.replace("HKDFz", "HKDF")).is_none());
    }

    #[test]
    fn only_known_keys_count_and_each_must_be_right() {
        let (old, new, other) = (key("log", 1), key("log", 2), key("else", 1));
        let known = |keys: &[&SigningKey]| -> Vec<VerifierKey> {
            keys.iter().map(|key| key.verifier().clone()).collect()
        };
        let both = Note::sign(TEXT, &[&old, &new]).unwrap();
        let both = Note::parse(&both.to_string()).unwrap();
        for keys in [vec![&old], vec![&new], vec![&old, &new], vec![&other, &old]] {
            assert_eq!(both.verify(&known(&keys)), Ok(()));
        }
        assert_eq!(both.verify(&known(&[&other])), Err(NoteError::UnknownKey));
        assert_eq!(both.verify(&[]), Err(NoteError::UnknownKey));
        let mut forged = both.clone();
        forged.signatures[1].bytes = forged.signatures[0].bytes;
        assert_eq!(forged.verify(&known(&[&old])), Ok(()));
        assert_eq!(
            forged.verify(&known(&[&old, &new])),
            Err(NoteError::BadSignature)
        );
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let many = format!("{TEXT}\n{}", "— a x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n".repeat(17));
        let long = NOTE.replace("problem", &"p".repeat(MOST_BYTES));
        for note in [
            "",
            TEXT,
            "\n\n— a AAAA\n",
            NOTE.trim_end(),
            &NOTE.replace("\n\n", "\n"),
            &NOTE.replace("— ", "- "),
            &NOTE.replace("AM=\n", "AM\n"),
            &NOTE.replace("AM=\n", "AN=\n"),
            &NOTE.replace("then", "\tthen"),
            &NOTE.replace("then", "\rthen"),
            &format!("{NOTE}\n"),
            &format!("{NOTE}more\n"),
            &many,
            &long,
        ] {
            assert_eq!(Note::parse(note), Err(NoteError::Malformed), "{note:.200}");
        }
        for text in ["", "\n", "a", "a\tb\n"] {
            let signed = Note::sign(text, &[&key("log", 1)]);
            assert!(signed.is_none(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_changed_byte_is_refused(at in 0..NOTE.len(), flip in 1..=255_u8) {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] ^= flip;
            let known = [VerifierKey::parse(VERIFIER).unwrap()];
            let read = String::from_utf8(bytes).ok();
            let verified = read.and_then(|text| Note::parse(&text).ok()).map(|note| note.verify(&known));
            prop_assert!(verified != Some(Ok(())));
        }

        #[test]
        fn what_is_signed_is_read(text in "[a-z0-9+/ 字\n]{0,60}", seeds in proptest::collection::vec(any::<u8>(), 1..4)) {
            let keys: Vec<SigningKey> = seeds.iter().map(|seed| key("log", *seed)).collect();
            let keys: Vec<&SigningKey> = keys.iter().collect();
            let known: Vec<VerifierKey> = keys.iter().map(|key| key.verifier().clone()).collect();
            if let Some(note) = Note::sign(&text, &keys) {
                prop_assert_eq!(&note.text, &text);
                prop_assert_eq!(Note::parse(&note.to_string()).unwrap().verify(&known), Ok(()));
            }
        }
    }
}
