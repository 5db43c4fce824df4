#!/usr/bin/env python3
"""Says whether a statement is true to a checkpoint: verify.py KEY STATEMENT [CHECKPOINT]. Written from docs/proofs.md alone.

KEY is the public key of the ledger, NAME+ID+KEY. CHECKPOINT is one that was published; without it, the one in the statement counts.
Needs Python 3.9 and the package cryptography."""
import base64, hashlib, hmac, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ZEROS = bytes(32)
RECORD = "at audit before day journal_head journal_number key next_key number program root totals version".split()
ENTRY = {
    1: "amount asset at balance_after contra direction_seq hash idempotency_key message operator owner reason reference seq version".split(),
    2: "amount asset at balance_after contra direction_seq fingerprint hash idempotency_balance idempotency_key lots message operator order_key "
       "origin owner reason recorded_at reference request_id seq version".split(),
}


class Refused(Exception):
    pass


def check(good, why):
    if not good:
        raise Refused(why)


def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()


def number(value):
    check(type(value) is int and -2**63 <= value < 2**63, "a number is none")
    return value.to_bytes(8, "big", signed=True)


def text(value):
    if value is None:
        return b"\xff" * 8
    check(type(value) is str, "a text is none")
    return len(value.encode()).to_bytes(8, "big") + value.encode()


def decimal(value):
    check(value is None or type(value) is int, "a number is none")
    return None if value is None else str(value)


def unhex(value, size=32):
    check(type(value) is str and len(value) == 2 * size and set(value) <= set("0123456789abcdef"), "a hash is none")
    return bytes.fromhex(value)


def unbase64(value):
    data = base64.b64decode(value, validate=True)
    check(base64.b64encode(data).decode() == value, "another spelling of Base64")
    return data


def canonical(line, fields):
    value = json.loads(line)
    check(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) == line, "a line is not canonical JSON")
    check(value is None or (type(value) is dict and sorted(value) == sorted(fields)), "a line has other fields")
    return value


def open_note(note, key):
    name, key_id, public = key.split("+", 2)
    public = unbase64(public)
    check(public[:1] == b"\x01" and sha(name.encode(), b"\n", public)[:4].hex() == key_id, "the key is none")
    body, signatures = note[: note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:]
    check(signatures.endswith("\n"), "the note is cut off")
    known = 0
    for line in signatures[:-1].split("\n"):
        dash, who, signature = line.split(" ")
        signature = unbase64(signature)
        check(dash == "\u2014" and len(signature) == 68, "a signature is none")
        if who == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature[4:], body.encode())
            known += 1
    check(known, "the key has not signed the note")
    log, size, root, end = body.split("\n")
    check(log == name and end == "" and str(int(size)) == size, "the note is no checkpoint of this log")
    return body, int(size), unbase64(root)


