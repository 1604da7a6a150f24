//! Verifies a request's signature: the request is signed once more, as its client should have done it, and the two
//! signatures are compared.

use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use hyper::http::request::Parts;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::authorization::Authorization;
use super::credentials::{Credentials, Secret};
use crate::service::front::refusal::Refusal;

/// The name by which requests to this service are signed.
const SERVICE: &str = "cloudhsm";

/// How far a client's clock may be off: a request that somebody recorded is good for no longer.
const SKEW: Duration = Duration::minutes(15);

const X_AMZ_DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";

const STAMP: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Whether the owner of one of these credentials signed the request, just now and for this service.
pub(super) fn verify(
    request: &Parts,
    body: &[u8],
    signed: &Authorization<'_>,
    known: &Credentials,
    now: SystemTime,
) -> Result<(), Refusal> {
    let secret = known.of(signed.access_key).ok_or(Refusal::UnrecognizedClient)?;
    check_session_token(request, secret)?;
    if signed.scope.service != SERVICE {
        let sentence = format!("Credential should be scoped to correct service: '{SERVICE}'.");
        return Err(Refusal::InvalidSignature(sentence));
    }
    let time = check_time(request, signed, now)?;
    check_signed_headers(request, signed)?;
    let expected = signature(request, body, signed, secret, time).ok_or_else(mismatch)?;
    verify_slices_are_equal(expected.as_bytes(), signed.signature.as_bytes()).map_err(|_| mismatch())
}

fn check_session_token(request: &Parts, secret: &Secret) -> Result<(), Refusal> {
    let sent = header(request, SECURITY_TOKEN).unwrap_or_default();
    let owned = secret.session_token.as_ref().map(|token| token.as_str()).unwrap_or_default();
    verify_slices_are_equal(sent.as_bytes(), owned.as_bytes()).map_err(|_| Refusal::UnrecognizedClient)
}

/// When the client signed the request, if that is about now.
fn check_time(request: &Parts, signed: &Authorization<'_>, now: SystemTime) -> Result<SystemTime, Refusal> {
    let text = header(request, X_AMZ_DATE).ok_or_else(|| {
        let sentence = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        Refusal::IncompleteSignature(sentence.to_owned())
    })?;
    let stamp = PrimitiveDateTime::parse(text, STAMP).map_err(|_| {
        let what = "Date must be in ISO-8601 'basic format'.";
        let where_to_read = "See http://en.wikipedia.org/wiki/ISO_8601";
        Refusal::IncompleteSignature(format!("{what} Got '{text}'. {where_to_read}"))
    })?;
    let day = text.split('T').next().unwrap_or_default();
    if signed.scope.date != day {
        return Err(Refusal::InvalidSignature(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '{}' != '{day}', from '{text}'.",
            signed.scope.date
        )));
    }
    let (time, now) = (stamp.assume_utc(), OffsetDateTime::from(now));
    check_skew(text, time, now)?;
    Ok(time.into())
}

/// Fails for a recorded request that is sent again later, and for a client whose clock is wrong.
fn check_skew(text: &str, time: OffsetDateTime, now: OffsetDateTime) -> Result<(), Refusal> {
    let show = |time: OffsetDateTime| time.format(STAMP).unwrap_or_default();
    let age = now - time;
    if age > SKEW {
        let (limit, now) = (show(now - SKEW), show(now));
        let sentence = format!("Signature expired: {text} is now earlier than {limit} ({now} - 15 min.)");
        return Err(Refusal::InvalidSignature(sentence));
    }
    if age < -SKEW {
        let (limit, now) = (show(now + SKEW), show(now));
        let sentence =
            format!("Signature not yet current: {text} is still later than {limit} ({now} + 15 min.)");
        return Err(Refusal::InvalidSignature(sentence));
    }
    Ok(())
}

/// Without this, somebody who recorded a request could send another operation, or to another host.
fn check_signed_headers(request: &Parts, signed: &Authorization<'_>) -> Result<(), Refusal> {
    let unsigned = |name: &str| {
        Refusal::InvalidSignature(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."))
    };
    if !signed.signs("host") {
        return Err(unsigned("Host"));
    }
    let mut names = request.headers.keys().map(hyper::header::HeaderName::as_str);
    // Some clients add the token after they have signed the rest; it is compared by itself.
    let must_be = |name: &&str| name.starts_with("x-amz-") && *name != SECURITY_TOKEN;
    match names.find(|name| must_be(name) && !signed.signs(name)) {
        Some(name) => Err(unsigned(name)),
        None => Ok(()),
    }
}

/// The signature that belongs to the request; `None` if no client could have signed it.
fn signature(
    request: &Parts,
    body: &[u8],
    signed: &Authorization<'_>,
    secret: &Secret,
    time: SystemTime,
) -> Option<String> {
    let keys = Keys::new(signed.access_key, secret.key.as_str(), None, None, "file").into();
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let params = SigningParams::builder()
        .identity(&keys)
        .region(signed.scope.region)
        .name(signed.scope.service)
        .time(time)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let path = request.uri.path_and_query()?.as_str();
    let headers = signed_headers(request, signed)?;
    // The host that counts is the header's, which is signed.
    let uri = format!("http://localhost{path}");
    let body = SignableBody::Bytes(body);
    let request = SignableRequest::new(request.method.as_str(), uri, headers.into_iter(), body).ok()?;
    Some(sign(request, &params).ok()?.signature().to_owned())
}

/// `None` if one that the client signed has not arrived, or is no text.
fn signed_headers<'a>(request: &'a Parts, signed: &'a Authorization<'_>) -> Option<Vec<(&'a str, &'a str)>> {
    let mut headers = Vec::new();
    for name in &signed.signed_headers {
        let mut values = request.headers.get_all(name).into_iter().peekable();
        values.peek()?;
        for value in values {
            headers.push((name.as_str(), value.to_str().ok()?));
        }
    }
    Some(headers)
}

fn header<'a>(request: &'a Parts, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

fn mismatch() -> Refusal {
    Refusal::InvalidSignature(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
            .to_owned(),
    )
}

#[cfg(test)]
mod tests;
