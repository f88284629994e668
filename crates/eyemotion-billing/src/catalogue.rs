//! The plans at Stripe: the database is right, and Stripe is made to agree. A price there never
//! changes: a new amount is a new price, which takes the lookup key over and leaves the old one to
//! whoever has subscribed at it.

use crate::currency;
use crate::model::Plan;
use crate::payments::{PaymentError, PaymentsService};
use crate::repository::plans;
use crate::stripe::objects::{Metadata, Price, Product};
use crate::stripe::{IdempotencyKey, Stripe};
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::Db;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// Makes Stripe's catalogue agree with the plans on sale.
pub struct Catalogue {
    db: Db,
    clock: Arc<dyn Clock>,
    stripe: Stripe,
}

/// Something that Stripe's catalogue lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueChange {
    /// A product for a plan.
    ProductMade(String),
    /// A plan's product has another name or description.
    ProductChanged(String),
    /// A price under its lookup key.
    PriceMade {
        /// `{plan}:{interval}:{currency}`, lower case.
        lookup_key: String,
        /// For people.
        amount: String,
    },
    /// A price that is no plan's any more; who pays it goes on.
    PriceArchived(String),
    /// A plan in the database has learnt its price's id.
    PriceNoted(String),
}

impl fmt::Display for CatalogueChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProductMade(plan) => write!(f, "product of {plan}: made"),
            Self::ProductChanged(plan) => write!(f, "product of {plan}: name and description set"),
            Self::PriceMade { lookup_key, amount } => {
                write!(f, "price {lookup_key}: {amount}, made")
            }
            Self::PriceArchived(id) => write!(f, "price {id}: archived"),
            Self::PriceNoted(plan) => write!(f, "plan {plan}: the price's id noted"),
        }
    }
}

/// Why the catalogue cannot be made to agree.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Stripe would refuse each payment of it.
    #[error("plan {plan}: {price} is less than the least that can be charged, {least}")]
    TooCheap {
        /// The plan's name.
        plan: String,
        /// Its price.
        price: String,
        /// What it would have to be.
        least: String,
    },
    /// Stripe or the database.
    #[error(transparent)]
    Payments(#[from] PaymentError),
}

impl From<crate::stripe::StripeError> for CatalogueError {
    fn from(error: crate::stripe::StripeError) -> Self {
        Self::Payments(error.into())
    }
}

impl From<eyemotion_db::DbError> for CatalogueError {
    fn from(error: eyemotion_db::DbError) -> Self {
        Self::Payments(error.into())
    }
}

impl Catalogue {
    /// Puts it together.
    pub fn new(db: Db, clock: Arc<dyn Clock>, stripe: Stripe) -> Self {
        Self { db, clock, stripe }
    }

    /// Makes every plan on sale that costs something a product with its price. What agrees already
    /// is left alone. With `dry_run` nothing is written anywhere.
    ///
    /// # Errors
    /// [`CatalogueError::TooCheap`] before anything is written.
    pub async fn sync(
        &self,
        ctx: &Ctx,
        dry_run: bool,
    ) -> Result<Vec<CatalogueChange>, CatalogueError> {
        let plans = {
            let mut tx = self.db.read(ctx).await?;
            plans::on_sale(&mut tx).await?
        };
        let paid: Vec<Plan> = plans.into_iter().filter(|it| it.price.amount > 0).collect();
        for plan in &paid {
            check(plan)?;
        }
        let products = self.stripe.products().await?;
        let mut changes = Vec::new();
        for plan in &paid {
            self.sync_plan(ctx, plan, &products, dry_run, &mut changes)
                .await?;
        }
        Ok(changes)
    }

    async fn sync_one(&self, ctx: &Ctx, plan: &Plan) -> Result<String, CatalogueError> {
        check(plan)?;
        let products = self.stripe.products().await?;
        let mut changes = Vec::new();
        self.sync_plan(ctx, plan, &products, false, &mut changes)
            .await
    }

    async fn sync_plan(
        &self,
        ctx: &Ctx,
        plan: &Plan,
        products: &[Product],
        dry_run: bool,
        changes: &mut Vec<CatalogueChange>,
    ) -> Result<String, CatalogueError> {
        let product = product_id(plan);
        let known = products.iter().find(|known| known.id == product);
        self.sync_product(plan, known, dry_run, changes).await?;
        let prices = match known {
            Some(_) => self.stripe.prices_of(&product).await?,
            None => Vec::new(),
        };
        let own = |price: &&Price| price.metadata.get("plan_id") == Some(&plan.id.to_string());
        let current = prices.iter().find(|price| is_current(plan, price));
        let id = match current {
            Some(current) => current.id.clone(),
            None => self.make_price(plan, &prices, dry_run, changes).await?,
        };
        for old in prices.iter().filter(own).filter(|price| price.id != id) {
            changes.push(CatalogueChange::PriceArchived(old.id.clone()));
            if !dry_run {
                let key = IdempotencyKey::of("archive", &old.id)?;
                let form = json!({ "active": false });
                self.stripe.update_price(&key, &old.id, &form).await?;
            }
        }
        let noted = {
            let mut tx = self.db.read(ctx).await?;
            plans::stripe_price(&mut tx, plan.id).await?
        };
        if noted.as_ref() != Some(&id) {
            changes.push(CatalogueChange::PriceNoted(plan.name.clone()));
            if !dry_run {
                let mut tx = self.db.begin(ctx).await?;
                plans::set_stripe_price(&mut tx, plan.id, &id).await?;
                tx.commit().await?;
            }
        }
        Ok(id)
    }

