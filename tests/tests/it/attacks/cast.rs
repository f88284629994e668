use eyemotion_testkit::{Client, TestApp};

/// Gives somebody a role, as an operator's command line would, and waits for nothing: it holds
/// for the next request.
pub(crate) async fn raise(app: &TestApp, client: &Client, role: &str) {
    let raise = "UPDATE public.user_profiles SET role = $2 WHERE id = $1::text::uuid";
    let admin = app.database.admin().await;
    assert_eq!(
        admin
            .execute(raise, &[&client.user(), &role])
            .await
            .unwrap(),
        1
    );
    until_role(client, role).await;
}

/// Waits until the server has heard of it.
async fn until_role(client: &Client, role: &str) {
    for _ in 0..200 {
        let me = client.get("/auth/me").await.expect(200);
        if me["user"]["profile"]["role"] == role {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the role {role} has not arrived");
}
