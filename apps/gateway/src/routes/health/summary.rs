use crate::failures::Always;
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use chrono::Utc;
use eyemotion_health::ComponentReport;
use eyemotion_ports::HealthStatus;
use futures_util::future::join;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How everything is.
#[derive(Serialize, ToSchema)]
struct HealthAnswer {
    success: Success,
    status: StatusView,
    /// Always `eyemotion-backend`.
    service: &'static str,
    version: &'static str,
    timestamp: Timestamp,
    /// `development` or `production`.
    environment: &'static str,
    database: StatusView,
    /// Seconds since the start.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    uptime: u64,
    components: BTreeMap<&'static str, ComponentView>,
    /// Whether each feature is switched on, by its flag.
    features: BTreeMap<&'static str, bool>,
}

/// How something is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StatusView {
    /// Works.
    Healthy,
    /// Not configured, so not used.
    Disabled,
    /// Works, and somebody should look.
    Warning,
    /// Does not work.
    Critical,
}

impl From<HealthStatus> for StatusView {
    fn from(status: HealthStatus) -> Self {
        match status {
            HealthStatus::Healthy => Self::Healthy,
            HealthStatus::Disabled => Self::Disabled,
            HealthStatus::Warning => Self::Warning,
            HealthStatus::Critical => Self::Critical,
        }
    }
}

/// How one component is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ComponentView {
    status: StatusView,
    /// Why, and what to do about it.
    message: String,
    /// How long its answer took, milliseconds.
    latency_ms: f64,
}

impl From<ComponentReport> for ComponentView {
    fn from(report: ComponentReport) -> Self {
        let latency_ms = (report.latency.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        Self {
            status: report.status.into(),
            message: report.message,
            latency_ms,
        }
    }
}

/// The database alone.
#[derive(Serialize, ToSchema)]
struct DatabaseAnswer {
    success: Success,
    database: ComponentView,
}

/// Returns how the server and its components are.
///
/// Always 200, so that a monitor reads `status`; `/readyz` answers by status code.
#[utoipa::path(
    operation_id = "getHealth",
    tag = "health",
    responses((status = 200, description = "The report", body = HealthAnswer), Always)
)]
#[get("/health")]
pub(super) async fn get_health(services: web::Data<Services>) -> HttpResponse {
    let (report, rules) = join(services.health.check(), services.flags.rules()).await;
    let database = report
        .components
        .get("database")
        .map(|database| database.status);
    HttpResponse::Ok().json(HealthAnswer {
        success: Success,
        status: report.status.into(),
        service: "eyemotion-backend",
        version: env!("CARGO_PKG_VERSION"),
        timestamp: Utc::now().into(),
        environment: services.environment,
        database: database.unwrap_or(HealthStatus::Critical).into(),
        uptime: services.health.uptime().as_secs(),
        components: report
            .components
            .into_iter()
            .map(|(name, it)| (name, it.into()))
            .collect(),
        features: rules
            .into_iter()
            .map(|(flag, rule)| (flag.as_str(), rule.enabled))
            .collect(),
    })
}

/// Returns how the database is.
#[utoipa::path(
    operation_id = "getDatabaseHealth",
    tag = "health",
    responses((status = 200, description = "The report", body = DatabaseAnswer), Always)
)]
#[get("/health/database")]
pub(super) async fn get_database(services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    let report = services.health.component("database").await;
    let report = report.ok_or_else(|| ApiError::internal("no database probe"))?;
    Ok(HttpResponse::Ok().json(DatabaseAnswer {
        success: Success,
        database: report.into(),
    }))
}
