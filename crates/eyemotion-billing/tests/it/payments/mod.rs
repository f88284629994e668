//! Paying, against the double of Stripe.

mod catalogue;
mod changes;
mod checkout;
mod leaving;
mod race;
mod till;
