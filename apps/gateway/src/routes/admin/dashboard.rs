use crate::extract::AdminCaller;
use crate::failures::{AdminOnly, Always};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp, rate};
use actix_web::{HttpResponse, get, web};
use eyemotion_admin::PlatformFigures;
use eyemotion_billing::{BusinessFigures, PlanSubscriptions};
use eyemotion_core::Ratio;
use futures_util::future::join;
use serde::Serialize;
use utoipa::ToSchema;

/// What operators see first.
#[derive(Serialize, ToSchema)]
struct DashboardAnswer {
    success: Success,
    dashboard: DashboardView,
}

/// People, subscriptions, money and projects. Months and weeks are Bangkok's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DashboardView {
    users: UserFiguresView,
    subscriptions: SubscriptionFiguresView,
    revenue: RevenueFiguresView,
    projects: ProjectFiguresView,
    distributions: DistributionsView,
    /// Until when revenue is told; never older than a minute.
    as_of: Timestamp,
}

/// How many people. Those who have left are not counted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserFiguresView {
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    /// Since the month began.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    new_this_month: i64,
    /// Since Monday.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    new_this_week: i64,
    /// (this month - last month) / last month, to six decimals; null when nobody came last month.
    growth_rate: Option<f64>,
}

/// How many live subscriptions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SubscriptionFiguresView {
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    /// Those that bring money: not free, and not on trial.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    paid: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    free: i64,
    /// paid / total, to six decimals; null when there are none.
    conversion_rate: Option<f64>,
}

/// Money, in minor units of one currency: satang for THB. Without tax, refunds and lost disputes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RevenueFiguresView {
    #[schema(example = "THB")]
    currency: String,
    /// Of all time.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    /// Since the month began.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    monthly: i64,
    /// Monthly recurring revenue.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    mrr: i64,
    /// Monthly recurring revenue for each who pays; null when nobody does.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    arpu: Option<i64>,
}

/// How many projects.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProjectFiguresView {
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    /// Draft, in progress or in review.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    active: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    completed: i64,
    /// Projects for each person, to six decimals; null when there is nobody.
    avg_per_user: Option<f64>,
}

/// How people are spread.
#[derive(Serialize, ToSchema)]
struct DistributionsView {
    /// Live subscriptions of each plan, in the plans' order.
    plans: Vec<PlanShareView>,
    /// People in each country, most first.
    countries: Vec<CountryShareView>,
}

/// The live subscriptions of a plan.
#[derive(Serialize, ToSchema)]
struct PlanShareView {
    #[schema(example = "creator")]
    plan: String,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    count: i64,
}

/// The people of a country.
#[derive(Serialize, ToSchema)]
struct CountryShareView {
    #[schema(example = "Thailand")]
    country: String,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    count: i64,
}

impl DashboardView {
    fn new(platform: PlatformFigures, business: BusinessFigures) -> Self {
        let people = platform.people;
        let plan = |it: PlanSubscriptions| PlanShareView {
            plan: it.plan,
            count: it.live,
        };
        Self {
            users: UserFiguresView {
                total: people.total,
                new_this_month: people.this_month,
                new_this_week: people.this_week,
                growth_rate: people.growth_rate().map(rate),
            },
            subscriptions: SubscriptionFiguresView {
                total: business.total(),
                paid: business.paid(),
                free: business.total() - business.paid(),
                conversion_rate: business.conversion_rate().map(rate),
            },
            projects: ProjectFiguresView {
                total: platform.projects.total,
                active: platform.projects.active,
                completed: platform.projects.completed,
                avg_per_user: platform.projects_per_person().map(rate),
            },
            as_of: business.until.as_of.into(),
            revenue: RevenueFiguresView {
                currency: business.currency,
                total: business.total_revenue,
                monthly: business.monthly_revenue,
                mrr: business.mrr.round(),
                arpu: business.arpu.map(Ratio::round),
            },
            distributions: DistributionsView {
                plans: business.subscriptions.into_iter().map(plan).collect(),
                countries: platform
                    .countries
                    .into_iter()
                    .map(|(country, count)| CountryShareView { country, count })
                    .collect(),
            },
        }
    }
}

/// Returns what operators see first.
#[utoipa::path(
    operation_id = "getDashboard",
    tag = "admin",
    security(("bearer" = [])),
    responses((status = 200, description = "As it is now", body = DashboardAnswer), AdminOnly, Always)
)]
#[get("/admin/dashboard")]
pub(super) async fn get_dashboard(
    caller: AdminCaller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = &caller.0.ctx;
    let (platform, business) = join(
        services.overview.platform(ctx),
        services.analytics.business(ctx),
    )
    .await;
    Ok(HttpResponse::Ok().json(DashboardAnswer {
        success: Success,
        dashboard: DashboardView::new(platform?, business?),
    }))
}
