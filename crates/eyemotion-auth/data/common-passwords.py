"""Makes common-passwords.bin: which passwords everybody tries first.

Usage: python3 common-passwords.py DJANGO_WHEEL ZXCVBN_TS_TARBALL > common-passwords.bin

The sources are named with their versions and licences in the crate's README. Of every password that the policy
would take (8 characters and more, lower-cased, NFC), the file holds the first four bytes of its SHA-256, sorted,
each once. Of a million random passwords, some five are refused by mistake.
"""

import gzip
import hashlib
import json
import sys
import tarfile
import unicodedata
import zipfile


def django(path):
    with zipfile.ZipFile(path) as wheel:
        packed = wheel.read("django/contrib/auth/common-passwords.txt.gz")
    return gzip.decompress(packed).decode().splitlines()


def zxcvbn_ts(path):
    with tarfile.open(path) as package:
        return json.load(package.extractfile("package/src/passwords.json"))


def fingerprint(password):
    return hashlib.sha256(password.encode()).digest()[:4]


words = django(sys.argv[1]) + zxcvbn_ts(sys.argv[2])
folded = (unicodedata.normalize("NFC", word.strip().lower()) for word in words)
sys.stdout.buffer.write(b"".join(sorted({fingerprint(word) for word in folded if len(word) >= 8})))
