//! What an event says: its envelope, and which object is to be looked at because of it. Its copy of
//! the object is older than the object and may be of another version of the API, so nothing but ids
//! is read of that.

use crate::converge::StripeObject;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// Longer names are nobody's.
const LONGEST_NAME: usize = 255;

/// The outside of an event (docs.stripe.com/api/events/object).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub id: String,
    pub kind: String,
    pub livemode: bool,
    /// None: not said, or not as a number of seconds.
    pub created: Option<DateTime<Utc>>,
    pub object_type: Option<String>,
    pub object_id: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    livemode: bool,
    #[serde(default)]
    created: Value,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    data: Value,
}

/// The body is no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the event cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("the event has a name that none can be")]
    Name,
}

/// Reads the envelope of a body.
pub(crate) fn read(body: &[u8]) -> Result<Envelope, Unreadable> {
    let wire: Wire = serde_json::from_slice(body)?;
    let object = &wire.data["object"];
    let text = |name: &str| object[name].as_str().filter(|text| is_name(text));
    let envelope = Envelope {
        livemode: wire.livemode,
        created: wire
            .created
            .as_i64()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .filter(|time| (2000..=9999).contains(&chrono::Datelike::year(time))),
        object_type: text("object").map(str::to_owned),
        object_id: text("id").map(str::to_owned),
        id: wire.id,
        kind: wire.kind,
    };
    if is_name(&envelope.id) && is_name(&envelope.kind) {
        Ok(envelope)
    } else {
        Err(Unreadable::Name)
    }
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is to be done about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Make our rows equal to this object, then tell its person, if that is worth a mail.
    Converge(StripeObject, Option<Notice>),
    /// The catalogue was changed over there; ours is the truth.
    Catalogue,
    /// Nothing.
    Nothing,
}

/// What a person is written about, beside what follows from the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A payment for the subscription failed.
    PaymentFailed,
    /// The bank wants the person to confirm a payment.
    ActionRequired,
    /// The trial ends in three days.
    TrialEnds,
}

/// What the event of this body means. Unknown types mean nothing.
pub(crate) fn meaning(body: &[u8]) -> Result<Meaning, Unreadable> {
    let wire: Wire = serde_json::from_slice(body)?;
    if wire.account.is_some() {
        // Of a connected account, which we have none of.
        return Ok(Meaning::Nothing);
    }
    let object = &wire.data["object"];
    let id = |member: &str| id_of(&object[member]);
    let converge = |of: fn(String) -> StripeObject, id: Option<String>| {
        id.map_or(Meaning::Nothing, |id| Meaning::Converge(of(id), None))
    };
    let kind = wire.kind.as_str();
    let (noun, verb) = kind.rsplit_once('.').unwrap_or((kind, ""));
    Ok(match (noun, verb) {
        ("checkout.session", _) => converge(StripeObject::CheckoutSession, id("id")),
        ("customer.subscription", "trial_will_end") => {
            told(StripeObject::Subscription, id("id"), Notice::TrialEnds)
        }
        ("customer.subscription", _) => converge(StripeObject::Subscription, id("id")),
        // Not yet an invoice: it has no id.
        ("invoice", "upcoming") => converge(
            StripeObject::Subscription,
            id_of(&object["parent"]["subscription_details"]["subscription"]),
        ),
        ("invoice", "payment_failed") => {
            told(StripeObject::Invoice, id("id"), Notice::PaymentFailed)
        }
        ("invoice", "payment_action_required") => {
            told(StripeObject::Invoice, id("id"), Notice::ActionRequired)
        }
        ("invoice", _) => converge(StripeObject::Invoice, id("id")),
        ("invoice_payment" | "credit_note", _) => converge(StripeObject::Invoice, id("invoice")),
        ("payment_intent", _) => converge(StripeObject::PaymentIntent, id("id")),
        ("charge.dispute", _) => converge(StripeObject::Dispute, id("id")),
        ("charge.refund" | "refund", _) => match id("charge") {
            Some(charge) => Meaning::Converge(StripeObject::Charge(charge), None),
            None => converge(StripeObject::PaymentIntent, id("payment_intent")),
        },
        ("charge", _) => converge(StripeObject::Charge, id("id")),
        ("radar.early_fraud_warning", _) => converge(StripeObject::FraudWarning, id("id")),
        ("review", _) => converge(StripeObject::Review, id("id")),
        ("customer", _) => converge(StripeObject::Customer, id("id")),
        // Detached, it names its customer only among what it was before.
        ("payment_method" | "setup_intent", _) => converge(
            StripeObject::Customer,
            id("customer").or_else(|| id_of(&wire.data["previous_attributes"]["customer"])),
        ),
        ("subscription_schedule", _) => converge(
            StripeObject::Subscription,
            id("subscription").or_else(|| id("released_subscription")),
        ),
        ("product" | "price" | "coupon" | "promotion_code", _) => Meaning::Catalogue,
        _ => Meaning::Nothing,
    })
}

