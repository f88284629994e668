use super::{Expandable, Metadata, moment, nullable};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// docs.stripe.com/api/products/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Product {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub active: bool,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: Metadata,
}

/// docs.stripe.com/api/prices/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Price {
    pub id: String,
    pub lookup_key: Option<String>,
    pub currency: String,
    pub unit_amount: Option<i64>,
    pub recurring: Option<Recurring>,
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: Metadata,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Recurring {
    /// `day`, `week`, `month` or `year`.
    pub interval: String,
    pub interval_count: i32,
}

/// docs.stripe.com/api/discounts/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Discount {
    /// Where it came from since version 2025-09-30;
    pub source: Option<DiscountSource>,
    /// and before.
    pub coupon: Option<Expandable<Coupon>>,
}

impl Discount {
    /// Its coupon, if it was expanded.
    pub(crate) fn coupon(&self) -> Option<&Coupon> {
        let source = self
            .source
            .as_ref()
            .and_then(|source| source.coupon.as_ref());
        source.or(self.coupon.as_ref())?.whole()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DiscountSource {
    pub coupon: Option<Expandable<Coupon>>,
}

/// docs.stripe.com/api/coupons/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Coupon {
    pub percent_off: Option<f64>,
    pub amount_off: Option<i64>,
    pub currency: Option<String>,
    /// `forever`, `once` or `repeating`.
    pub duration: String,
    pub duration_in_months: Option<i64>,
    #[serde(default)]
    pub valid: bool,
}

/// docs.stripe.com/api/promotion_codes/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PromotionCode {
    pub code: String,
    #[serde(default)]
    pub active: bool,
    pub promotion: Option<Promotion>,
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Promotion {
    pub coupon: Option<Expandable<Coupon>>,
}

/// docs.stripe.com/api/customer_portal/sessions/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PortalSession {
    pub url: String,
}
