//! What billing keeps about people. The books stay when somebody leaves, as bookkeeping law wants
//! them to, under a pseudonym: references to the account follow it (`on update cascade`).

use crate::payments;
use crate::repository::leavers;
use crate::subscriptions::Subscriptions;
use async_trait::async_trait;
use eyemotion_core::{Ctx, UserId};
use eyemotion_db::personal::{Fate, PersonalTable};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver, NewAccount};

const BOOKS: Fate = Fate::Pseudonymised("the books and their sums stay");

const TABLES: &[PersonalTable] = &[
    PersonalTable {
        section: "subscriptions",
        table: "public.subscriptions",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "plan_id",
            "status",
            "stripe_customer_id",
            "stripe_subscription_id",
            "current_period_start",
            "current_period_end",
            "cancel_at_period_end",
            "cancelled_at",
            "trial_start",
            "trial_end",
            "created_at",
            "updated_at",
            "ended_at",
            "past_due_since",
            "pending_plan_id",
            "stripe_schedule_id",
            "stripe_price_id",
            "latest_invoice_id",
            "recurring_amount",
            "recurring_currency",
            "recurring_interval",
            "recurring_interval_count",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "payments",
        table: "public.payment_transactions",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "subscription_id",
            "stripe_payment_intent_id",
            "stripe_invoice_id",
            "stripe_checkout_session_id",
            "stripe_charge_id",
            "stripe_refund_id",
            "amount",
            "currency",
            "status",
            "transaction_type",
            "description",
            "invoice_url",
            "receipt_url",
            "metadata",
            "processed_at",
            "created_at",
            "updated_at",
            "order_id",
            "plan_id",
            "payment_id",
            "tax_amount",
            "refunded_amount",
            "disputed_amount",
            "invoice_pdf",
            "failure_message",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "stripe_customer",
        table: "public.stripe_customers",
        owner: "user_id",
        key: &[("user_id", "uuid")],
        exported: &[
            "user_id",
            "stripe_customer_id",
            "card",
            "deleted_at",
            "created_at",
            "updated_at",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "orders",
        table: "public.payment_orders",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "kind",
            "plan_id",
            "credits",
            "amount",
            "currency",
            "status",
            "success_url",
            "cancel_url",
            "stripe_checkout_session_id",
            "checkout_url",
            "stripe_payment_intent_id",
            "expires_at",
            "paid_at",
            "created_at",
            "updated_at",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "subscription_changes",
        table: "public.subscription_changes",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "subscription_id",
            "kind",
            "plan_id",
            "status",
            "created_at",
            "settled_at",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "disputes",
        table: "public.payment_disputes",
        owner: "user_id",
        key: &[("stripe_dispute_id", "text")],
        exported: &[
            "stripe_dispute_id",
            "user_id",
            "payment_id",
            "amount",
            "currency",
            "status",
            "reason",
            "evidence_due_at",
            "withdrawn",
            "created_at",
            "updated_at",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "fraud_warnings",
        table: "public.fraud_warnings",
        owner: "user_id",
        key: &[("stripe_id", "text")],
        exported: &["user_id", "payment_id", "created_at", "updated_at"],
        withheld: &[
            ("stripe_id", "would tell how fraud is found out"),
            ("kind", "would tell how fraud is found out"),
            ("open", "would tell how fraud is found out"),
            ("reason", "would tell how fraud is found out"),
        ],
        fate: BOOKS,
    },
    PersonalTable {
        section: "subscription_history",
        table: "public.subscription_history",
        owner: "user_id",
        key: &[("subscription_id", "uuid"), ("seq", "integer")],
        exported: &[
            "subscription_id",
            "seq",
            "user_id",
            "plan_id",
            "status",
            "recurring_amount",
            "recurring_currency",
            "recurring_interval",
            "recurring_interval_count",
            "cancel_at_period_end",
            "cancelled_at",
            "valid_from",
            "recorded_at",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "recurring_revenue",
        table: "public.subscription_mrr_daily",
        owner: "user_id",
        key: &[("user_id", "uuid"), ("currency", "text"), ("day", "date")],
        exported: &[
            "day",
            "user_id",
            "currency",
            "subscription_id",
            "plan_id",
            "mrr_num",
            "mrr_den",
            "previous_num",
            "previous_den",
            "movement",
            "paying_since",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_wallet",
        table: "public.credit_wallets",
        owner: "user_id",
        key: &[("user_id", "uuid")],
        exported: &[
            "user_id",
            "posted",
            "held",
            "frozen",
            "debt",
            "created_at",
            "updated_at",
        ],
        withheld: &[("version", "bookkeeping of our own")],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_lots",
        table: "public.credit_lots",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "kind",
            "granted",
            "remaining",
            "held",
            "expires_at",
            "source_type",
            "source_id",
            "status",
            "created_at",
            "updated_at",
        ],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_transactions",
        table: "public.credit_txns",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "kind",
            "reason",
            "ref_type",
            "ref_id",
            "subscription_id",
            "details",
            "created_at",
            "price_id",
            "quantity",
        ],
        withheld: &[
            ("idem_key", "bookkeeping of our own"),
            ("request_hash", "bookkeeping of our own"),
            ("actor", "names who else was involved"),
        ],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_entries",
        table: "public.credit_entries",
        owner: "user_id",
        key: &[("txn_id", "uuid"), ("seq", "smallint")],
        exported: &["txn_id", "seq", "user_id", "account", "amount"],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_lot_moves",
        table: "public.credit_lot_moves",
        owner: "user_id",
        key: &[("txn_id", "uuid"), ("lot_id", "uuid")],
        exported: &["txn_id", "lot_id", "user_id", "amount"],
        withheld: &[],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_holds",
        table: "public.credit_holds",
        owner: "user_id",
        key: &[("id", "uuid")],
        exported: &[
            "id",
            "user_id",
            "amount",
            "captured",
            "status",
            "action",
            "ref_type",
            "ref_id",
            "price_id",
            "quantity",
            "expires_at",
            "resolved_at",
            "created_at",
            "updated_at",
        ],
        withheld: &[("idem_key", "bookkeeping of our own")],
        fate: BOOKS,
    },
    PersonalTable {
        section: "credit_hold_lines",
        table: "public.credit_hold_lines",
        owner: "user_id",
        key: &[("hold_id", "uuid"), ("lot_id", "uuid")],
        exported: &["hold_id", "lot_id", "user_id", "amount"],
        withheld: &[],
        fate: BOOKS,
    },
];

#[async_trait]
impl AccountLifecycle for Subscriptions {
    async fn registered(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        account: &NewAccount,
    ) -> Result<(), DbError> {
        self.begin_free(tx, ctx, account).await
    }

    fn domain(&self) -> &'static str {
        "billing"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        TABLES
    }

    async fn leaving(&self, tx: &mut Tx, _: &Ctx, user: UserId) -> Result<(), DbError> {
        payments::wind_down(tx, &*self.clock, user).await
    }

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        payments::end_customer(tx, &*self.clock, leaver.id).await?;
        leavers::end_subscriptions(tx, leaver.id, self.clock.now()).await?;
        leavers::strip_payments(tx, leaver.id).await?;
        leavers::rename_actor(tx, leaver.id, leaver.pseudonym).await?;
        Ok(Erasure::Done)
    }
}