fn told(of: fn(String) -> StripeObject, id: Option<String>, notice: Notice) -> Meaning {
    id.map_or(Meaning::Nothing, |id| {
        Meaning::Converge(of(id), Some(notice))
    })
}

/// The id of what is referred to, expanded or not.
fn id_of(value: &Value) -> Option<String> {
    let id = value.as_str().or_else(|| value["id"].as_str())?;
    is_name(id).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use StripeObject as Object;
    use rstest::rstest;
    use serde_json::json;

    fn event(kind: &str, object: &Value) -> Vec<u8> {
        let event = json!({
            "id": "evt_1", "type": kind, "livemode": false, "created": 1_800_000_000,
            "data": { "object": object, "previous_attributes": { "customer": "cus_before" } },
        });
        event.to_string().into_bytes()
    }

    fn object() -> Value {
        json!({
            "id": "it", "object": "thing", "charge": "ch", "payment_intent": { "id": "pi" },
            "invoice": "in", "subscription": "sub",
            "parent": { "subscription_details": { "subscription": "sub_up" } },
        })
    }

    /// Every event that the platform listens to.
    #[rstest]
    #[case("checkout.session.completed", Object::CheckoutSession("it".into()))]
    #[case("checkout.session.async_payment_succeeded", Object::CheckoutSession("it".into()))]
    #[case("checkout.session.async_payment_failed", Object::CheckoutSession("it".into()))]
    #[case("checkout.session.expired", Object::CheckoutSession("it".into()))]
    #[case("customer.subscription.created", Object::Subscription("it".into()))]
    #[case("customer.subscription.updated", Object::Subscription("it".into()))]
    #[case("customer.subscription.deleted", Object::Subscription("it".into()))]
    #[case("customer.subscription.paused", Object::Subscription("it".into()))]
    #[case("customer.subscription.resumed", Object::Subscription("it".into()))]
    #[case("customer.subscription.pending_update_applied", Object::Subscription("it".into()))]
    #[case("customer.subscription.pending_update_expired", Object::Subscription("it".into()))]
    #[case("subscription_schedule.updated", Object::Subscription("sub".into()))]
    #[case("invoice.paid", Object::Invoice("it".into()))]
    #[case("invoice.payment_succeeded", Object::Invoice("it".into()))]
    #[case("invoice.created", Object::Invoice("it".into()))]
    #[case("invoice.finalized", Object::Invoice("it".into()))]
    #[case("invoice.updated", Object::Invoice("it".into()))]
    #[case("invoice.voided", Object::Invoice("it".into()))]
    #[case("invoice.marked_uncollectible", Object::Invoice("it".into()))]
    #[case("invoice.finalization_failed", Object::Invoice("it".into()))]
    #[case("invoice.upcoming", Object::Subscription("sub_up".into()))]
    #[case("invoice_payment.paid", Object::Invoice("in".into()))]
    #[case("credit_note.created", Object::Invoice("in".into()))]
    #[case("payment_intent.succeeded", Object::PaymentIntent("it".into()))]
    #[case("payment_intent.payment_failed", Object::PaymentIntent("it".into()))]
    #[case("payment_intent.canceled", Object::PaymentIntent("it".into()))]
    #[case("payment_intent.processing", Object::PaymentIntent("it".into()))]
    #[case("payment_intent.requires_action", Object::PaymentIntent("it".into()))]
    #[case("charge.succeeded", Object::Charge("it".into()))]
    #[case("charge.updated", Object::Charge("it".into()))]
    #[case("charge.refunded", Object::Charge("it".into()))]
    #[case("charge.refund.updated", Object::Charge("ch".into()))]
    #[case("refund.created", Object::Charge("ch".into()))]
    #[case("refund.failed", Object::Charge("ch".into()))]
    #[case("charge.dispute.created", Object::Dispute("it".into()))]
    #[case("charge.dispute.closed", Object::Dispute("it".into()))]
    #[case("charge.dispute.funds_withdrawn", Object::Dispute("it".into()))]
    #[case("charge.dispute.funds_reinstated", Object::Dispute("it".into()))]
    #[case("radar.early_fraud_warning.created", Object::FraudWarning("it".into()))]
    #[case("radar.early_fraud_warning.updated", Object::FraudWarning("it".into()))]
    #[case("review.opened", Object::Review("it".into()))]
    #[case("review.closed", Object::Review("it".into()))]
    #[case("customer.updated", Object::Customer("it".into()))]
    #[case("customer.deleted", Object::Customer("it".into()))]
    #[case("payment_method.detached", Object::Customer("cus_before".into()))]
    #[case("setup_intent.succeeded", Object::Customer("cus_before".into()))]
    fn each_names_the_object_to_look_at(#[case] kind: &str, #[case] expected: StripeObject) {
        let found = meaning(&event(kind, &object())).unwrap();
        assert_eq!(found, Meaning::Converge(expected, None));
    }

    #[test]
    fn three_are_told_about() {
        for (kind, notice) in [
            ("invoice.payment_failed", Notice::PaymentFailed),
            ("invoice.payment_action_required", Notice::ActionRequired),
            ("customer.subscription.trial_will_end", Notice::TrialEnds),
        ] {
            let found = meaning(&event(kind, &object())).unwrap();
            let Meaning::Converge(_, told) = found else {
                panic!("{kind}: {found:?}");
            };
            assert_eq!(told, Some(notice));
        }
    }

    #[test]
    fn a_refund_without_a_charge_is_the_intents() {
        let refund = json!({ "id": "re", "charge": null, "payment_intent": "pi" });
        let found = meaning(&event("refund.created", &refund)).unwrap();
        let expected = Object::PaymentIntent("pi".into());
        assert_eq!(found, Meaning::Converge(expected, None));
    }

    #[test]
    fn the_catalogue_is_ours_and_the_rest_means_nothing() {
        for kind in [
            "product.updated",
            "price.created",
            "coupon.deleted",
            "promotion_code.updated",
        ] {
            assert_eq!(
                meaning(&event(kind, &object())).unwrap(),
                Meaning::Catalogue
            );
        }
        for kind in [
            "issuing_card.created",
            "invoice",
            "v1.billing.meter.no_meter_found",
            "",
        ] {
            let found = meaning(&event(kind, &json!({ "id": null }))).unwrap();
            assert_eq!(found, Meaning::Nothing, "{kind}");
        }
        let mut connected: Value =
            serde_json::from_slice(&event("invoice.paid", &object())).unwrap();
        connected["account"] = json!("acct_1");
        let found = meaning(connected.to_string().as_bytes()).unwrap();
        assert_eq!(found, Meaning::Nothing);
    }

    #[test]
    fn the_envelope_needs_little() {
        let envelope = read(&event("invoice.paid", &object())).unwrap();
        assert_eq!(envelope.id, "evt_1");
        assert_eq!(envelope.object_type.as_deref(), Some("thing"));
        assert_eq!(envelope.object_id.as_deref(), Some("it"));
        assert_eq!(envelope.created.unwrap().timestamp(), 1_800_000_000);
        let thin = br#"{"id":"evt_2","object":"v2.core.event","type":"v1.x","livemode":true,"created":"2026-01-01T00:00:00Z"}"#;
        let envelope = read(thin).unwrap();
        assert_eq!((envelope.created, envelope.object_id), (None, None));
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case("[]")]
    #[case(r#"{"id":"evt_1","type":"invoice.paid"}"#)]
    #[case(r#"{"id":"","type":"invoice.paid","livemode":true}"#)]
    #[case(r#"{"id":"evt\u0000","type":"invoice.paid","livemode":true}"#)]
    #[case(r#"{"id":7,"type":"invoice.paid","livemode":true}"#)]
    fn what_is_no_event_is_unreadable(#[case] body: &str) {
        assert!(read(body.as_bytes()).is_err(), "{body}");
    }
}
