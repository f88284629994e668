use crate::problem::ApiError;
use eyemotion_auth::Proof;
use eyemotion_core::FieldError;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

/// What a mail has shown its reader: the link's `token`, or the `code` with the account's `email`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProofBody {
    /// Of the link.
    #[schema(value_type = Option<String>, max_length = 100)]
    token: Option<SecretString>,
    /// The address that the account has now.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// Six digits.
    #[schema(value_type = Option<String>, max_length = 20)]
    code: Option<SecretString>,
}

impl TryFrom<ProofBody> for Proof {
    type Error = ApiError;

    fn try_from(body: ProofBody) -> Result<Self, ApiError> {
        proof(body.token, body.email, body.code)
    }
}

/// Either way of proving, and not both.
pub(super) fn proof(
    token: Option<SecretString>,
    email: Option<String>,
    code: Option<SecretString>,
) -> Result<Proof, ApiError> {
    let fault =
        |pointer, code, detail| ApiError::invalid(vec![FieldError::new(pointer, code, detail)]);
    match (token, email, code) {
        (Some(token), None, None) => Ok(Proof::Link(token)),
        (None, Some(email), Some(code)) => Ok(Proof::Code { email, code }),
        (Some(_), _, _) => {
            let detail = "is a proof of its own: leave email and code out";
            Err(fault("/token", "invalid", detail))
        }
        (None, None, Some(_)) => Err(fault("/email", "required", "goes with the code")),
        (None, Some(_), None) => Err(fault("/code", "required", "goes with the address")),
        (None, None, None) => {
            let detail = "give the link's token, or email and code";
            Err(fault("/token", "required", detail))
        }
    }
}
