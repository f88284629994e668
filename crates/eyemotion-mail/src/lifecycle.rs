use crate::repository::outbox;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::personal::{Fate, PersonalTable};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver};

const MAILS: PersonalTable = PersonalTable {
    section: "mails",
    table: "public.mail_outbox",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "recipient",
        "template",
        "locale",
        "state",
        "attempts",
        "message_id",
        "created_at",
        "updated_at",
        "sent_at",
    ],
    withheld: &[
        ("data", "holds links and codes that act for the person"),
        ("last_error", "is what a mail relay told the operators"),
    ],
    fate: Fate::Deleted,
};

/// Rows that one transaction deletes.
const BATCH: i64 = 1000;

/// The mails that were posted to people, as a part of their accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailsToPeople;

#[async_trait]
impl AccountLifecycle for MailsToPeople {
    fn domain(&self) -> &'static str {
        "mail"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[MAILS]
    }

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        let erased = outbox::erase(tx, leaver.id.0, &leaver.email, BATCH).await?;
        let full = i64::try_from(erased).is_ok_and(|erased| erased == BATCH);
        Ok(if full { Erasure::More } else { Erasure::Done })
    }
}
