//! Identities of somebody who is signed in.

use super::{Scene, start};
use crate::world::{PASSWORD, Person, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{AuthError, Federated, Federation, FederationError, Provider};
use eyemotion_core::{Coded, Ctx, ErrorCode};

const EMAIL: &str = "grace@example.com";

impl Scene {
    async fn add(&self, ctx: &Ctx, provider: Provider) -> Result<Federated, FederationError> {
        let trip = self.leave_as(ctx, provider, None).await;
        self.finish(&trip).await
    }

    async fn names(&self, ctx: &Ctx) -> Vec<String> {
        let identities = self.federation.identities(ctx).await.unwrap();
        identities
            .into_iter()
            .map(|identity| identity.provider)
            .collect()
    }

    async fn person(&self) -> Person {
        let person = self.world.person(EMAIL).await;
        self.world.mails.take();
        person
    }
}

/// Whatever address it has, verified or not: the person is signed in on both sides.
#[tokio::test]
async fn an_identity_is_added_to_the_account_that_is_signed_in() {
    let scene = Scene::new().await;
    let person = scene.person().await;
    scene.github.becomes(5, "other@example.com", false);
    let added = scene.add(&person.ctx, Provider::Github).await.unwrap();
    assert_eq!(added.account.id, person.id);
    assert!(added.tokens.is_none());
    assert_eq!(scene.world.count("auth.sessions").await, 1);
    let mails = scene.world.mails.take();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].template, mails[0].to.as_str()),
        ("identity_linked", EMAIL)
    );
    // The password stays: nothing was claimed.
    scene.world.sign_in(EMAIL, PASSWORD).await.unwrap();

    let again = scene.add(&person.ctx, Provider::Github).await.unwrap();
    assert_eq!(again.account.id, person.id);
    assert!(scene.world.mails.take().is_empty());
    assert_eq!(scene.names(&person.ctx).await, ["github"]);
    let signed_in = scene.sign_in(Provider::Github).await.unwrap();
    assert_eq!(signed_in.account.id, person.id);
    assert_eq!(scene.world.logged("identity.linked").await, 1);
}

#[tokio::test]
async fn an_identity_of_somebody_else_stays_theirs() {
    let scene = Scene::new().await;
    let owner = scene.sign_in(Provider::Github).await.unwrap();
    let person = scene.person().await;
    let taken = scene.add(&person.ctx, Provider::Github).await;
    assert!(
        matches!(taken, Err(FederationError::IdentityTaken)),
        "{taken:?}"
    );
    let again = scene.sign_in(Provider::Github).await.unwrap();
    assert_eq!(again.account.id, owner.account.id);
    assert!(scene.names(&person.ctx).await.is_empty());
}

#[tokio::test]
async fn nothing_is_added_once_the_session_has_ended() {
    let scene = Scene::new().await;
    let person = scene.person().await;
    let trip = scene.leave_as(&person.ctx, Provider::Github, None).await;
    scene
        .world
        .execute("UPDATE auth.sessions SET revoked_at = now()", &[])
        .await;
    let refused = scene.finish(&trip).await;
    assert!(
        matches!(refused, Err(FederationError::Auth(AuthError::SessionEnded))),
        "{refused:?}"
    );
    assert_eq!(scene.world.count("auth.identities").await, 0);
}

#[tokio::test]
async fn the_last_way_to_sign_in_stays() {
    let scene = Scene::new().await;
    let federated = scene.sign_in(Provider::Github).await.unwrap();
    let own = scene.world.ctx_of(&federated.tokens.unwrap());
    let github = scene.federation.identities(&own).await.unwrap()[0].id;
    let refused = scene.federation.unlink(&own, github).await;
    assert!(
        matches!(refused, Err(FederationError::LastSignInMethod)),
        "{refused:?}"
    );

    scene.add(&own, Provider::Google).await.unwrap();
    scene.world.mails.take();
    scene.federation.unlink(&own, github).await.unwrap();
    assert_eq!(scene.names(&own).await, ["google"]);
    let mails = scene.world.mails.take();
    let told = mails
        .iter()
        .map(|mail| (mail.template, &mail.data["provider"]));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("identity_unlinked", &"GitHub".into())]
    );
    assert_eq!(scene.world.logged("identity.unlinked").await, 1);
    let gone = scene.federation.unlink(&own, github).await;
    assert!(matches!(gone, Err(FederationError::NotFound)), "{gone:?}");
}

#[tokio::test]
async fn with_a_password_every_identity_may_go() {
    let scene = Scene::new().await;
    let person = scene.person().await;
    scene.add(&person.ctx, Provider::Github).await.unwrap();
    let id = scene.federation.identities(&person.ctx).await.unwrap()[0].id;
    scene.federation.unlink(&person.ctx, id).await.unwrap();
    assert!(scene.names(&person.ctx).await.is_empty());
}

#[tokio::test]
async fn a_stale_session_neither_adds_nor_removes() {
    let scene = Scene::new().await;
    let federated = scene.sign_in(Provider::Github).await.unwrap();
    let own = scene.world.ctx_of(&federated.tokens.unwrap());
    let id = scene.federation.identities(&own).await.unwrap()[0].id;
    scene.world.advance(TimeDelta::minutes(11));
    let removed = scene.federation.unlink(&own, id).await.unwrap_err();
    assert_eq!(removed.code(), ErrorCode::ReauthenticationNeeded);
    let added = scene.federation.begin(&own, start(Provider::Google)).await;
    assert_eq!(
        added.err().unwrap().code(),
        ErrorCode::ReauthenticationNeeded
    );
}

#[tokio::test]
async fn of_two_identities_removed_at_once_one_stays() {
    let scene = Scene::new().await;
    let federated = scene.sign_in(Provider::Github).await.unwrap();
    let own = scene.world.ctx_of(&federated.tokens.unwrap());
    scene.add(&own, Provider::Google).await.unwrap();
    let ids = scene.federation.identities(&own).await.unwrap();
    let (one, two) = futures_util::join!(
        scene.federation.unlink(&own, ids[0].id),
        scene.federation.unlink(&own, ids[1].id),
    );
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(scene.names(&own).await.len(), 1);
}

#[tokio::test]
async fn identities_are_their_owners_alone() {
    let scene = Scene::new().await;
    let federated = scene.sign_in(Provider::Github).await.unwrap();
    let own = scene.world.ctx_of(&federated.tokens.unwrap());
    let id = scene.federation.identities(&own).await.unwrap()[0].id;
    let stranger = scene.person().await;
    assert!(scene.names(&stranger.ctx).await.is_empty());
    let refused = scene.federation.unlink(&stranger.ctx, id).await;
    assert!(
        matches!(refused, Err(FederationError::NotFound)),
        "{refused:?}"
    );
    assert!(scene.federation.identities(&nobody()).await.is_err());
    assert_eq!(scene.names(&own).await, ["github"]);
}
