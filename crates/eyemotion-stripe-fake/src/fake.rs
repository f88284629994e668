//! What a test holds in its hand.

use crate::card::Card;
use crate::emitter::{Deliveries, Emitter};
use crate::error::StripeError;
use crate::fault::Fault;
use crate::resources::{actions, due};
use crate::server::{self, Shared};
use crate::state::Settings;
use crate::world::{Request, World};
use chrono::Utc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A Stripe of its own, on an ephemeral port of 127.0.0.1, with a thread of its own: it works under any test
/// runtime, and ends when its last handle is dropped.
#[derive(Clone)]
pub struct StripeFake {
    shared: Shared,
    url: String,
    handle: Handle,
    _running: Arc<Running>,
}

/// Ends the thread when the last handle goes.
struct Running(Option<oneshot::Sender<()>>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            // The thread may have ended already.
            stop.send(()).ok();
        }
    }
}

/// An action that the fake refused, in Stripe's words.
#[derive(Clone, Debug)]
pub struct Refused(pub Value);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the fake refused: {}", self.0)
    }
}

impl std::error::Error for Refused {}

impl From<StripeError> for Refused {
    fn from(error: StripeError) -> Self {
        Self(error.body("req_fake"))
    }
}

impl StripeFake {
    /// Starts one whose clock stands at this moment.
    ///
    /// # Panics
    /// Where no port or thread is to be had.
    pub fn start() -> Self {
        Self::start_at(Utc::now().timestamp())
    }

    /// Starts one whose clock stands at `now`, in Unix seconds.
    ///
    /// # Panics
    /// Where no port or thread is to be had.
    pub fn start_at(now: i64) -> Self {
        Self::start_on(0, now)
    }

