//! How bytes are served: RFC 9110's ranges and conditions, RFC 6266's names, signed URLs.

use super::uploader::{Uploader, id, png, settle};
use eyemotion_testkit::{Answer, TestApp};
use reqwest::Method;
use std::time::SystemTime;

#[tokio::test]
async fn ranges_are_served_as_the_rfc_says() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(320, 200);
    let size = content.len();
    let file = uploader.upload("still.png", "image/png", &content).await;
    let url = uploader.download_url(id(&file), "").await;

    let whole = uploader.fetch(&url, &[]).await;
    assert_eq!(
        (whole.status, whole.header("accept-ranges")),
        (200, Some("bytes"))
    );
    assert_eq!(
        whole.header("content-length"),
        Some(size.to_string().as_str())
    );
    assert_eq!(whole.bytes, content);
    let etag = whole.header("etag").unwrap().to_owned();
    assert!(
        etag.starts_with('"') && etag.ends_with('"'),
        "strong: {etag}"
    );

    let last = size - 1;
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 0),
        ("bytes=100-299".to_owned(), 100, 299),
        ("bytes=100-".to_owned(), 100, last),
        ("bytes=-100".to_owned(), size - 100, last),
        (format!("bytes={last}-{}", size + 1000), last, last),
        (format!("bytes=-{}", size + 1000), 0, last),
    ] {
        let part = uploader.fetch(&url, &[("range", &range)]).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.bytes, content[from..=to], "{range}");
        let expected = format!("bytes {from}-{to}/{size}");
        assert_eq!(
            part.header("content-range"),
            Some(expected.as_str()),
            "{range}"
        );
        assert_eq!(part.header("etag"), Some(etag.as_str()), "{range}");
    }
    for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
        let beyond = uploader.fetch(&url, &[("range", &range)]).await;
        assert_eq!(beyond.problem(416), "range_not_satisfiable", "{range}");
        let expected = format!("bytes */{size}");
        assert_eq!(
            beyond.header("content-range"),
            Some(expected.as_str()),
            "{range}"
        );
    }
    // What is not understood is ignored (RFC 9110 section 14.2).
    for range in ["bytes=5-2", "bytes=x-y", "lines=1-2", "bytes="] {
        let answer = uploader.fetch(&url, &[("range", range)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, size), "{range}");
    }

    let resumed = uploader
        .fetch(&url, &[("range", "bytes=100-"), ("if-range", &etag)])
        .await;
    assert_eq!((resumed.status, resumed.bytes.len()), (206, size - 100));
    for stale in [
        "\"another\"",
        &format!("W/{etag}"),
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ] {
        let answer = uploader
            .fetch(&url, &[("range", "bytes=100-"), ("if-range", stale)])
            .await;
        assert_eq!((answer.status, answer.bytes.len()), (200, size), "{stale}");
    }
    settle(&app).await;
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(64, 64);
    let file = uploader.upload("still.png", "image/png", &content).await;
    let url = uploader.download_url(id(&file), "").await;
    let whole = uploader.fetch(&url, &[]).await;
    let (etag, modified) = (
        whole.header("etag").unwrap(),
        whole.header("last-modified").unwrap(),
    );
    let several = format!("\"another\", W/{etag}");
    for known in [etag, "*", &several] {
        let answer = uploader.fetch(&url, &[("if-none-match", known)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(etag), "{known}");
    }
    let answer = uploader
        .fetch(&url, &[("if-modified-since", modified)])
        .await;
    assert_eq!((answer.status, answer.bytes.len()), (304, 0));
    let answer = uploader
        .fetch(&url, &[("if-none-match", "\"another\"")])
        .await;
    assert_eq!((answer.status, &answer.bytes[..]), (200, &content[..]));

    let head = uploader
        .person
        .send(uploader.person.request(Method::HEAD, &url))
        .await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(content.len().to_string().as_str())
    );
    assert_eq!(
        (head.header("etag"), head.header("content-type")),
        (Some(etag), Some("image/png"))
    );
    settle(&app).await;
}

#[tokio::test]
async fn names_travel_in_any_script_and_types_are_not_guessed() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let name = "ภาพยนตร์ \"ตัวอย่าง\" €.png";
    let file = uploader.upload(name, "image/png", &png(16, 16)).await;
    assert_eq!(file["filename"], name);
    let disposition = |answer: &Answer| answer.header("content-disposition").unwrap().to_owned();

    let url = uploader.download_url(id(&file), "").await;
    let saved = uploader.fetch(&url, &[]).await;
    let header = disposition(&saved);
    // RFC 6266 with RFC 8187: every byte that is no attr-char is percent-encoded.
    assert!(header.starts_with("attachment; "), "{header}");
    let extended = header.split("filename*=UTF-8''").nth(1).unwrap();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'.' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    assert_eq!(extended.split(';').next(), Some(encoded.as_str()));
    assert!(
        header.is_ascii() && header.contains("filename=\""),
        "{header}"
    );
    assert_eq!(saved.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(saved.header("content-type"), Some("image/png"));

    let shown = uploader
        .download_url(id(&file), "?disposition=inline")
        .await;
    let header = disposition(&uploader.fetch(&shown, &[]).await);
    assert!(header.starts_with("inline"), "{header}");

    // A picture that may carry scripts is never shown in our name.
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>"#;
    let file = uploader.upload("logo.svg", "image/svg+xml", svg).await;
    if file["processingStatus"] == "ready" {
        let url = uploader
            .download_url(id(&file), "?disposition=inline")
            .await;
        let header = disposition(&uploader.fetch(&url, &[]).await);
        assert!(header.starts_with("attachment"), "{header}");
    }
    settle(&app).await;
}

#[tokio::test]
async fn a_download_url_is_bound_to_all_it_says() {
    let app = TestApp::start_with(|settings| settings.storage.download_ttl_secs = 1).await;
    let uploader = Uploader::new(&app).await;
    let file = uploader.upload("a.png", "image/png", &png(16, 16)).await;
    let other = uploader.upload("b.png", "image/png", &png(17, 17)).await;
    let path = format!("/files/{}/download-url", id(&file));
    let answer = uploader.person.get(&path).await.expect(200);
    let url = answer["downloadUrl"].as_str().unwrap();
    let query = url.split_once('?').unwrap().1;
    let swapped = url.replace(id(&file), id(&other));
    let mut tampered = vec![
        swapped,
        url.replace("rendition=original", "rendition=thumbnail"),
    ];
    tampered.push(url.replace("disposition=attachment", "disposition=inline"));
    for name in ["expires", "signature"] {
        let (_, value) = query
            .split('&')
            .find_map(|p| p.split_once('=').filter(|p| p.0 == name))
            .unwrap();
        let first = if value.starts_with('1') { '2' } else { '1' };
        let changed = format!("{name}={first}{}", &value[1..]);
        tampered.push(url.replace(&format!("{name}={value}"), &changed));
    }
    for tampered in tampered {
        assert_ne!(tampered, url);
        let answer = uploader.fetch(&tampered, &[]).await;
        assert_eq!(answer.problem(403), "download_url_invalid", "{tampered}");
    }
    let expires = chrono::DateTime::parse_from_rfc3339(answer["expiresAt"].as_str().unwrap());
    let left = SystemTime::from(expires.unwrap()).duration_since(SystemTime::now());
    tokio::time::sleep(left.unwrap_or_default()).await;
    assert_eq!(
        uploader.fetch(url, &[]).await.problem(403),
        "download_url_expired"
    );
    settle(&app).await;
}