def included(leaf, index, size, path, root):
    check(0 <= index < size, "the log has no such record")
    last, found = size - 1, leaf
    for beside in path:
        check(last > 0, "a path of the log is too long")
        if index & 1 or index == last:
            found = sha(b"\x01", beside, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = sha(b"\x01", found, beside)
        index, last = index >> 1, last >> 1
    check(last == 0 and found == root, "the record is not in the log")


def bit(key, depth): return key[depth // 8] >> (7 - depth % 8) & 1


def open_seal(seal, key, size, log_root):
    """The record of a seal, and the state of the account in it: seq, balance, head, lots."""
    record = canonical(seal["record"], RECORD)
    check(record["audit"] == "passed" and record["version"] == 1, "the record is of another kind")
    included(sha(b"\x00", seal["record"].encode()), record["number"] - 1, size, [unhex(it) for it in seal["log"]], log_root)
    state, end, path = seal["state"], seal["end"], [unhex(it) for it in seal["tree"]]
    check(len(path) <= 256, "a path of the tree is too long")
    found, end_key = ZEROS, None
    if end is not None:
        check(sorted(end) == ["key", "value"], "a leaf has other fields")
        end_key = unhex(end["key"])
        check(all(bit(end_key, at) == bit(key, at) for at in range(len(path))), "a leaf is at another's place")
        found = sha(b"\x00", end_key, unhex(end["value"]))
    for depth in reversed(range(len(path))):
        found = sha(b"\x01", path[depth], found) if bit(key, depth) else sha(b"\x01", found, path[depth])
    check(found == unhex(record["root"]), "a path does not lead to the root")
    check((end_key == key) == (state is not None), "the account is there, or not, against what is said")
    if state is None:
        return record, (0, 0, ZEROS, "")
    check(sorted(state) == ["balance", "head", "lots", "salt", "seq"], "a state has other fields")
    head, lots = unhex(state["head"]), state["lots"]
    hashed = sha(b"pointgate state 1", number(state["seq"]), number(state["balance"]), head, sha(lots.encode()))
    check(sha(unhex(state["salt"]), hashed) == unhex(end["value"]), "a state is not the one that was sealed")
    return record, (state["seq"], state["balance"], head, lots)


def entry_hash(it, head):
    v2 = it["version"] == 2
    numbers = ["seq", "at", "recorded_at", "reason", "amount", "balance_after", "direction_seq"]
    texts = [it["asset"], it["owner"], it["contra"], it["reference"], it["message"], decimal(it["operator"])]
    if v2:
        origin = it["origin"]
        check(type(origin) is dict and sorted(origin) == ["address_hash", "caller", "dialect", "key"], "an origin has other fields")
        digest = sha(b"pointgate origin 1", *(text(origin[name]) for name in ("dialect", "caller", "key", "address_hash")))
        texts += [it["request_id"], digest.hex(), it["lots"], it["order_key"]]
    texts.append(it["idempotency_key"])
    if v2:
        texts += [it["fingerprint"], decimal(it["idempotency_balance"])]
    numbers = [number(it[name]) for name in numbers if v2 or name != "recorded_at"]
    return sha(b"pointgate entry %d" % it["version"], head, *numbers, *map(text, texts))


def add_lots(lots, effect):
    for part in effect.split(",") if effect else []:
        expiry, points = map(int, part.split(":"))
        lots[expiry] = lots.get(expiry, 0) + points
        check(lots[expiry] >= 0, "a lot is below zero")


def verify(key, statement, published=None):
    """Returns lines that say what is proven; raises for anything that is not."""
    statement, published = statement.decode(), published and published.decode()
    check(statement.endswith("\n"), "the statement is cut off")
    first, opening, *entries, closing = statement[:-1].split("\n")
    head = canonical(first, ["asset", "checkpoint", "key", "owner", "version"])
    check(number(head["version"]) == number(1), "the statement is of another version")
    body, size, root = open_note(head["checkpoint"], key)
    check(published is None or open_note(published, key)[0] == body, "the statement is proven to another checkpoint")
    place = sha(b"pointgate account 1", text(head["asset"]), text(head["owner"]))
    check(unhex(head["key"]) == place, "the key is not that of the account")
    seal = ["end", "log", "record", "state", "tree"]
    opening, closing = canonical(opening, seal), canonical(closing, seal)
    said = [f"{head['asset']} of {head['owner']}, checkpoint {size} of {body.split()[0]}"]
    at = (0, 0, ZEROS, "")
    start, lots, old = 0, {}, False
    if opening is not None:
        record, at = open_seal(opening, place, size, root)
        start = record["number"]
        said.append(f"opening {at[1]}, seal {start} of {record['day']}")
    record, end = open_seal(closing, place, size, root)
    check(start <= record["number"], "the opening comes after the closing")
    seq, balance, chain, open_lots = at
    add_lots(lots, open_lots)
    for line in entries:
        version = json.loads(line)["version"]
        it = canonical(line, ENTRY[version if type(version) is int else None])
        seq, balance = seq + 1, balance + it["amount"]
        check((it["asset"], it["owner"]) == (head["asset"], head["owner"]), "an entry is of another account")
        check((it["seq"], it["balance_after"]) == (seq, balance), "an entry is missing or does not add up")
        chain = entry_hash(it, chain)
        check(unhex(it["hash"]) == chain, "an entry is not the one that was sealed")
        old = old or it["version"] == 1
        if it["version"] == 2 and not old:
            add_lots(lots, it["lots"])
        said.append(f"{it['seq']} at {it['at']}: {it['amount']:+} = {balance}, reason {it['reason']}, {it['contra']}")
    check((seq, balance, chain) == end[:3], "the entries do not end in the closing state")
    check(sum(int(it.split(":")[1]) for it in end[3].split(",") if it) == balance, "the lots do not sum to the balance")
    lots = ",".join(f"{expiry}:{points}" for expiry, points in sorted(lots.items()) if points)
    check(old or lots == end[3], "the lots are not what the entries make of them")
    said.append(f"closing {balance}, seal {record['number']} of {record['day']}, lots {end[3] or 'none'}")
    return said


def judge(key, statement, published=None):
    try:
        return True, verify(key, statement, published)
    except (Refused, InvalidSignature, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as why:
        return False, [str(why) or type(why).__name__]


if __name__ == "__main__":
    files = [open(name, "rb").read() for name in sys.argv[2:]]
    good, lines = judge(sys.argv[1], *files)
    print("\n".join(["TRUE" if good else "REFUSED", *lines]))
    sys.exit(not good)