    /// Starts one on that port of 127.0.0.1.
    ///
    /// # Panics
    /// Where no port or thread is to be had.
    pub fn start_on(port: u16, now: i64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("a bound listener");
        let shared = Shared::new(World::new(now, &tag()));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (stop, stopped) = oneshot::channel::<()>();
        let (handle, served) = (runtime.handle().clone(), shared.clone());
        let run = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    _ = server::serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        };
        thread::Builder::new()
            .name("stripe-fake".to_owned())
            .spawn(run)
            .expect("a thread");
        Self {
            shared,
            url: format!("http://{address}/"),
            handle,
            _running: Arc::new(Running(Some(stop))),
        }
    }

    /// Where it listens, with a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key that it takes, `sk_test_...`.
    pub fn secret_key(&self) -> String {
        self.shared.lock().secret_key.clone()
    }

    /// The secret that it signs webhooks with, `whsec_...`.
    pub fn webhook_secret(&self) -> String {
        self.shared.lock().webhook_secret.clone()
    }

    /// Its clock, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.lock().state.now
    }

    /// Moves the clock, and does what falls due on the way: renewals, payments, retries, expiries, phases.
    pub fn advance(&self, by: Duration) {
        let mut world = self.shared.lock();
        let until = world.state.now + i64::try_from(by.as_secs()).unwrap_or(0);
        due::advance(&mut world.state, until);
    }

    /// Moves the clock to `until`, in Unix seconds, where it is not past it.
    pub fn advance_to(&self, until: i64) {
        due::advance(&mut self.shared.lock().state, until);
    }

    /// Changes what an account's dashboard settings decide.
    pub fn configure(&self, settings: Settings) {
        self.shared.lock().state.settings = settings;
    }

    /// The customer fills in the Checkout page and pays. Answers the session, which stays open where the card
    /// does not allow more.
    pub fn complete_checkout(&self, session: &str, card: Card) -> Result<Value, Refused> {
        Ok(actions::complete(
            &mut self.shared.lock().state,
            session,
            card,
            None,
        )?)
    }

    /// The same, with a promotion code filled in.
    pub fn complete_checkout_with_code(
        &self,
        session: &str,
        card: Card,
        code: &str,
    ) -> Result<Value, Refused> {
        let mut world = self.shared.lock();
        Ok(actions::complete(
            &mut world.state,
            session,
            card,
            Some(code),
        )?)
    }

    /// The money of a session that was to be paid later comes, or does not.
    pub fn settle_async_payment(&self, session: &str, ok: bool) -> Result<(), Refused> {
        Ok(actions::settle(&mut self.shared.lock().state, session, ok)?)
    }

    /// The card's owner confirms an intent that waits for it (`requires_action`), or refuses.
    pub fn authenticate(&self, payment_intent: &str, ok: bool) -> Result<(), Refused> {
        Ok(actions::authenticated(
            &mut self.shared.lock().state,
            payment_intent,
            ok,
        )?)
    }

    /// Refunds a charge, or an intent's, from the dashboard; all that is left without an amount.
    pub fn refund(&self, id: &str, amount: Option<i64>) -> Result<Value, Refused> {
        Ok(actions::refund(&mut self.shared.lock().state, id, amount)?)
    }

    /// The bank could not pay a refund out.
    pub fn fail_refund(&self, refund: &str) -> Result<(), Refused> {
        Ok(actions::fail_refund(&mut self.shared.lock().state, refund)?)
    }

    /// The cardholder disputes a charge, all that was not refunded without an amount.
    pub fn dispute(&self, charge: &str, amount: Option<i64>) -> Result<Value, Refused> {
        Ok(actions::dispute(
            &mut self.shared.lock().state,
            charge,
            amount,
        )?)
    }

    /// The bank decides a dispute.
    pub fn close_dispute(&self, dispute: &str, won: bool) -> Result<Value, Refused> {
        Ok(actions::close_dispute(
            &mut self.shared.lock().state,
            dispute,
            won,
        )?)
    }

    /// The issuer warns of fraud.
    pub fn early_fraud_warning(&self, charge: &str) -> Result<Value, Refused> {
        Ok(actions::early_fraud_warning(
            &mut self.shared.lock().state,
            charge,
        )?)
    }

    /// What a customer's invoices are charged to from now on.
    pub fn set_card(&self, customer: &str, card: Card) {
        self.shared
            .lock()
            .state
            .cards
            .insert(customer.to_owned(), card);
    }

    /// Something goes wrong with the requests that match.
    pub fn fault(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Faults that nothing has met yet are forgotten.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// While it is down each connection is closed without an answer.
    pub fn down(&self, down: bool) {
        self.shared.lock().down = down;
    }

    /// Every request that came to `/v1`, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// How many objects of each kind there are, by `object`.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.shared.lock().counts()
    }

    /// An object as it is now.
    pub fn object(&self, id: &str) -> Option<Value> {
        self.shared.lock().object(id)
    }

    /// All objects of a kind (`charge`, `invoice`...), oldest first.
    pub fn objects(&self, kind: &str) -> Vec<Value> {
        self.shared.lock().state.all(kind).cloned().collect()
    }

    /// All events, oldest first.
    pub fn events(&self) -> Vec<Value> {
        self.objects("event")
    }

    /// The events since this or an emitter last took them, oldest first.
    pub fn events_since(&self) -> Vec<Value> {
        self.shared.lock().take_events()
    }

    /// Sends webhooks to `url`.
    pub fn emitter(&self, url: &str) -> Emitter {
        Emitter::new(self.shared.clone(), self.handle.clone(), url)
    }

    /// The new events as signed deliveries that a policy has dropped, repeated and shuffled, for tests that
    /// bring them in themselves.
    pub fn deliveries(&self, policy: &crate::Policy) -> Deliveries {
        let mut world = self.shared.lock();
        let events = world.take_events();
        policy.apply(&events, &world.webhook_secret, world.state.now)
    }

    /// Keeps every answer from now on, for [`StripeFake::answers`].
    pub fn record_answers(&self) {
        self.shared.lock().answers.get_or_insert_default();
    }

    /// Method, path, status and body of each recorded answer.
    pub fn answers(&self) -> Vec<(String, String, u16, Value)> {
        self.shared.lock().answers.clone().unwrap_or_default()
    }
}

/// Eight letters and digits, so that the ids of two fakes differ.
fn tag() -> String {
    let mut number: u64 = rand::random();
    let letters = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let mut tag = String::new();
    for _ in 0..8 {
        let place = usize::try_from(number % letters.len() as u64).unwrap_or(0);
        tag.extend(letters.get(place).map(|letter| char::from(*letter)));
        number /= letters.len() as u64;
    }
    tag
}
