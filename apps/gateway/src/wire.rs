//! What several routes' bodies have in common.

use chrono::{DateTime, SecondsFormat, Utc};
use eyemotion_core::Ratio;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The member `"success": true` of every answer that is not a problem.
#[derive(Clone, Copy, Debug, Default)]
pub struct Success;

impl Serialize for Success {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl PartialSchema for Success {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .enum_values(Some([true]))
            .into()
    }
}

impl ToSchema for Success {}

/// A moment: RFC 3339, UTC, always milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp(pub DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Timestamp {}

/// Bytes as they are.
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for Binary {}

/// Reads a member of a merge patch (RFC 7396): absent keeps, `null` clears. Use with
/// `#[serde(default, deserialize_with = "patch")]`.
pub fn patch<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The answer of an operation that has nothing to show.
#[derive(Serialize, ToSchema)]
pub struct Done {
    success: Success,
    message: &'static str,
}

impl Done {
    /// With a sentence for people.
    pub const fn new(message: &'static str) -> Self {
        Self {
            success: Success,
            message,
        }
    }
}

/// A rate as a share of one, to six decimals, halves away from zero.
pub fn rate(exact: Ratio) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9 thousand million")]
    let millionths = exact.millionths() as f64;
    millionths / 1_000_000.0
}

/// Microseconds as seconds.
pub fn seconds(microseconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
    let microseconds = microseconds as f64;
    microseconds / 1_000_000.0
}
