use crate::wire::Success;
use eyemotion_ports::{Flag, FlagRule};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whom a feature is on for: everybody, nobody, or those whom a rule names.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum FlagView {
    /// On or off for everybody.
    Everybody(bool),
    /// On for some.
    Some(FlagRuleView),
}

/// On for the people who are named, and for those whom every other condition holds for.
#[derive(Serialize, ToSchema)]
pub(super) struct FlagRuleView {
    /// Off: off for everybody, whatever the rest says.
    enabled: bool,
    /// Only people on one of these plans, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    plans: Option<Vec<String>>,
    /// Only so many in a hundred people, always the same ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100)]
    percentage: Option<u8>,
    /// These people in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 1000)]
    users: Vec<Uuid>,
}

impl From<FlagRule> for FlagView {
    fn from(rule: FlagRule) -> Self {
        if rule.plans.is_none() && rule.percentage.is_none() && rule.users.is_empty() {
            return Self::Everybody(rule.enabled);
        }
        Self::Some(FlagRuleView {
            enabled: rule.enabled,
            plans: rule.plans,
            percentage: rule.percentage,
            users: rule.users.into_iter().map(Uuid::from).collect(),
        })
    }
}

/// Every flag.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "so the flags are called on the wire"
)]
pub(super) struct FlagsView {
    auth_enabled: FlagView,
    payments_enabled: FlagView,
    storage_enabled: FlagView,
    analytics_enabled: FlagView,
    backup_enabled: FlagView,
}

/// The feature flags.
#[derive(Serialize, ToSchema)]
pub(super) struct FlagsAnswer {
    success: Success,
    flags: FlagsView,
}

impl From<BTreeMap<Flag, FlagRule>> for FlagsAnswer {
    fn from(mut rules: BTreeMap<Flag, FlagRule>) -> Self {
        let mut view = |flag| FlagView::from(rules.remove(&flag).unwrap_or_default());
        Self {
            success: Success,
            flags: FlagsView {
                auth_enabled: view(Flag::Auth),
                payments_enabled: view(Flag::Payments),
                storage_enabled: view(Flag::Storage),
                analytics_enabled: view(Flag::Analytics),
                backup_enabled: view(Flag::Backup),
            },
        }
    }
}
