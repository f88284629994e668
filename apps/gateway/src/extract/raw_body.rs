use crate::extract::json;
use crate::problem::ApiError;
use crate::services::Limits;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use bytes::BytesMut;
use eyemotion_core::ErrorCode;
use futures_util::future::LocalBoxFuture;

/// A body of at most `MAX` bytes, as it came: whoever signed it signed these bytes.
pub struct RawBody<const MAX: usize>(pub BytesMut);

impl<const MAX: usize> FromRequest for RawBody<MAX> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = req.app_data::<web::Data<Limits>>().cloned();
        let declared = json::content_length(req);
        let payload = payload.take();
        Box::pin(async move {
            let limits = limits.ok_or_else(|| ApiError::internal("no limits"))?;
            let reading = json::read(payload, declared, MAX);
            let read = tokio::time::timeout(limits.body_timeout, reading).await;
            let late = |_| {
                let seconds = limits.body_timeout.as_secs();
                let detail = format!("The body must arrive within {seconds} s.");
                ApiError::new(ErrorCode::RequestTimeout, detail)
            };
            Ok(Self(read.map_err(late)??))
        })
    }
}
