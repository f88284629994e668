//! Stripe's objects, followed by their events against the double of Stripe.

mod disasters;
mod gate;
mod lifecycles;
mod outage;
mod reversals;
mod shop;
mod signatures;
