//! What is still under way when an account is deleted.

use super::stage::{Run, Stage, leave};
use bytes::Bytes;
use reqwest::Body;
use tokio::sync::mpsc;

#[tokio::test]
async fn an_upload_under_way_comes_to_nothing() {
    let stage = Stage::with_undo_days(0).await;
    let maker = stage.filmmaker().await;
    let person = maker.person.user().to_owned();
    let grant = maker.grant_json(1000).await;
    let (send, receive) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body = futures_util::stream::unfold(receive, async |mut receive| {
        let piece = receive.recv().await?;
        Some((piece, receive))
    });
    let request = maker
        .request(&grant, Body::wrap_stream(body))
        .header("content-length", 1000);
    let sender = maker.person.signed_out();
    let upload = tokio::spawn(async move { sender.try_send(request).await });
    send.send(Ok(Bytes::from(vec![b' '; 500]))).await.unwrap();
    while stage
        .count("project_files where processing_status = 'uploading'")
        .await
        == 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    leave(&maker.person).await;
    assert_eq!(stage.erase().await, Run::Done);
    assert_eq!(stage.erase().await, Run::Done);
    stage.idle().await;
    // The rest of it comes when there is nothing any more to come to.
    let mut rest = vec![b' '; 500];
    (rest[0], rest[499]) = (b'[', b']');
    let _ = send.send(Ok(Bytes::from(rest))).await;
    drop(send);
    if let Some(answer) = upload.await.unwrap() {
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    stage.erase_wholly().await;
    assert_eq!(stage.tables_with(&person).await, [""; 0]);
    assert!(stage.objects_with(&person).is_empty());
    assert_eq!(stage.drift().await, 0);
}

#[tokio::test]
async fn nobody_works_on_an_account_that_is_being_deleted() {
    let stage = Stage::with_undo_days(0).await;
    let maker = stage.filmmaker().await;
    let grant = maker.grant_json(10).await;
    let address = stage.address(&maker.person).await;
    leave(&maker.person).await;
    let back = stage.sign_in(&address).await;
    assert_eq!(stage.erase().await, Run::Done);
    // Closed: not even undoing is possible.
    let refused = back
        .post("/auth/account/deletion/undo", &serde_json::json!({}))
        .await;
    assert_eq!(refused.problem(401), "session_ended");
    let body = serde_json::json!({ "email": address, "password": super::stage::PASSWORD });
    let refused = stage.app.anonymous().post("/auth/signin", &body).await;
    assert_eq!(refused.problem(401), "invalid_credentials");
    stage.erase_wholly().await;
    // A URL that was given before leads nowhere.
    let answer = maker.put(&grant, b"[12345678]".to_vec()).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert!(stage.objects_with(maker.person.user()).is_empty());
}
