//! Signatures of requests (AWS Signature Version 4): whose key, and whether everything is as it was signed.

use axum::http::{HeaderMap, StatusCode, header, request};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const BODY_HASH: &str = "x-amz-content-sha256";
const DATE: &str = "x-amz-date";

const fn denied(code: &'static str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, code)
}

/// What the `Authorization` header says.
struct Authorization<'a> {
    key_id: &'a str,
    /// Date, region, service and a fixed word.
    scope: Vec<&'a str>,
    signed: Vec<&'a str>,
    signature: &'a str,
}

fn authorization(headers: &HeaderMap) -> Option<Authorization<'_>> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix(ALGORITHM)?;
    let field = |name: &str| {
        text.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (key_id, scope) = field("Credential")?.split_once('/')?;
    Some(Authorization {
        key_id,
        scope: scope.split('/').collect(),
        signed: field("SignedHeaders")?.split(';').collect(),
        signature: field("Signature")?,
    })
}

/// Refuses what is not signed, not by this key, or not as it arrived.
pub(super) fn check(
    parts: &request::Parts,
    body: &[u8],
    key_id: &str,
    secret_key: &str,
) -> Result<(), Refusal> {
    let told = authorization(&parts.headers).ok_or(denied("AccessDenied"))?;
    if told.key_id != key_id {
        return Err(denied("InvalidAccessKeyId"));
    }
    let value = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).map(str::trim).collect::<Vec<_>>().join(",")
    };
    let well_formed = told.scope.len() == 4
        && told.scope[2..] == ["s3", "aws4_request"]
        && value(DATE).starts_with(told.scope[0])
        && ["host", BODY_HASH, DATE].iter().all(|name| told.signed.contains(name));
    if !well_formed {
        return Err(denied("AuthorizationHeaderMalformed"));
    }
    if value(BODY_HASH) != hex::encode(Sha256::digest(body)) {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"));
    }
    let mut query: Vec<String> = parts
        .uri
        .query()
        .map(|query| query.split('&'))
        .into_iter()
        .flatten()
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    query.sort_unstable();
    let headers: Vec<String> =
        told.signed.iter().map(|name| format!("{name}:{}\n", value(name))).collect();
    let request = [
        parts.method.as_str(),
        parts.uri.path(),
        &query.join("&"),
        &headers.concat(),
        &told.signed.join(";"),
        &value(BODY_HASH),
    ]
    .join("\n");
    let scope = told.scope.join("/");
    let text = [ALGORITHM, &value(DATE), &scope, &hex::encode(Sha256::digest(request))].join("\n");
    let first = format!("AWS4{secret_key}").into_bytes();
    let key = told.scope.iter().fold(first, |key, part| mac(&key, part));
    if hex::encode(mac(&key, &text)) == told.signature {
        Ok(())
    } else {
        Err(denied("SignatureDoesNotMatch"))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    /// The example of the documentation: "GET Object" of "Examples: Signature Calculations".
    fn documented() -> axum::http::request::Builder {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        Request::get("/test.txt")
            .header("host", "examplebucket.s3.amazonaws.com")
            .header("range", "bytes=0-9")
            .header(BODY_HASH, empty)
            .header(DATE, "20130524T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                 Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            )
    }

    fn outcome(
        request: axum::http::request::Builder,
        body: &[u8],
        key_id: &str,
        secret: &str,
    ) -> Result<(), &'static str> {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        check(&parts, body, key_id, secret).map_err(|refusal| refusal.code)
    }

    #[test]
    fn the_documented_example_is_taken_and_nothing_that_differs_from_it() {
        let (key, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        assert_eq!(outcome(documented(), b"", key, secret), Ok(()));
        let other = documented().uri("/other.txt");
        assert_eq!(outcome(other, b"", key, secret), Err("SignatureDoesNotMatch"));
        assert_eq!(outcome(documented(), b"", key, "wrong"), Err("SignatureDoesNotMatch"));
        assert_eq!(outcome(documented(), b"", "OTHER", secret), Err("InvalidAccessKeyId"));
        assert_eq!(outcome(documented(), b"x", key, secret), Err("XAmzContentSHA256Mismatch"));
        assert_eq!(outcome(Request::get("/test.txt"), b"", key, secret), Err("AccessDenied"));
    }
}
