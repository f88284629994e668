use crate::failures::Always;
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::ErrorCode;
use eyemotion_ports::HealthStatus;

/// Says that the process runs.
///
/// Looks at nothing else: a database that is down must not restart every replica.
#[utoipa::path(
    operation_id = "getLiveness",
    tag = "health",
    responses((status = 200, description = "It runs", body = Done))
)]
#[get("/livez")]
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Done::new("alive"))
}

/// Says whether requests may be sent here.
///
/// Answers 503 while the database does not answer, and from the moment the server is told to stop.
#[utoipa::path(
    operation_id = "getReadiness",
    tag = "health",
    responses((status = 200, description = "Send requests", body = Done), Always)
)]
#[get("/readyz")]
pub(super) async fn ready(services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    if services.is_draining() {
        return Err(ApiError::new(
            ErrorCode::Overloaded,
            "The server is stopping.",
        ));
    }
    let database = services.health.component("database").await;
    if database.is_some_and(|database| database.status != HealthStatus::Critical) {
        Ok(HttpResponse::Ok().json(Done::new("ready")))
    } else {
        Err(ApiError::new(
            ErrorCode::DatabaseUnavailable,
            "The database does not answer.",
        ))
    }
}

/// Says that the server has started.
///
/// It listens only after its migrations are done, so an answer is a yes.
#[utoipa::path(
    operation_id = "getStartup",
    tag = "health",
    responses((status = 200, description = "Started", body = Done))
)]
#[get("/startupz")]
pub(super) async fn startup() -> HttpResponse {
    HttpResponse::Ok().json(Done::new("started"))
}
