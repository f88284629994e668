use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Settings of type [`Switch`].
pub(super) const SWITCHES: [&str; 2] = [
    "auth.refuse_common_passwords",
    "auth.require_email_confirmation",
];

/// A setting that is true, false, or follows from others: "auto".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// As the other settings suggest.
    #[default]
    Auto,
    /// In any case.
    On,
    /// In no case.
    Off,
}

impl Switch {
    /// Whether it is on, where `auto` is what the other settings suggest.
    pub const fn is_on(self, auto: bool) -> bool {
        match self {
            Self::Auto => auto,
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::On => serializer.serialize_bool(true),
            Self::Off => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Switch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or \"auto\"")
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Switch, E> {
        Ok(if on { Switch::On } else { Switch::Off })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Switch, E> {
        match text {
            "auto" => Ok(Switch::Auto),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }
}
