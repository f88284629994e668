"""Checks the answers of the drives against the types of Stripe's Python library, which speaks the same version
of the API as the fake: no field that the library does not know, none missing that it says is always there, no
value that its type does not allow.

usage: shapes.py ANSWERS...
"""

import importlib
import json
import re
import sys
import typing
from pathlib import Path

from stripe import StripeObject
from stripe._object_classes import OBJECT_CLASSES

# Told by the library as always there, but not by Stripe: the answers of its API have been seen without.
SELDOM = {"deleted", "last_response"}


def class_of(value):
    """The library's class for a document that tells its `object`."""
    name = value.get("object")
    if not isinstance(name, str) or name not in OBJECT_CLASSES:
        return None
    module, attribute = OBJECT_CLASSES[name]
    return getattr(importlib.import_module(module), attribute)


def fields_of(cls):
    fields = {}
    for base in reversed(cls.__mro__):
        if base is not StripeObject and issubclass(base, StripeObject):
            fields.update(getattr(base, "__annotations__", {}))
    return {
        name.rstrip("_"): hint
        for name, hint in fields.items()
        if not name.startswith("_") and typing.get_origin(hint) is not typing.ClassVar
    }


def optional(hint):
    return typing.get_origin(hint) is typing.Union and type(None) in typing.get_args(hint)


def wrong(value, hint, at):
    """What is wrong with a value, as one finding after another."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        findings = []
        for argument in arguments:
            found = list(wrong(value, argument, at))
            if not found:
                return
            if argument is not type(None):
                findings.append(found)
        # The one that went deepest.
        yield max(findings, key=lambda it: it[0].split(":")[0].count("."))[0]
    elif hint is type(None):
        if value is not None:
            yield f"{at}: {value!r} should be null"
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{at}: {value!r} is none of {arguments}"
    elif origin in (list, typing.List):
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no list"
            return
        for member in value:
            yield from wrong(member, arguments[0], f"{at}[]")
    elif hint in (int, str, bool, float):
        kinds = (int, float) if hint is float else hint
        if not isinstance(value, kinds) or (hint is not bool and isinstance(value, bool)):
            yield f"{at}: {value!r} is no {hint.__name__}"
    elif isinstance(hint, type) and issubclass(hint, StripeObject) and hint is not StripeObject:
        yield from of_document(value, hint, at)
    elif isinstance(value, dict):
        yield from of_document(value, class_of(value), at)
    elif isinstance(hint, typing.ForwardRef) or origin is not None:
        yield f"{at}: {value!r} is no object"


def of_document(value, cls, at):
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no object"
        return
    if value.get("object") == "list":
        for member in value["data"]:
            yield from of_document(member, class_of(member), f"{at}.data[]")
        return
    cls = class_of(value) or cls
    if cls is None or value.get("deleted"):
        return
    fields = fields_of(cls)
    if not fields:
        return
    for name in value.keys() - fields.keys():
        yield f"{at}.{name} is not a field of {cls.__qualname__}"
    for name, hint in fields.items():
        if name in value:
            yield from wrong(value[name], hint, f"{at}.{name}")
        elif not optional(hint) and name not in SELDOM:
            yield f"{at}.{name} is missing"
    if value.get("object") == "event":
        document = value["data"]["object"]
        yield from of_document(document, class_of(document), f"{at}.data.object({document['object']})")


def main():
    findings, documents = {}, 0
    for name in sys.argv[1:]:
        for answer in json.loads(Path(name).read_text()):
            if answer["status"] != 200:
                continue
            documents += 1
            body = answer["body"]
            for found in of_document(body, class_of(body), body.get("object", "answer")):
                findings.setdefault(re.sub(r"\d{3,}", "N", found), answer["path"])
    for found, path in sorted(findings.items()):
        print(f"{found}  ({path})")
    if findings:
        sys.exit(f"{len(findings)} differences from the library's types")
    if documents == 0:
        sys.exit("no answer was checked")
    print(f"{documents} answers are of the library's types")


main()
