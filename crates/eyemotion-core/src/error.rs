use serde::Serialize;
use serde_json::{Map, Value};
use std::error::Error;
use std::time::Duration;

/// What sort of failure a code stands for; the HTTP edge turns it into a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the request could not be read.
    Malformed,
    /// 401: nobody valid has signed in.
    Unauthenticated,
    /// 402: credits or plan are exhausted.
    PaymentRequired,
    /// 403: known, but not allowed.
    Forbidden,
    /// 404: absent, or not for this caller's eyes.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 408: the client took too long.
    Timeout,
    /// 409: the state does not allow it.
    Conflict,
    /// 410: it was there and is no longer.
    Gone,
    /// 412: somebody else changed it first.
    PreconditionFailed,
    /// 413: too large.
    TooLarge,
    /// 415: not a type that is taken.
    UnsupportedType,
    /// 416: the range lies outside.
    RangeNotSatisfiable,
    /// 422: read, understood and wrong.
    Invalid,
    /// 429: too many.
    RateLimited,
    /// 500: our fault; the text is constant, the cause goes to the log.
    Internal,
    /// 503: not now, or not configured.
    Unavailable,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $slug:literal, $kind:ident, $title:literal;)*) => {
        /// The stable names of what can go wrong; clients branch on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* #[doc = $title] $variant,)* }

        impl ErrorCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire, snake_case.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }
            /// What sort of failure it is.
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$variant => ErrorKind::$kind,)* }
            }
            /// A short sentence that is the same every time (RFC 9457 section 3.1.4).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", Malformed, "The request could not be read";
    UnknownQueryParameter = "unknown_query_parameter", Malformed, "A query parameter is not known here";
    InvalidSignature = "invalid_signature", Malformed, "The signature is not valid";
    LivemodeMismatch = "livemode_mismatch", Malformed, "The event is of the other mode";
    OauthFlowInvalid = "oauth_flow_invalid", Malformed, "The sign-in was not begun in this browser, or is over";
    OauthRefused = "oauth_refused", Malformed, "The provider did not confirm the sign-in";
    Unauthenticated = "unauthenticated", Unauthenticated, "Sign in first";
    TokenExpired = "token_expired", Unauthenticated, "The access token has expired";
    TokenInvalid = "token_invalid", Unauthenticated, "The access token is not valid";
    SessionEnded = "session_ended", Unauthenticated, "The session has ended";
    ApiKeyInvalid = "api_key_invalid", Unauthenticated, "The API key is not valid";
    InvalidCredentials = "invalid_credentials", Unauthenticated, "E-mail or password is wrong";
    RefreshTokenInvalid = "refresh_token_invalid", Unauthenticated, "The refresh token is not valid";
    InsufficientCredits = "insufficient_credits", PaymentRequired, "There are not enough credits";
    QuotaExceeded = "quota_exceeded", PaymentRequired, "The plan's storage is full";
    PaymentDeclined = "payment_declined", PaymentRequired, "The payment was declined";
    PaymentConfirmationNeeded = "payment_confirmation_needed", PaymentRequired, "The payment has to be confirmed";
    Forbidden = "forbidden", Forbidden, "This is not allowed";
    InsufficientScope = "insufficient_scope", Forbidden, "The API key lacks a scope";
    AccountBanned = "account_banned", Forbidden, "The account is banned";
    ReauthenticationNeeded = "reauthentication_needed", Forbidden, "Prove again who you are";
    OneTimeTokenInvalid = "one_time_token_invalid", Forbidden, "The link or the code is not valid or has expired";
    AccountDeletionScheduled = "account_deletion_scheduled", Unauthenticated, "The account is going to be deleted";
    EmailNotConfirmed = "email_not_confirmed", Forbidden, "The e-mail address is not confirmed yet";
    OauthEmailUnverified = "oauth_email_unverified", Forbidden, "The provider has not verified the e-mail address";
    UploadUrlInvalid = "upload_url_invalid", Forbidden, "The upload URL is not valid";
    UploadUrlExpired = "upload_url_expired", Forbidden, "The upload URL has expired";
    DownloadUrlInvalid = "download_url_invalid", Forbidden, "The download URL is not valid";
    DownloadUrlExpired = "download_url_expired", Forbidden, "The download URL has expired";
    NotFound = "not_found", NotFound, "There is nothing here";
    UserNotFound = "user_not_found", NotFound, "There is no such user";
    EntryNotFound = "entry_not_found", NotFound, "There is nothing under this key";
    ApiKeyNotFound = "api_key_not_found", NotFound, "There is no such API key";
    ProjectNotFound = "project_not_found", NotFound, "There is no such project";
    FileNotFound = "file_not_found", NotFound, "There is no such file";
    SessionNotFound = "session_not_found", NotFound, "There is no such session";
    SubscriptionNotFound = "subscription_not_found", NotFound, "There is no live subscription";
    CheckoutNotFound = "checkout_not_found", NotFound, "There is no such checkout";
    PlanNotFound = "plan_not_found", NotFound, "There is no such plan";
    PromotionCodeNotFound = "promotion_code_not_found", NotFound, "There is no such promotion code";
    ThumbnailNotFound = "thumbnail_not_found", NotFound, "The file has no thumbnail";
    DeletionNotFound = "deletion_not_found", NotFound, "There is no deletion to undo";
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed, "The method is not allowed here";
    RequestTimeout = "request_timeout", Timeout, "The request took too long to arrive";
    EmailTaken = "email_taken", Conflict, "An account with this e-mail address exists";
    IdentityTaken = "identity_taken", Conflict, "The identity belongs to another account";
    LastSignInMethod = "last_sign_in_method", Conflict, "It is the only way to sign in";
    OwnAccount = "own_account", Conflict, "Nobody does this to their own account";
    LastSuperAdmin = "last_super_admin", Conflict, "The last super_admin stays one";
    IdempotencyInFlight = "idempotency_in_flight", Conflict, "The same request is still being worked on";
    UploadAlreadyCompleted = "upload_already_completed", Conflict, "The file has been uploaded already";
    UploadInProgress = "upload_in_progress", Conflict, "The file is being uploaded";
    HoldResolved = "hold_resolved", Conflict, "The credits are no longer held";
    SubscriptionExists = "subscription_exists", Conflict, "There is a paid subscription already";
    SubscriptionEnded = "subscription_ended", Conflict, "The subscription has ended";
    PlanUnchanged = "plan_unchanged", Conflict, "The subscription has this plan already";
    PaymentRefused = "payment_refused", Conflict, "The payment service does not allow it";
    UploadMissing = "upload_missing", Conflict, "The file has not been uploaded yet";
    FileNotReady = "file_not_ready", Conflict, "The file is not ready for this";
    UploadExpired = "upload_expired", Gone, "The upload was not finished in time";
    VersionMismatch = "version_mismatch", PreconditionFailed, "It has been changed in the meantime";
    BodyTooLarge = "body_too_large", TooLarge, "The request is too large";
    FileTooLarge = "file_too_large", TooLarge, "The file is too large";
    UnsupportedMediaType = "unsupported_media_type", UnsupportedType, "The type is not supported";
    RangeNotSatisfiable = "range_not_satisfiable", RangeNotSatisfiable, "The range lies outside the file";
    ValidationFailed = "validation_failed", Invalid, "Some values are not valid";
    PasswordTooCommon = "password_too_common", Invalid, "The password is too easily guessed";
    IdempotencyKeyReused = "idempotency_key_reused", Invalid, "The idempotency key was used for another request";
    SizeMismatch = "size_mismatch", Invalid, "The size is not the declared one";
    ChecksumMismatch = "checksum_mismatch", Invalid, "The content does not have the declared checksum";
    RateLimited = "rate_limited", RateLimited, "Too many requests";
    Internal = "internal_error", Internal, "Something went wrong on our side";
    FeatureDisabled = "feature_disabled", Unavailable, "The feature is switched off";
    Overloaded = "overloaded", Unavailable, "The server is busy";
    DatabaseUnavailable = "database_unavailable", Unavailable, "The database cannot be reached";
    StorageUnavailable = "storage_unavailable", Unavailable, "The object store cannot be reached";
    OauthNotConfigured = "oauth_not_configured", Unavailable, "Sign-in through this provider is not set up";
    OauthUnavailable = "oauth_unavailable", Unavailable, "The provider gives no usable answer";
    BillingNotConfigured = "billing_not_configured", Unavailable, "Payments are not set up";
    PaymentsUnavailable = "payments_unavailable", Unavailable, "The payment service cannot be reached";
}

/// One value of the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: a JSON Pointer (RFC 6901) into the body, or the parameter's name.
    pub pointer: String,
    /// What sort of fault: `required`, `unknown_field`, `wrong_type`, `invalid` ...
    pub code: &'static str,
    /// What is wrong and what would be right, for a person.
    pub detail: String,
}

impl FieldError {
    /// A fault at `pointer` that `detail` explains.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }
}

/// A domain error that knows its code. `Display` is shown to clients, except for
/// [`ErrorKind::Internal`], whose text is constant at the edge.
pub trait Coded: Error + Send + Sync + 'static {
    /// The stable code.
    fn code(&self) -> ErrorCode;

    /// The values that are wrong, for [`ErrorKind::Invalid`].
    fn field_errors(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// Further members of the answer, camelCase: `creditsNeeded`, `creditsAvailable` ...
    fn members(&self) -> Map<String, Value> {
        Map::new()
    }

    /// When trying again makes sense.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn slugs_are_unique_snake_case() {
        let mut seen = HashSet::new();
        for code in ErrorCode::ALL {
            let slug = code.slug();
            assert!(
                slug.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{slug}"
            );
            assert!(seen.insert(slug), "{slug} twice");
        }
    }
}
