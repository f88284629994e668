//! The errors that operations declare in the OpenAPI document, by what they share.

use crate::problem::Problem;
use std::collections::BTreeMap;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident: $($status:literal $text:literal),+;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($status, $text))),+])
            }
        }
    )*};
}

fn problem(status: &str, text: &str) -> RefOr<Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build();
    let response = ResponseBuilder::new()
        .description(text)
        .content("application/problem+json", content);
    let header = |text| {
        HeaderBuilder::new()
            .schema(Some(String::schema()))
            .description(Some(text))
            .build()
    };
    match status {
        "401" => response.header(
            "WWW-Authenticate",
            header("How to sign in (RFC 6750 section 3)"),
        ),
        "429" | "503" => response.header(
            "Retry-After",
            header("In how many seconds, if that is known"),
        ),
        _ => response,
    }
    .build()
    .into()
}

failures! {
    /// What may happen to any operation.
    Always: "500" "A fault of the server's, logged under the `requestId`",
        "503" "Not now: try again after `Retry-After`";
    /// For operations that need a signed-in caller.
    SignedIn: "401" "No valid access token, or the session has ended";
    /// For operations of admins.
    AdminOnly: "401" "No valid access token, or the session has ended",
        "403" "The caller's role does not allow it";
    /// For operations with a JSON body.
    WithBody: "400" "The body is not JSON",
        "408" "The body did not arrive in time",
        "413" "The body is too large",
        "415" "The body is not declared as JSON",
        "422" "Values that cannot be taken, each named in `errors`";
    /// For operations with query parameters.
    WithQuery: "400" "An unknown query parameter", "422" "A parameter's value cannot be taken";
    /// For operations whose path or headers can be wrong.
    Unfit: "422" "A part of the path or a header cannot be taken";
    /// For operations on one thing.
    Absent: "404" "It does not exist, or not for this caller";
    /// For operations that its state may forbid.
    Conflict: "409" "Its state does not allow it";
    /// For operations that heed `If-Match`.
    Stale: "412" "It was changed since the version that `If-Match` names";
    /// For operations that one client may do only so often.
    Limited: "429" "Too often; `limiter` names the rule";
    /// For operations that cost something.
    Exhausted: "402" "Credits or storage are exhausted; the members say by how much";
}
