use crate::names;
use crate::problem::ApiError;
use eyemotion_core::FieldError;
use eyemotion_storage::{Disposition, Rendition};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which form of a file is wanted, and for what.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RenditionQuery {
    /// Which form of the file.
    #[param(inline, value_type = Option<names::Rendition>, default = "original")]
    rendition: Option<String>,
    /// attachment to save it, inline to show it.
    #[param(inline, value_type = Option<names::Disposition>, default = "attachment")]
    disposition: Option<String>,
}

impl RenditionQuery {
    /// From the parts that a route's own query type has.
    pub fn new(rendition: Option<String>, disposition: Option<String>) -> Self {
        Self {
            rendition,
            disposition,
        }
    }

    /// Checks the values.
    pub fn parse(self) -> Result<(Rendition, Disposition), ApiError> {
        let rendition = self
            .rendition
            .as_deref()
            .map_or(Some(Rendition::Original), Rendition::parse);
        let disposition = self
            .disposition
            .as_deref()
            .map_or(Some(Disposition::Attachment), Disposition::parse);
        match (rendition, disposition) {
            (Some(rendition), Some(disposition)) => Ok((rendition, disposition)),
            (None, _) => Err(unknown("rendition", "original or thumbnail")),
            (_, None) => Err(unknown("disposition", "attachment or inline")),
        }
    }
}

fn unknown(name: &str, known: &str) -> ApiError {
    let error = FieldError::new(name, "unknown_value", format!("must be {known}"));
    ApiError::invalid(vec![error])
}
