//! Schemas of closed sets of names. The values are the domains' own, so that the document cannot
//! fall behind them; on the wire they are strings.

use eyemotion_billing::{BillingInterval as Interval, SubscriptionStatus as Subscription};
use eyemotion_core::ErrorCode as Code;
use eyemotion_projects as projects;
use eyemotion_storage::{self as storage, MediaKind};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! names {
    ($(#[doc = $doc:literal] $name:ident: $all:expr, $text:expr;)*) => {$(
        #[doc = $doc]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($doc.trim()))
                    .enum_values(Some($all.iter().copied().map($text)))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

names! {
    /// The stable code of a problem.
    ErrorCode: Code::ALL, Code::slug;
    /// A service through which people sign in.
    OauthProvider: eyemotion_auth::Provider::ALL, eyemotion_auth::Provider::as_str;
    /// What sort of film a project is.
    ProjectType: projects::ProjectType::ALL, projects::ProjectType::as_str;
    /// How far a project is.
    ProjectStatus: projects::ProjectStatus::ALL, projects::ProjectStatus::as_str;
    /// What sort of media a file holds.
    FileType: [MediaKind::Video, MediaKind::Audio, MediaKind::Image, MediaKind::Data], MediaKind::as_str;
    /// Where a file stands.
    FileStatus: storage::FileStatus::ALL, storage::FileStatus::as_str;
    /// Whether a file has a thumbnail.
    ThumbnailStatus: storage::ThumbnailStatus::ALL, storage::ThumbnailStatus::as_str;
    /// Which form of a file is wanted.
    Rendition: storage::Rendition::ALL, storage::Rendition::as_str;
    /// What a download is for: attachment to save it, inline to show it.
    Disposition: storage::Disposition::ALL, storage::Disposition::as_str;
    /// How often a plan is paid.
    BillingInterval: [Interval::Month, Interval::Year], Interval::as_str;
    /// Over how many days a report goes.
    ReportPeriod: eyemotion_billing::ReportPeriod::ALL, eyemotion_billing::ReportPeriod::as_str;
    /// Where an order stands.
    OrderStatus: eyemotion_billing::OrderStatus::ALL, eyemotion_billing::OrderStatus::as_str;
    /// Where a payment stands.
    PaymentStatus: eyemotion_billing::PaymentStatus::ALL, eyemotion_billing::PaymentStatus::as_str;
    /// What a payment was for.
    PaymentKind: eyemotion_billing::PaymentKind::ALL, eyemotion_billing::PaymentKind::as_str;
    /// Where a subscription stands.
    SubscriptionStatus: [
        Subscription::Active,
        Subscription::Trialing,
        Subscription::PastDue,
        Subscription::Incomplete,
        Subscription::Cancelled,
    ], Subscription::as_str;
}
