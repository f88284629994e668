//! What of Stripe's objects is read (docs.stripe.com/api, version 2026-09-30). Amounts are in the
//! currency's minor unit; currencies are lower case, as Stripe writes them. Members that may be
//! absent in an older or newer version are optional.

mod billing;
mod catalogue;
mod payment;

pub(crate) use billing::*;
pub(crate) use catalogue::*;
pub(crate) use payment::*;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// The pairs that we put on Stripe's objects to know them again.
pub(crate) type Metadata = BTreeMap<String, String>;

/// The id of another object, of which Stripe sends the whole where it was asked to expand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference(pub String);

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Id(String),
            Whole { id: String },
        }
        Ok(match Form::deserialize(input)? {
            Form::Id(id) | Form::Whole { id } => Self(id),
        })
    }
}

/// Another object that was asked for: its id alone where Stripe did not expand it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expandable<T> {
    Id(String),
    Whole(Box<T>),
}

impl<T> Expandable<T> {
    /// The object, if it was expanded.
    pub(crate) fn whole(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Whole(whole) => Some(whole),
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct List<T> {
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            data: Vec::new(),
            has_more: false,
        }
    }
}

/// Something that happened; `data.object` says to what, as it was then.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
    pub livemode: bool,
    pub data: EventData,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EventData {
    pub object: Value,
}

/// Unix seconds or nothing; a member that is absent is nothing too.
pub(super) mod moment {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let seconds = Option::<i64>::deserialize(input)?;
        Ok(seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
    }
}

/// A null list is an empty one.
pub(super) fn nullable<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_expanded_object_is_its_id_too() {
        let short: Reference = serde_json::from_value(json!("cus_1")).unwrap();
        let whole: Reference = serde_json::from_value(json!({"id": "cus_1", "x": 1})).unwrap();
        assert_eq!(short, whole);
    }

    #[test]
    fn a_subscription_with_nothing_but_the_least_is_read() {
        let found: Subscription = serde_json::from_value(json!({
            "id": "sub_1", "customer": "cus_1", "status": "active", "created": 1_790_000_000,
            "currency": "thb", "items": {"data": [{
                "id": "si_1", "current_period_start": 1_790_000_000, "current_period_end": 1_792_592_000,
                "price": {"id": "price_1", "currency": "thb", "unit_amount": 29900,
                    "recurring": {"interval": "month", "interval_count": 1}},
            }]},
            "discounts": null, "metadata": null, "a_new_member": {"of": "Stripe"},
        }))
        .unwrap();
        assert_eq!(found.items.data[0].quantity, 1);
        assert!(found.discounts.is_empty() && found.latest_invoice.is_none());
    }
}
