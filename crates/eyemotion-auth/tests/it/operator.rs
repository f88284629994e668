use crate::world::{EMAIL, PASSWORD, World, new_user};
use eyemotion_auth::Accounts;
use eyemotion_core::{Coded, Ctx, ErrorCode, UserRole};

#[tokio::test]
async fn the_platform_makes_its_first_admin() {
    let world = World::new().await;
    let system = Ctx::system("cli");
    let made = world
        .accounts
        .create_user(&system, new_user(EMAIL), UserRole::SuperAdmin)
        .await;
    let made = made.unwrap();
    assert!(made.session.is_none());
    assert_eq!(world.count("auth.sessions").await, 0);
    let person = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    assert_eq!(person.id, made.id);
    let account = world.accounts.me(&person.ctx).await.unwrap();
    assert_eq!(account.profile.role, UserRole::SuperAdmin);
    assert!(account.subscription.is_some(), "an admin is a person, too");
}

#[tokio::test]
async fn a_role_is_given_by_address() {
    let (world, person) = World::with_person().await;
    let system = Ctx::system("cli");
    let promoted = world
        .accounts
        .promote(&system, "Test@Example.com", UserRole::Admin)
        .await;
    assert_eq!(promoted.unwrap(), person.id);
    assert_eq!(
        world.accounts.profile(&person.ctx).await.unwrap().role,
        UserRole::Admin
    );
    assert_eq!(world.logged("account.role_changed").await, 1);
    let unknown = world
        .accounts
        .promote(&system, "other@example.com", UserRole::Admin)
        .await;
    assert_eq!(unknown.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn people_do_not_make_admins() {
    let (world, person) = World::with_person().await;
    for ctx in [&person.ctx, &crate::world::nobody()] {
        let promoted = world.accounts.promote(ctx, EMAIL, UserRole::Admin).await;
        assert_eq!(promoted.unwrap_err().code(), ErrorCode::Forbidden);
        let made = world
            .accounts
            .create_user(ctx, new_user("x@y.zz"), UserRole::Admin)
            .await;
        assert_eq!(made.unwrap_err().code(), ErrorCode::Forbidden);
    }
    assert_eq!(world.count("user_profiles WHERE role <> 'user'").await, 0);
}