    async fn sync_product(
        &self,
        plan: &Plan,
        known: Option<&Product>,
        dry_run: bool,
        changes: &mut Vec<CatalogueChange>,
    ) -> Result<(), CatalogueError> {
        let mut form = json!({
            "name": plan.display_name,
            "metadata": metadata(plan),
            "active": true,
        });
        // Stripe takes no empty one.
        if !plan.description.is_empty() {
            form["description"] = plan.description.clone().into();
        }
        match known {
            None => {
                changes.push(CatalogueChange::ProductMade(plan.name.clone()));
                if !dry_run {
                    form["id"] = product_id(plan).into();
                    let key = IdempotencyKey::of("product", self.clock.new_id())?;
                    match self.stripe.create_product(&key, &form).await {
                        // Somebody else was as quick.
                        Err(error) if error.has_code("resource_already_exists") => {}
                        made => drop(made?),
                    }
                }
            }
            Some(known) if agrees(known, plan, &form) => {}
            Some(known) => {
                changes.push(CatalogueChange::ProductChanged(plan.name.clone()));
                if !dry_run {
                    let key = IdempotencyKey::of("product", self.clock.new_id())?;
                    self.stripe.update_product(&key, &known.id, &form).await?;
                }
            }
        }
        Ok(())
    }

    /// The key is made of the plan and of the price before: once between two prices, and again
    /// when an earlier amount comes back.
    async fn make_price(
        &self,
        plan: &Plan,
        before: &[Price],
        dry_run: bool,
        changes: &mut Vec<CatalogueChange>,
    ) -> Result<String, CatalogueError> {
        let lookup_key = lookup_key(plan);
        changes.push(CatalogueChange::PriceMade {
            lookup_key: lookup_key.clone(),
            amount: currency::shown(plan.price.amount, &plan.price.currency),
        });
        if dry_run {
            return Ok(String::new());
        }
        let holder = |price: &&Price| price.lookup_key.as_deref() == Some(&lookup_key);
        let holder = before.iter().find(holder);
        let holder = holder.map_or("none", |price| price.id.as_str());
        let key = format!("{}:{holder}:{}", plan.id, plan.price.amount);
        let form = json!({
            "product": product_id(plan),
            "currency": plan.price.currency.to_ascii_lowercase(),
            "unit_amount": plan.price.amount,
            "recurring": { "interval": plan.interval.as_str(), "interval_count": 1 },
            "lookup_key": lookup_key,
            "transfer_lookup_key": true,
            "metadata": metadata(plan),
        });
        let key = IdempotencyKey::of("price", key)?;
        Ok(self.stripe.create_price(&key, &form).await?.id)
    }
}

impl PaymentsService {
    /// The id of a plan's price at Stripe. A plan that was never synchronised is so now.
    pub(crate) async fn price_of(&self, ctx: &Ctx, plan: &Plan) -> Result<String, PaymentError> {
        let parts = self.parts();
        let noted = {
            let mut tx = parts.db.read(ctx).await?;
            plans::stripe_price(&mut tx, plan.id).await?
        };
        if let Some(id) = noted {
            return Ok(id);
        }
        let stripe = parts.stripe.clone().ok_or(PaymentError::NotConfigured)?;
        let catalogue = Catalogue::new(parts.db.clone(), Arc::clone(&parts.clock), stripe);
        let system = Ctx::system("billing");
        match catalogue.sync_one(&system, plan).await {
            Ok(id) => Ok(id),
            Err(CatalogueError::Payments(error)) => Err(error),
            Err(error @ CatalogueError::TooCheap { .. }) => {
                tracing::error!(%error, "a plan cannot be sold");
                Err(PaymentError::NotConfigured)
            }
        }
    }
}

fn check(plan: &Plan) -> Result<(), CatalogueError> {
    let currency = &plan.price.currency;
    let least = currency::minimum(currency);
    if plan.price.amount >= least {
        return Ok(());
    }
    Err(CatalogueError::TooCheap {
        plan: plan.name.clone(),
        price: currency::shown(plan.price.amount, currency),
        least: currency::shown(least, currency),
    })
}

fn product_id(plan: &Plan) -> String {
    format!("eyemotion_{}", plan.name)
}

fn lookup_key(plan: &Plan) -> String {
    format!("{}:{}:{}", plan.name, plan.interval, plan.price.currency).to_ascii_lowercase()
}

/// By which a price is known again when the database has forgotten its id.
fn metadata(plan: &Plan) -> Value {
    json!({ "plan_id": plan.id, "plan_name": plan.name })
}

fn agrees(known: &Product, plan: &Plan, form: &Value) -> bool {
    let wanted: Metadata = serde_json::from_value(form["metadata"].clone()).unwrap_or_default();
    known.active
        && known.name == plan.display_name
        && known.description.as_deref().unwrap_or_default() == plan.description
        && wanted
            .iter()
            .all(|(key, value)| known.metadata.get(key) == Some(value))
}

fn is_current(plan: &Plan, price: &Price) -> bool {
    let recurring = price.recurring.as_ref();
    price.lookup_key.as_deref() == Some(lookup_key(plan).as_str())
        && price.unit_amount == Some(plan.price.amount)
        && price.currency.eq_ignore_ascii_case(&plan.price.currency)
        && recurring
            .is_some_and(|it| it.interval == plan.interval.as_str() && it.interval_count == 1)
}
