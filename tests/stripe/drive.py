"""Stripe's own Python library drives the fake through the life of a subscription.

usage: drive.py DIRECTORY, where the answers of the drive go as answers-python.json
"""

import json
import sys
import uuid
from pathlib import Path

import stripe

from fake import Fake

DAY = 86_400


def refused(code, call, *args, **params):
    try:
        call(*args, params=params) if params else call(*args)
    except stripe.StripeError as error:
        assert error.code == code, f"{error.code} is not {code}: {error}"
        return error
    raise AssertionError(f"{code} was expected")


def drive(fake):
    client = stripe.StripeClient(fake.key, base_addresses={"api": fake.url}, max_network_retries=0)
    v1 = client.v1

    customer = v1.customers.create(params={"email": "a@example.com", "metadata": {"user": "1"}})
    assert v1.customers.update(customer.id, params={"name": "Ananda"}).name == "Ananda"
    assert [it.id for it in v1.customers.list(params={"email": "a@example.com"}).data] == [customer.id]
    refused("resource_missing", v1.customers.retrieve, "cus_none")
    refused("parameter_unknown", v1.customers.create, colour="red")

    prices = {}
    for plan, amount in [("creator", 29_900), ("studio", 99_900)]:
        product = v1.products.create(params={"name": plan.title(), "metadata": {"plan": plan}})
        prices[plan] = v1.prices.create(
            params={
                "product": product.id,
                "currency": "thb",
                "unit_amount": amount,
                "recurring": {"interval": "month"},
                "lookup_key": f"{plan}:month:thb",
            }
        )
    found = v1.prices.list(params={"lookup_keys": ["studio:month:thb"], "expand": ["data.product"]})
    assert found.data[0].product.name == "Studio"
    small = {"product": product.id, "currency": "thb", "unit_amount": 999}
    refused("amount_too_small", v1.prices.create, **small)

    coupon = v1.coupons.create(params={"percent_off": 20, "duration": "once"})
    promotion = {"type": "coupon", "coupon": coupon.id}
    code = v1.promotion_codes.create(params={"promotion": promotion, "code": "HELLO"})
    assert v1.promotion_codes.list(params={"code": "HELLO", "active": True}).data[0].id == code.id

    credits = {
        "mode": "payment",
        "success_url": "https://eyemotion.test/done",
        "client_reference_id": "1",
        "customer": customer.id,
        "line_items": [
            {
                "quantity": 2,
                "price_data": {
                    "currency": "thb",
                    "unit_amount": 5_000,
                    "product_data": {"name": "Credits"},
                },
            }
        ],
        "payment_intent_data": {"metadata": {"order": "7"}},
        "allow_promotion_codes": True,
    }
    key = str(uuid.uuid4())
    session = v1.checkout.sessions.create(params=credits, options={"idempotency_key": key})
    again = v1.checkout.sessions.create(params=credits, options={"idempotency_key": key})
    assert session.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    try:
        other = {**credits, "client_reference_id": "2"}
        v1.checkout.sessions.create(params=other, options={"idempotency_key": key})
        raise AssertionError("the key was taken twice")
    except stripe.IdempotencyError as error:
        assert error.http_status == 400
    assert v1.checkout.sessions.line_items.list(session.id).data[0].amount_total == 10_000
    fake.control("complete_checkout", session=session.id, promotion_code="hello")
    session = v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["line_items", "payment_intent.latest_charge.balance_transaction"]}
    )
    assert (session.status, session.payment_status, session.amount_total) == ("complete", "paid", 8_000)
    assert session.line_items.data[0].quantity == 2
    charge = session.payment_intent.latest_charge
    assert charge.balance_transaction.net == 8_000 - 292 - 1_000

    refund = v1.refunds.create(params={"payment_intent": session.payment_intent.id, "amount": 3_000})
    assert (refund.status, refund.amount) == ("succeeded", 3_000)
    error = refused(None, v1.refunds.create, charge=charge.id, amount=5_001)
    assert error.param == "amount"
    warning = fake.control("early_fraud_warning", charge=charge.id)
    assert v1.radar.early_fraud_warnings.retrieve(warning["id"]).actionable
    dispute = fake.control("dispute", charge=charge.id)
    assert v1.disputes.retrieve(dispute["id"]).amount == 5_000
    refused("charge_disputed", v1.refunds.create, charge=charge.id)
    fake.control("close_dispute", dispute=dispute["id"], won="true")
    assert v1.disputes.list(params={"charge": charge.id}).data[0].status == "won"
    assert [it.id for it in v1.refunds.list(params={"charge": charge.id}).data] == [refund.id]

    kinds = [event.type for event in v1.events.list(params={"limit": 4}).data]
    assert kinds[:2] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]

    session = v1.checkout.sessions.create(
        params={
            "mode": "subscription",
            "success_url": "https://eyemotion.test/done",
            "cancel_url": "https://eyemotion.test/no",
            "customer": customer.id,
            "line_items": [{"price": prices["creator"].id, "quantity": 1}],
            "subscription_data": {"metadata": {"user": "1"}},
        }
    )
    assert fake.control("complete_checkout", session=session.id, card="declined")["status"] == "open"
    fake.control("complete_checkout", session=session.id)
    session = v1.checkout.sessions.retrieve(session.id, params={"expand": ["subscription"]})
    subscription = session.subscription
    assert (subscription.status, subscription.metadata["user"]) == ("active", "1")
    item = subscription["items"].data[0]
    assert item.current_period_start == fake.now

    fake.control("advance", seconds=10 * DAY)
    swap = {"items": [{"id": item.id, "price": prices["studio"].id}], "proration_behavior": "always_invoice"}
    preview = v1.invoices.create_preview(
        params={"subscription": subscription.id, "subscription_details": swap}
    )
    swap["payment_behavior"] = "pending_if_incomplete"
    expand = ["latest_invoice.payments.data.payment.payment_intent", "latest_invoice.confirmation_secret"]
    subscription = v1.subscriptions.update(subscription.id, params={**swap, "expand": expand})
    invoice = subscription.latest_invoice
    assert (invoice.amount_due, invoice.status) == (preview.amount_due, "paid")
    whole = item.current_period_end - item.current_period_start
    left = whole - 10 * DAY
    lines = sorted(line.amount for line in invoice.lines.data)
    assert lines == [-round(29_900 * left / whole), round(99_900 * left / whole)]
    assert invoice.payments.data[0].payment.payment_intent.status == "succeeded"
    assert invoice.parent.subscription_details.subscription == subscription.id

    item = subscription["items"].data[0]
    schedule = v1.subscription_schedules.create(params={"from_subscription": subscription.id})
    phases = [
        {
            "start_date": schedule.phases[0].start_date,
            "end_date": schedule.phases[0].end_date,
            "items": [{"price": prices["studio"].id, "quantity": 1}],
        },
        {"items": [{"price": prices["creator"].id}], "duration": {"interval": "month"}},
    ]
    v1.subscription_schedules.update(schedule.id, params={"phases": phases, "end_behavior": "release"})
    fake.control("advance", seconds=item.current_period_end + 2 * 3600 - fake.control("secrets")["now"])
    subscription = v1.subscriptions.retrieve(subscription.id)
    assert subscription["items"].data[0].price.id == prices["creator"].id
    invoices = v1.invoices.list(params={"subscription": subscription.id, "limit": 2})
    assert invoices.has_more
    assert [it.billing_reason for it in invoices.auto_paging_iter()] == [
        "subscription_cycle",
        "subscription_update",
        "subscription_create",
    ]
    assert invoices.data[0].amount_paid == 29_900
    v1.subscription_schedules.release(schedule.id)

    fake.control("set_card", customer=customer.id, card="declined")
    fake.control("advance", seconds=32 * DAY)
    assert v1.subscriptions.retrieve(subscription.id).status == "past_due"
    unpaid = v1.invoices.list(params={"customer": customer.id, "status": "open"}).data[0]
    refused("card_declined", v1.invoices.pay, unpaid.id)
    fake.control("set_card", customer=customer.id, card="visa")
    assert v1.invoices.pay(unpaid.id).status == "paid"
    assert v1.subscriptions.retrieve(subscription.id).status == "active"
    assert v1.invoice_payments.list(params={"invoice": unpaid.id}).data[0].status == "paid"
    portal = {"customer": customer.id, "return_url": "https://eyemotion.test/"}
    assert v1.billing_portal.sessions.create(params=portal).url.startswith("https://")
    ending = v1.subscriptions.update(subscription.id, params={"cancel_at_period_end": True})
    assert ending.cancel_at_period_end and ending.cancel_at
    assert v1.subscriptions.cancel(subscription.id).status == "canceled"

    assert v1.charges.list(params={"customer": customer.id}).data[-1].id
    assert v1.payment_intents.list(params={"customer": customer.id, "limit": 1}).has_more
    endpoint = v1.webhook_endpoints.create(
        params={"url": "https://eyemotion.test/hooks", "enabled_events": ["*"]}
    )
    assert endpoint.secret and v1.webhook_endpoints.list().data[0].id == endpoint.id
    v1.webhook_endpoints.delete(endpoint.id)

    events = list(v1.events.list(params={"limit": 100}).auto_paging_iter())
    kinds = {event.type for event in events}
    for kind in ["invoice.payment_failed", "invoice_payment.paid", "charge.failed"]:
        assert kind in kinds, kind
    assert "charge.dispute.closed" not in kinds, "events are kept for thirty days"
    some = v1.events.list(params={"types": ["customer.subscription.*"], "created": {"gte": fake.now}})
    assert some.data[0].type == "customer.subscription.deleted"
    body = json.dumps(v1.events.retrieve(events[0].id).to_dict(), default=str)
    header = fake.control("sign", body=body)["header"]
    tolerance = 10**9
    event = stripe.Webhook.construct_event(body, header, fake.webhook_secret, tolerance)
    assert event.id == events[0].id
    for bad in [(body + " ", header), (body, header.replace("v1=", "v1=0"))]:
        try:
            stripe.Webhook.construct_event(*bad, fake.webhook_secret, tolerance)
            raise AssertionError("a bad signature was taken")
        except stripe.SignatureVerificationError:
            pass


def main():
    with Fake() as fake:
        drive(fake)
        answers = fake.answers()
    Path(sys.argv[1], "answers-python.json").write_text(json.dumps(answers))
    print(f"stripe {stripe.VERSION} for Python drove the fake through {len(answers)} requests")


main()
