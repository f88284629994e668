//! What billing keeps about people. The books stay when somebody leaves, as bookkeeping law wants
//! them to, under a pseudonym: references to the account follow it (`on update cascade`).

use crate::repository::leavers;
use crate::subscriptions::Subscriptions;
use async_trait::async_trait;
use eyemotion_core::Ctx;
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

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        leavers::end_subscriptions(tx, leaver.id, self.clock.now()).await?;
        leavers::strip_payments(tx, leaver.id).await?;
        leavers::rename_actor(tx, leaver.id, leaver.pseudonym).await?;
        Ok(Erasure::Done)
    }
}
