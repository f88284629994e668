use std::fmt;

/// One of Stripe's objects that our rows follow, by its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum StripeObject {
    CheckoutSession(String),
    Subscription(String),
    Invoice(String),
    PaymentIntent(String),
    Charge(String),
    Dispute(String),
    FraudWarning(String),
    Review(String),
    Customer(String),
}

impl StripeObject {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::CheckoutSession(id)
            | Self::Subscription(id)
            | Self::Invoice(id)
            | Self::PaymentIntent(id)
            | Self::Charge(id)
            | Self::Dispute(id)
            | Self::FraudWarning(id)
            | Self::Review(id)
            | Self::Customer(id) => id,
        }
    }
}

impl fmt::Display for StripeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
