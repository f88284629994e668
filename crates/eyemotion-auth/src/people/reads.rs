use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::people::{Part, PeopleFilter, PeopleList, Person, PersonDetail};
use crate::repository::{account_overview, admin_users};
use eyemotion_core::{Ctx, Cursor, Page, UserId};

impl AccountService {
    pub(super) async fn list_people(
        &self,
        ctx: &Ctx,
        filter: &PeopleFilter,
        part: Part,
    ) -> Result<PeopleList, AuthError> {
        let now = self.clock.now();
        let mut tx = self.db.read(ctx).await?;
        let total = admin_users::count(&mut tx, filter, now).await?;
        let rows = admin_users::list(&mut tx, filter, now, part).await?;
        let limit = match part {
            Part::Numbered { limit, .. } => limit,
            Part::After(page) => page.limit,
        };
        let page = Page::from_rows(rows, limit, |row| Cursor {
            created_at: row.created_at,
            id: row.id,
        });
        let people = page.items.into_iter().map(|row| row.into_person(now));
        Ok(PeopleList {
            people: people.collect::<Result<_, _>>()?,
            total,
            next: page.next,
        })
    }

    pub(super) async fn find_person(&self, ctx: &Ctx, user: UserId) -> Result<Person, AuthError> {
        let mut tx = self.db.read(ctx).await?;
        let row = admin_users::find(&mut tx, user).await?;
        let row = row.ok_or(AuthError::NoSuchUser)?;
        Ok(row.into_person(self.clock.now())?)
    }

    pub(super) async fn detail(&self, ctx: &Ctx, user: UserId) -> Result<PersonDetail, AuthError> {
        let person = self.find_person(ctx, user).await?;
        let mut tx = self.db.read(ctx).await?;
        let account = account_overview::find(&mut tx, user).await?;
        let account = account.ok_or(AuthError::NoSuchUser)?.into_overview()?;
        // The policies let nobody see another's sessions; how many there are is no secret here.
        let mut tx = self.db.read(&as_platform(ctx)).await?;
        let sessions = admin_users::count_sessions(&mut tx, user, self.clock.now()).await?;
        Ok(PersonDetail {
            person,
            account,
            sessions,
        })
    }
}
