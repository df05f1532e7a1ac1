#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reads a twin's journal as docs/JOURNAL.md describes it, with Python 3.11 alone: the records need no other program.

    python3 read_journal.py DATA [--numbers FILE] [--check]

Each record becomes a line of JSON, with the names of journal-numbers.txt (the one beside this file, or FILE); what has
no name there keeps its number. A field that has its default is neither in the journal nor in the output. `because` is
the number of a record or the name of a request. Damaged groups are always noticed; --check looks at all the rest, and
its last line is "whole: N records, hash ...". Exit 0: whole; 1: stderr says what is wrong and where. It only reads, so
it may run beside a twin. Where the package blake3 is installed, --check is much faster than 5000 records a second.
"""
import argparse
import json
import os
import re
import struct
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

try:
    import blake3 as package
except ImportError:
    package = None

SECTOR, TAIL = 512, bytes.fromhex("5CA55AC5")
SEGMENT = struct.Struct("<8sHIQ32sqQH")  # up to the site's id
GROUP = struct.Struct("<4sIQIIIII32s32sqI")
ANCHOR = struct.Struct("<4sIQQ32sqIQI")
BY = {1: "person", 2: "API key", 3: "device", 4: "carrier"}

# BLAKE3, regular hashing, 32 bytes.
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
SHUFFLE = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
LANES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
         (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def compress(chaining, block, counter, flags):
    words = struct.unpack("<16I", block.ljust(64, b"\0"))
    v = [*chaining, *IV[:4], counter & 0xFFFFFFFF, counter >> 32, len(block), flags]
    for _ in range(7):
        for i, (a, b, c, d) in enumerate(LANES):
            for word, turn_d, turn_b in ((words[2 * i], 16, 12), (words[2 * i + 1], 8, 7)):
                v[a] = v[a] + v[b] + word & 0xFFFFFFFF
                x = v[d] ^ v[a]
                v[d] = (x >> turn_d | x << 32 - turn_d) & 0xFFFFFFFF
                v[c] = v[c] + v[d] & 0xFFFFFFFF
                x = v[b] ^ v[c]
                v[b] = (x >> turn_b | x << 32 - turn_b) & 0xFFFFFFFF
        words = [words[i] for i in SHUFFLE]
    return [v[i] ^ v[i + 8] for i in range(8)]


def last_step(data, chunk):
    """What the last compression over `data`, which begins with that chunk, is given; at the root a flag is added."""
    if len(data) > 1024:
        left = 1024 << ((len(data) - 1) // 1024).bit_length() - 1
        halves = last_step(data[:left], chunk), last_step(data[left:], chunk + left // 1024)
        return IV, b"".join(struct.pack("<8I", *compress(*half)) for half in halves), 0, PARENT
    chaining, flags = IV, CHUNK_START
    while len(data) > 64:
        chaining, data, flags = compress(chaining, data[:64], chunk, flags), data[64:], 0
    return chaining, data, chunk, flags | CHUNK_END


def blake3(data):
    if package:
        return package.blake3(data).digest()
    chaining, block, chunk, flags = last_step(data, 0)
    return struct.pack("<8I", *compress(chaining, block, chunk, flags | ROOT))


def require(holds, what):
    if not holds:
        raise ValueError(what)


def cbor(data, at):
    """The value at `at`, and where it ends."""
    require(at < len(data), "the bytes end within a value")
    major, n, at = data[at] >> 5, data[at] & 31, at + 1
    require(n < 28 and major != 6 and (major != 7 or n in (20, 21, 22)), "a kind of CBOR that a journal does not have")
    if n > 23:
        end = at + (1 << n - 24)
        n, at = int.from_bytes(data[at:end], "big"), end
    if major in (2, 3):
        require(at + n <= len(data), "a text is longer than what holds it")
        content, at = data[at:at + n], at + n
        return (content if major == 2 else content.decode()), at
    if major in (4, 5):
        items = []
        for _ in range(n * (major - 3)):
            item, at = cbor(data, at)
            items.append(item)
        return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at
    return (n if major == 0 else -1 - n if major == 1 else {20: False, 21: True, 22: None}[n]), at


def moment(micros):
    return (datetime(1970, 1, 1) + timedelta(microseconds=micros)).isoformat(timespec="microseconds") + "Z"


def decimal(scale, mantissa):
    mantissa = mantissa if isinstance(mantissa, int) else int.from_bytes(mantissa, "big", signed=True)
    digits = str(abs(mantissa)).rjust(scale + 1, "0")
    return "-" * (mantissa < 0) + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)


class Names:
    """The lines `type number Variant`, `type number field: Type` and `type number.number Variant.field: Type`."""

    def __init__(self, text):
        self.types = {}
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                kind, number, meaning = line.split(None, 2)
                name, _, of = meaning.removeprefix("retired ").partition(":")
                self.types.setdefault(kind, {})[number] = (name.rpartition(".")[2].strip(), of.strip())

    def fields(self, kind, prefix, fields):
        known = self.types.get(kind, {})
        named = ((*known.get(f"{prefix}{number}", (str(number), "")), value) for number, value in fields.items())
        return {name: self.value(value, of) for name, of, value in named}

    def variant(self, kind, number, fields):
        return self.types.get(kind, {}).get(str(number), (number,))[0], self.fields(kind, f"{number}.", fields)

    def value(self, value, of):
        """As JSON; `of` is its type as it stands in the list, empty where it is not known."""
        if value is None or isinstance(value, (str, bool)):
            return value
        if isinstance(value, bytes):
            return value.hex()
        if outer := re.fullmatch(r"(?:Option|Box)<(.*)>", of):
            return self.value(value, outer[1])
        if outer := re.fullmatch(r"\(([^,]*),(.*)\)", of):
            return [self.value(item, part.strip()) for item, part in zip(value, outer.groups())]
        if of == "Moment":
            return moment(value)
        if of in ("Decimal", "Money"):
            return " ".join([decimal(*value[:2]), *value[2:]])
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", of).lower()
        if kind in self.types and not isinstance(value, dict):
            name, fields = self.variant(kind, *(value if isinstance(value, list) else (value, {})))
            return {name: fields} if fields else name
        if isinstance(value, list):
            return [self.value(item, of.removeprefix("Vec<").removesuffix(">")) for item in value]
        return self.fields(kind, "", value) if isinstance(value, dict) else value

    def record(self, seq, site, record):
        require(record.get(5, 1) == 1, f"schema version {record.get(5)} of an event, this reader knows 1")
        kind = self.types.get("kind", {}).get(str(record[1]), (record[1],))[0]
        event, fields = self.variant(kind, record[4], record.get(6, {}))
        by, because = record.get(7), record.get(8)
        line = {"seq": seq, "site": site, "at": moment(record[0]), "kind": kind, "id": record[2], "version": record[3],
                "event": event, "fields": fields, "by": {BY.get(by[0], str(by[0])): by[1]} if by else "house",
                "because": seq - because if isinstance(because, int) else because}
        return line | ({"decided": moment(record[0] - record[9])} if record.get(9) else {})


class Group:
    """What stands at `at`; `whole` says whether it is a group (or a seal) that is written to its end."""

    def __init__(self, data, at):
        head = data[at:at + GROUP.size].ljust(GROUP.size, b"\0")
        (magic, length, self.first, self.count, self.record_bytes, self.documents, self.zero_sectors, body_crc,
         self.before, self.after, self.time, head_crc) = GROUP.unpack(head)
        self.is_seal, self.at, self.body_at = magic == b"PTsl", at, at + GROUP.size
        self.has_head = magic in (b"PTgr", b"PTsl") and crc32(head[:-4]) == head_crc
        self.end = self.body_at + (length + len(TAIL) if self.has_head else 0)
        self.body, tail = data[self.body_at:self.end - len(TAIL)], data[self.end - len(TAIL):self.end]
        self.whole = self.has_head and crc32(self.body) == body_crc and tail == TAIL

    def zeros(self, data):
        """How many of the file's sectors within body and tail are zeros."""
        sectors = range(-(-self.body_at // SECTOR) * SECTOR, self.end - SECTOR + 1, SECTOR)
        return sum(not any(data[start:start + SECTOR]) for start in sectors)

    def not_written_to_its_end(self, data):
        start, end = (self.end - len(TAIL), self.end) if self.has_head else (self.at, self.body_at)
        border = max(start, (end - 1) // SECTOR * SECTOR)  # the tail, or a head that is broken, can lie in two sectors
        return (not any(data[border:end]) or start < border and not any(data[start:border])
                or not any(data[self.body_at:]) or self.has_head and self.zeros(data) > self.zero_sectors)


class Journal:
    """Reads from the first segment to the end; `segment` and `at` say where it is."""

    def __init__(self, folder, names, check):
        self.folder, self.names, self.check = folder, names, check
        self.segment, self.at, self.length, self.site = 1, 0, 0, None
        self.records, self.hash, self.time, self.met = 0, b"", 0, False
        path = folder / "anchor"  # read before the segments, which may grow meanwhile
        slots = path.read_bytes().ljust(2 * SECTOR, b"\0") if path.exists() else b""
        slots = [ANCHOR.unpack(slot) for slot in (slots[:ANCHOR.size], slots[SECTOR:][:ANCHOR.size])
                 if slot[:8] == b"PTan\1\0\0\0" and crc32(slot[:-4]) == int.from_bytes(slot[-4:], "little")]
        self.anchor = max(slots, key=lambda slot: slot[2], default=None)

    def read(self):
        paths = sorted(self.folder.glob("*.seg")) or [self.folder / "00000001.seg"]
        for self.segment, path in enumerate(paths, 1):
            self.at, sealed, data = 0, False, path.read_bytes()
            require(path.name == f"{self.segment:08}.seg", "the segment is missing")
            self.read_head(data)
            while not sealed and (group := Group(data, self.at)).whole:
                self.read_group(group, data)
                self.step_to(group.end)
                sealed = group.is_seal
            if path == paths[-1]:
                return self.read_end(data, sealed)
            require(sealed and self.at == len(data), "broken, and more comes behind it: damage")
            self.length = len(data)

    def step_to(self, at):
        self.at = at
        if self.check and self.anchor and (self.segment, at) == self.anchor[6:8]:
            self.met = self.anchor[3:6] == (self.records, self.hash, self.time)
            require(self.met, "what the anchor says of this place is something else")

    def read_head(self, data):
        magic, form, number, records, before, time, length, site_length = SEGMENT.unpack_from(data)
        whole = magic == b"PTJOURNL" and crc32(data[:SECTOR - 4]) == int.from_bytes(data[SECTOR - 4:SECTOR], "little")
        require(whole, "the head of the segment is not whole")
        require(form == 1, f"form {form}, this reader knows 1")
        site = data[SEGMENT.size:SEGMENT.size + site_length].decode()
        if self.segment == 1:
            self.site, self.hash = site, blake3(b"parceltwin journal of " + site.encode())
        is_so = self.segment, self.site, self.records, self.hash, self.time, self.length
        require(not self.check or (number, site, records, before, time, length) == is_so, "the head does not follow")
        self.step_to(SECTOR)

    def read_group(self, group, data):
        require(not self.check or (group.first, group.before) == (self.records + 1, self.hash), "it does not follow")
        at, body, self.records = 0, group.body, group.first - 1
        while at < group.record_bytes:
            self.at = group.body_at + at
            content, at = cbor(body, at)
            record, end = cbor(content, 0)
            require(end == len(content), "something stands behind the record")
            self.records += 1
            if self.check:
                require(record[0] >= self.time or self.records == 1, "the time goes back")
                self.time, self.hash = record[0], blake3(self.hash + content)
            print(json.dumps(self.names.record(self.records, self.site, record), ensure_ascii=False))
        found = [self.records + 1 - group.first, at, 0]
        while at < len(body):
            self.at, start = group.body_at + at, at + 36
            at = start + int.from_bytes(body[start - 4:start], "little")
            require(not self.check or blake3(body[start:at]) == body[start - 36:start - 4], "a document is another")
            found[2] += 1
        self.at, said = group.at, [group.count, group.record_bytes, group.documents]
        require(found == said, "records, their bytes or documents are more or fewer than the head says")
        if self.check:
            require(group.after == self.hash, "the chain does not come to the hash after the group")
            require(group.time == self.time, "the time is not that of the newest record")
            require(group.zeros(data) == group.zero_sectors, "the number of zero sectors is another one")

    def read_end(self, data, sealed):
        place, rest, group = (self.segment, self.at), data[self.at:], Group(data, self.at)
        durable = self.anchor[6:8] if self.anchor else (0, 0)
        require(place >= durable, "the journal ends before its anchor: damage")
        require(rest or sealed or place == durable, "the file ends with its content: it was cut off")
        if any(rest):
            require(not sealed, "something stands behind the seal")
            require(group.end <= len(data), "the file ends within the last group: it was cut off")
            for found in re.compile(b"PTgr|PTsl").finditer(data, group.end if group.has_head else self.at + 1):
                require(not Group(data, found.start()).whole, f"broken, and {found.start()} is whole again: damage")
            require(group.not_written_to_its_end(data), "broken, but all of it was written: it may have been durable")
            print("segment {}, offset {}: not written to its end, and left out".format(*place), file=sys.stderr)
        require(self.met or not self.check or not self.anchor, "no group ends where the anchor is")
        if not self.anchor:
            print("no anchor can be read: if the end were missing, it would not show", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--numbers", type=Path, metavar="FILE", default=Path(__file__).with_name("journal-numbers.txt"))
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    numbers = args.numbers.read_text(encoding="utf-8") if args.numbers.exists() else ""
    journal = Journal(args.data / "journal", Names(numbers), args.check)
    try:
        journal.read()
    except BrokenPipeError:
        os._exit(1)
    except (ArithmeticError, LookupError, OSError, RecursionError, TypeError, ValueError, struct.error) as error:
        sys.exit(f"segment {journal.segment}, offset {journal.at}: {error}")
    if args.check:
        print(f"whole: {journal.records} records, hash {journal.hash.hex()}")


if __name__ == "__main__":
    main()
