//! Whether a webhook is Stripe's word (docs.stripe.com/webhooks#verify-manually).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;

/// The scheme of live and test signatures alike. `v0` is not one to be trusted.
const SCHEME: &str = "v1";

/// Why a webhook is not believed. Whoever sent it is not told which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No `t`, more than one, or one that is no number of seconds.
    #[error("the header names no time")]
    NoTime,
    /// No `v1` at all.
    #[error("the header has no signature of the scheme v1")]
    NoSignature,
    /// No `v1` is what any of the secrets makes of time and body.
    #[error("no signature matches")]
    Mismatch,
    /// Signed too long ago, or in the future.
    #[error("the signature is {0} s away from now")]
    OutOfTime(i64),
}

/// Checks the `Stripe-Signature` header of the raw `body`: one of its `v1` must be the HMAC-SHA256
/// of `t.body` under one of `secrets`, and `t` no further than `tolerance` from `now`, in either
/// direction. Spaces around the header's parts are overlooked, so are schemes that nobody knows.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_signature(
    body: &[u8],
    header: &str,
    secrets: &[impl AsRef<[u8]>],
    now: DateTime<Utc>,
    tolerance: TimeDelta,
) -> Result<(), SignatureError> {
    let (time, signatures) = parse(header)?;
    if signatures.is_empty() {
        return Err(SignatureError::NoSignature);
    }
    let mut matches = false;
    for secret in secrets {
        let expected = sign(body, time, secret.as_ref());
        // Every one is compared, so that the time taken tells nothing of which one it was.
        for signature in &signatures {
            matches |= verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_ok();
        }
    }
    if !matches {
        return Err(SignatureError::Mismatch);
    }
    let distance = now.timestamp().saturating_sub(time);
    if distance.saturating_abs() > tolerance.num_seconds() {
        return Err(SignatureError::OutOfTime(distance));
    }
    Ok(())
}

/// The signature of `body` at `time`, Unix seconds: lower-case hex.
fn sign(body: &[u8], time: i64, secret: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{time}.").as_bytes());
    context.update(body);
    HEXLOWER.encode(context.sign().as_ref())
}

fn parse(header: &str) -> Result<(i64, Vec<&str>), SignatureError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        match (name.trim(), value.trim()) {
            ("t", _) if time.is_some() => return Err(SignatureError::NoTime),
            ("t", value) if value.bytes().all(|digit| digit.is_ascii_digit()) => {
                time = Some(value.parse().map_err(|_| SignatureError::NoTime)?);
            }
            ("t", _) => return Err(SignatureError::NoTime),
            (SCHEME, value) => signatures.push(value),
            _ => {}
        }
    }
    Ok((time.ok_or(SignatureError::NoTime)?, signatures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const BODY: &[u8] = br#"{"id": "evt_1"}"#;
    const NOW: i64 = 1_800_000_000;

    fn check(header: &str, secrets: &[&str]) -> Result<(), SignatureError> {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        verify_signature(BODY, header, secrets, now, TimeDelta::seconds(300))
    }

    fn signed(time: i64, secret: &str) -> String {
        sign(BODY, time, secret.as_bytes())
    }

    #[test]
    fn is_the_hmac_of_time_and_body() {
        // printf '1492774577.{}' | openssl dgst -sha256 -hmac whsec_a
        let expected = "0795e42ae1a6ef2a9f851697878fcb6cef11bac904210e366dbfab6807a52f1b";
        assert_eq!(sign(b"{}", 1_492_774_577, b"whsec_a"), expected);
    }

    #[rstest]
    #[case(0, Ok(()))]
    #[case(300, Ok(()))]
    #[case(-300, Ok(()))]
    #[case(301, Err(SignatureError::OutOfTime(301)))]
    #[case(-301, Err(SignatureError::OutOfTime(-301)))]
    fn holds_for_five_minutes_both_ways(
        #[case] age: i64,
        #[case] verdict: Result<(), SignatureError>,
    ) {
        let time = NOW - age;
        let header = format!("t={time},v1={}", signed(time, "a"));
        assert_eq!(check(&header, &["a"]), verdict);
    }

    #[test]
    fn any_signature_under_any_secret_does() {
        let (old, new) = (signed(NOW, "old"), signed(NOW, "new"));
        let both = format!("t={NOW},v1={old},v1={new}");
        for secrets in [&["old"][..], &["new"], &["x", "new"], &["old", "x"]] {
            assert_eq!(check(&both, secrets), Ok(()), "{secrets:?}");
        }
        assert_eq!(check(&both, &["x", "y"]), Err(SignatureError::Mismatch));
        assert_eq!(check(&both, &[]), Err(SignatureError::Mismatch));
    }

    #[test]
    fn overlooks_spaces_and_unknown_schemes() {
        let good = signed(NOW, "a");
        for header in [
            format!("t={NOW}, v1={good}"),
            format!(" t = {NOW} , v0=abc,  v1 = {good} ,v2=x,,junk"),
            format!("v1={good},t={NOW}"),
        ] {
            assert_eq!(check(&header, &["a"]), Ok(()), "{header}");
        }
    }

    #[rstest]
    #[case("", SignatureError::NoTime)]
    #[case("t=,v1=GOOD", SignatureError::NoTime)]
    #[case("t=-5,v1=GOOD", SignatureError::NoTime)]
    #[case("t=1.5,v1=GOOD", SignatureError::NoTime)]
    #[case("t=99999999999999999999,v1=GOOD", SignatureError::NoTime)]
    #[case("t=1800000000,t=1800000000,v1=GOOD", SignatureError::NoTime)]
    #[case("v1=GOOD", SignatureError::NoTime)]
    #[case("t=1800000000", SignatureError::NoSignature)]
    #[case("t=1800000000,v0=GOOD", SignatureError::NoSignature)]
    #[case("t=1800000000,v1=", SignatureError::Mismatch)]
    #[case("t=1800000000,v1=GOOD0", SignatureError::Mismatch)]
    #[case("t=1800000001,v1=GOOD", SignatureError::Mismatch)]
    fn refuses_what_is_not_whole(#[case] header: &str, #[case] verdict: SignatureError) {
        let header = header.replace("GOOD", &signed(NOW, "a"));
        assert_eq!(check(&header, &["a"]), Err(verdict), "{header}");
    }

    #[test]
    fn another_body_or_upper_case_is_another_signature() {
        let good = signed(NOW, "a");
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let header = format!("t={NOW},v1={good}");
        let longer = verify_signature(b"{}", &header, &["a"], now, TimeDelta::seconds(300));
        assert_eq!(longer, Err(SignatureError::Mismatch));
        let shouted = format!("t={NOW},v1={}", good.to_uppercase());
        assert_eq!(check(&shouted, &["a"]), Err(SignatureError::Mismatch));
    }
}
