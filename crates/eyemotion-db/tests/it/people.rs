use eyemotion_core::{Actor, Ctx, SessionId, UserId, UserRole};
use eyemotion_testkit::TestDatabase;
use std::time::Duration;
use tokio_postgres::Client;
use uuid::Uuid;

/// Somebody with a profile.
pub struct Person {
    pub id: UserId,
}

impl Person {
    pub fn ctx(&self) -> Ctx {
        let session = SessionId(Uuid::now_v7());
        let actor = Actor::User {
            id: self.id,
            session,
            role: UserRole::User,
        };
        Ctx {
            actor,
            ..Ctx::system("test")
        }
    }
}

pub async fn person(database: &TestDatabase, email: &str) -> Person {
    let admin = database.admin().await;
    // Row-level security holds for the owner too, so even a test says for whom it acts.
    let sql = format!(
        "begin; set local role service_role; \
         select set_config('request.jwt.claim.role', 'service_role', true); \
         insert into auth.users (email) values ('{email}'); \
         insert into public.user_profiles (id, full_name) \
         select id, 'A Person' from auth.users where email = '{email}'; commit"
    );
    admin.batch_execute(&sql).await.unwrap();
    let row = admin
        .query_one("select id from auth.users where email = $1", &[&email])
        .await
        .unwrap();
    Person {
        id: row.get::<_, Uuid>(0).into(),
    }
}

/// What a test waits for.
pub trait Until {
    /// Waits until the query says true.
    async fn until(&self, condition: &str);
}

impl Until for TestDatabase {
    async fn until(&self, condition: &str) {
        until(&self.admin().await, condition).await;
    }
}

pub async fn until(client: &Client, condition: &str) {
    let holds = async {
        while !client
            .query_one(condition, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), holds)
        .await
        .expect(condition);
}
