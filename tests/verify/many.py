#!/usr/bin/env python3
"""Judges a folder of statements: many.py KEY FOLDER. Each is true to its checkpoint, and none is with one byte changed."""
import pathlib, random, sys
from verify import judge

CHANGES = 4


def changed(statement, rng):
    at = rng.randrange(len(statement))
    bits = rng.randrange(1, 256)
    return at, statement[:at] + bytes([statement[at] ^ bits]) + statement[at + 1:]


def main(key, folder):
    rng, failed, judged = random.Random(folder), 0, 0
    for file in sorted(pathlib.Path(folder).iterdir()):
        statement = file.read_bytes()
        good, why = judge(key, statement)
        if not good:
            failed += 1
            print(f"{file.name} is refused: {why}")
        for at, forged in [changed(statement, rng) for _ in range(CHANGES)]:
            if judge(key, forged)[0]:
                failed += 1
                print(f"{file.name} is accepted with byte {at} changed")
        if judge(key, statement[:-1])[0] or judge(key, statement + b"\n")[0]:
            failed += 1
            print(f"{file.name} is accepted with another end")
        judged += 1
    print(f"{judged} statements judged")
    return failed or not judged


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:])))
