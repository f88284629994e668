use crate::foreign::ForeignError;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A row of another database. What is not there, is null or is of another sort is none.
#[derive(Clone, Debug)]
pub struct ForeignRow(Map<String, Value>);

impl ForeignRow {
    pub(super) fn parse(text: &str) -> Result<Self, ForeignError> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| ForeignError::Failed(format!("a row cannot be read: {error}")))
    }

    /// A text that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A UUID.
    pub fn uuid(&self, name: &str) -> Option<Uuid> {
        Uuid::try_parse(self.text(name)?).ok()
    }

    /// Whether it is true; a text may say so, too.
    pub fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// A JSON object.
    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(name)?.as_object()
    }

    /// A moment, one without a zone being UTC's. PostgreSQL knows more of them than we do: those
    /// before year 1 and after 9999, the infinite ones too, are the first and the last there is.
    pub fn moment(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.text(name)?;
        let year = text.split('-').next().unwrap_or_default();
        if text == "-infinity" || text.ends_with("BC") {
            return Some(DateTime::<Utc>::MIN_UTC);
        }
        let is_late = year.len() > 4 && year.bytes().all(|byte| byte.is_ascii_digit());
        if text == "infinity" || is_late {
            return Some(DateTime::<Utc>::MAX_UTC);
        }
        let zoned = DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc());
        let local = || text.parse::<NaiveDateTime>().map(|local| local.and_utc());
        zoned.or_else(|_| local()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;

    #[test]
    fn every_moment_that_postgresql_knows_is_one() {
        let moment = |text: &str| {
            let row = ForeignRow::parse(&format!(r#"{{"at": "{text}"}}"#)).unwrap();
            row.moment("at")
        };
        let day = moment("2026-03-01T10:00:00.5+07:00").unwrap();
        assert_eq!(day.to_rfc3339(), "2026-03-01T03:00:00.500+00:00");
        assert_eq!(moment("2026-03-01T03:00:00.5"), Some(day));
        assert_eq!(moment("9999-12-31T23:59:59+00:00").unwrap().year(), 9999);
        for late in ["infinity", "10000-01-01T00:00:00+00:00"] {
            assert_eq!(moment(late), Some(DateTime::<Utc>::MAX_UTC), "{late}");
        }
        for early in ["-infinity", "0044-03-15T00:00:00+00:00 BC"] {
            assert_eq!(moment(early), Some(DateTime::<Utc>::MIN_UTC), "{early}");
        }
        assert_eq!(moment("yesterday"), None);
    }
}
