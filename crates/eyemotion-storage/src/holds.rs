//! Credits set aside for an upload and for the processing behind it.

use crate::error::StorageError;
use crate::parts::StorageParts;
use crate::repository::stored::Stored;
use chrono::{DateTime, Duration, Utc};
use eyemotion_core::{Credits, Ctx, FileId, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Capture, Charge, CreditLedger, Hold, LedgerError, Quote};

const UPLOAD: &str = "file_upload";
const PROCESSING: &str = "file_processing";
const FILE: &str = "file";

/// How long processing may take, with all its repetitions.
const PROCESSING_TIME: Duration = Duration::hours(24);

fn upload_hold(file: FileId) -> String {
    format!("upload:{file}")
}

fn processing_hold(file: FileId) -> String {
    format!("processing:{file}")
}

/// What taking in so many bytes costs now.
pub(crate) async fn quote_upload(
    parts: &StorageParts,
    tx: &mut Tx,
    size: u64,
) -> Result<Quote, StorageError> {
    Ok(parts.credits.quote(tx, UPLOAD, size).await?)
}

/// Sets aside what an upload costs, until `until`.
pub(crate) async fn place_upload(
    parts: &StorageParts,
    tx: &mut Tx,
    ctx: &Ctx,
    (owner, file): (UserId, FileId),
    quote: Quote,
    until: DateTime<Utc>,
) -> Result<(), StorageError> {
    if quote.credits == Credits(0) {
        return Ok(());
    }
    let hold = Hold {
        user: owner,
        credits: quote.credits,
        action: UPLOAD,
        resource_type: FILE,
        resource_id: file.to_string(),
        price: Some(quote.price),
        expires_at: until,
        idempotency_key: upload_hold(file),
    };
    parts.credits.hold(tx, ctx, hold).await?;
    Ok(())
}

/// Keeps aside what an upload costs, until `until`. Without a hold the confirmation charges.
pub(crate) async fn extend_upload(
    parts: &StorageParts,
    tx: &mut Tx,
    file: &Stored,
    until: DateTime<Utc>,
) -> Result<(), StorageError> {
    let name = upload_hold(file.id);
    let extended = parts.credits.extend(tx, file.owner, &name, until).await;
    unless_over(extended)?;
    Ok(())
}

/// Pays for an upload and sets aside what processing it costs. Returns the balance afterwards.
pub(crate) async fn confirm(
    parts: &StorageParts,
    tx: &mut Tx,
    ctx: &Ctx,
    file: &Stored,
) -> Result<Credits, StorageError> {
    let credits = &parts.credits;
    let paid = pay_upload(parts, tx, ctx, file).await?;
    let quote = credits.quote(tx, PROCESSING, 1).await?;
    if quote.credits > Credits(0) {
        let hold = Hold {
            user: file.owner,
            credits: quote.credits,
            action: PROCESSING,
            resource_type: FILE,
            resource_id: file.id.to_string(),
            price: Some(quote.price),
            expires_at: parts.clock.now() + PROCESSING_TIME,
            idempotency_key: processing_hold(file.id),
        };
        return Ok(credits.hold(tx, ctx, hold).await?);
    }
    match paid {
        Some(balance) => Ok(balance),
        None => Ok(credits.balance(tx, file.owner).await?),
    }
}

async fn pay_upload(
    parts: &StorageParts,
    tx: &mut Tx,
    ctx: &Ctx,
    file: &Stored,
) -> Result<Option<Credits>, StorageError> {
    let (user, cost) = (file.owner, file.credits_cost);
    if cost == Credits(0) {
        return Ok(None);
    }
    let capture = Capture {
        user,
        hold: upload_hold(file.id),
        credits: Some(cost),
        idempotency_key: upload_hold(file.id),
    };
    let captured = parts.credits.capture(tx, ctx, capture).await;
    if let Some(balance) = unless_over(captured)? {
        return Ok(Some(balance));
    }
    // A hold that took too long has been given back, and a former release placed none.
    let quote = quote_upload(parts, tx, file.size).await?;
    let charge = Charge {
        user,
        credits: cost,
        action: UPLOAD,
        resource_type: FILE,
        resource_id: file.id.to_string(),
        price: (quote.credits == cost).then_some(quote.price),
        idempotency_key: upload_hold(file.id),
    };
    Ok(Some(parts.credits.spend(tx, ctx, charge).await?))
}

/// Takes what was set aside for processing a file: it is ready.
pub(crate) async fn pay_processing(
    parts: &StorageParts,
    tx: &mut Tx,
    ctx: &Ctx,
    file: &Stored,
) -> Result<(), DbError> {
    let capture = Capture {
        user: file.owner,
        hold: processing_hold(file.id),
        credits: None,
        idempotency_key: processing_hold(file.id),
    };
    let captured = parts.credits.capture(tx, ctx, capture).await;
    unless_over(captured).map_err(database)?;
    Ok(())
}

/// Gives back what is still set aside for files that come to nothing.
pub(crate) async fn give_back(
    credits: &dyn CreditLedger,
    tx: &mut Tx,
    ctx: &Ctx,
    owner: UserId,
    files: &[FileId],
) -> Result<(), DbError> {
    let files: Vec<String> = files.iter().map(ToString::to_string).collect();
    credits
        .release_for(tx, ctx, owner, FILE, &files)
        .await
        .map_err(database)
}

/// None if there is no hold, or no longer.
fn unless_over<T>(result: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(
            LedgerError::HoldNotFound
            | LedgerError::HoldExpired
            | LedgerError::AlreadyReleased
            | LedgerError::AlreadyCaptured,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

fn database(error: LedgerError) -> DbError {
    match error {
        LedgerError::Db(error) => error,
        other => DbError::Other(other.into()),
    }
}

/// When what an upload costs may be set free: its confirmation has until `confirm_until`, and a
/// sweep may come later.
pub(crate) fn upload_until(parts: &StorageParts, confirm_until: DateTime<Utc>) -> DateTime<Utc> {
    confirm_until + parts.config.leftover_grace
}
