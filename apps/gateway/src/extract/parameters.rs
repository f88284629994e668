use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use eyemotion_core::{Cursor, ErrorCode, FieldError, PageRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::str::FromStr;
use utoipa::IntoParams;

/// The one id in the path. What is not an id names nothing: 404.
pub struct Id<T>(pub T);

impl<T: FromStr + 'static> FromRequest for Id<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = req
            .match_info()
            .iter()
            .next()
            .and_then(|(_, text)| text.parse().ok());
        ready(id.map(Self).ok_or_else(|| {
            ApiError::new(ErrorCode::NotFound, "The path names nothing that exists.")
        }))
    }
}

/// The query string; an unknown parameter is an error that names the known ones.
pub struct ValidQuery<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for ValidQuery<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = req.query_string();
        let parsed = web::Query::<T>::from_query(query).map_err(|error| {
            let detail = format!("The query cannot be read: {error}.");
            ApiError::new(ErrorCode::UnknownQueryParameter, detail)
        });
        let parsed = if query.contains("%00") {
            Err(ApiError::invalid(vec![FieldError::new(
                "query",
                "invalid_character",
                "must not contain the NUL character",
            )]))
        } else {
            parsed
        };
        ready(parsed.map(|query| Self(query.into_inner())))
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// A page from the parts that a route's own query type has.
    pub fn new(limit: Option<i64>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// Checks the values.
    pub fn page(self) -> Result<PageRequest, ApiError> {
        let limit = self.limit.unwrap_or(20);
        let mut errors = Vec::new();
        if !(1..=100).contains(&limit) {
            errors.push(FieldError::new(
                "limit",
                "out_of_range",
                "must be from 1 to 100",
            ));
        }
        let after = match self.cursor.as_deref().map(Cursor::decode).transpose() {
            Ok(after) => after,
            Err(error) => {
                errors.push(FieldError::new("cursor", "invalid", error.to_string()));
                None
            }
        };
        if errors.is_empty() {
            Ok(PageRequest { limit, after })
        } else {
            Err(ApiError::invalid(errors))
        }
    }
}
