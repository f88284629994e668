//! SQL and nothing else, one file for each table.

pub(crate) mod projects;

impl From<diesel::result::Error> for crate::error::ProjectError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
