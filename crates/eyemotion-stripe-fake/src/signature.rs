//! `Stripe-Signature`: <https://docs.stripe.com/webhooks#verify-manually>

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

/// The header for a body that is signed with one secret at `t`, in Unix seconds.
pub fn signature_header(body: &[u8], secret: &str, t: i64) -> String {
    signature_header_of(body, &[secret], t)
}

/// The header with one `v1` for each secret, as it is while a secret is being rolled.
pub fn signature_header_of(body: &[u8], secrets: &[&str], t: i64) -> String {
    let mut header = format!("t={t}");
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut signed = format!("{t}.").into_bytes();
        signed.extend_from_slice(body);
        let tag = hmac::sign(&key, &signed);
        header = format!("{header},v1={}", HEXLOWER.encode(tag.as_ref()));
    }
    header
}
