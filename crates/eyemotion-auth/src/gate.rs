//! The gate that every request of a signed-in person passes: does the token still speak for
//! somebody, and with which role?

use crate::account::AccountService;
use crate::error::{AuthError, TokenError};
use crate::hot_reads::HotReads;
use crate::repository::profiles::parse_role;
use crate::repository::standing::{self, SessionEndRow, StandingRow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, SessionId, UserId, UserRole};
use futures_util::future::{BoxFuture, FutureExt};

/// Who may come in.
#[async_trait]
pub trait SessionGate: Send + Sync {
    /// Whom an access token speaks for at this moment. A session that was ended, a person who was
    /// banned or deleted is refused, and the role is the present one, whatever the token says:
    /// within a second of the change on every replica, at once on the one that made it.
    ///
    /// # Errors
    /// [`AuthError::Token`], [`AuthError::SessionEnded`], [`AuthError::Leaving`].
    async fn admit(&self, ctx: &Ctx, access_token: &str) -> Result<Actor, AuthError>;

    /// The same for somebody who only reads. While nothing is kept in memory the answer is who the
    /// token speaks for and the time: as a [context's](Ctx::unproven_at), the database looks
    /// whether that is still so, in one round trip with what is read.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    async fn admit_reader(
        &self,
        ctx: &Ctx,
        access_token: &str,
    ) -> Result<(Actor, Option<DateTime<Utc>>), AuthError>;

    /// Like [`admit`](Self::admit), and also somebody whose account is going to be deleted.
    ///
    /// # Errors
    /// [`AuthError::Token`], [`AuthError::SessionEnded`].
    async fn admit_leaver(&self, ctx: &Ctx, access_token: &str) -> Result<Actor, AuthError>;
}

/// How a session stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionStanding {
    /// For whom it was asked; it stands so for nobody else.
    user: UserId,
    /// When it ends by itself; none if it was ended.
    ends_at: Option<DateTime<Utc>>,
    read_at: DateTime<Utc>,
}

/// How a person stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PersonStanding {
    role: UserRole,
    banned_until: Option<DateTime<Utc>>,
    is_deleted: bool,
    /// When the account will be deleted; none: never.
    leaving_at: Option<DateTime<Utc>>,
}

impl SessionStanding {
    fn new(user: UserId, row: Option<&SessionEndRow>, read_at: DateTime<Utc>) -> Self {
        let living = row.filter(|row| row.revoked_at.is_none());
        Self {
            user,
            ends_at: living.map(|row| row.expires_at.min(row.idle_expires_at)),
            read_at,
        }
    }

    fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_some_and(|ends_at| now < ends_at)
    }

    /// Ran out since it was read. It may have been refreshed meanwhile, which is not announced.
    fn may_go_on(&self, now: DateTime<Utc>) -> bool {
        self.ends_at
            .is_some_and(|ends_at| self.read_at < ends_at && ends_at <= now)
    }
}

impl PersonStanding {
    fn new(row: &StandingRow) -> Result<Self, AuthError> {
        Ok(Self {
            role: parse_role(&row.role)?,
            banned_until: row.banned_until,
            is_deleted: row.deleted_at.is_some(),
            leaving_at: row.leaving_at,
        })
    }

    fn is_welcome(&self, now: DateTime<Utc>) -> bool {
        !self.is_deleted && self.banned_until.is_none_or(|until| until <= now)
    }
}

#[async_trait]
impl SessionGate for AccountService {
    async fn admit(&self, ctx: &Ctx, access_token: &str) -> Result<Actor, AuthError> {
        match self.look_at(ctx, access_token).await? {
            (_, Some(leaving_at)) => Err(AuthError::Leaving(leaving_at)),
            (actor, None) => Ok(actor),
        }
    }

    async fn admit_reader(
        &self,
        ctx: &Ctx,
        access_token: &str,
    ) -> Result<(Actor, Option<DateTime<Utc>>), AuthError> {
        if self.hot.sessions.keeps() {
            return Ok((self.admit(ctx, access_token).await?, None));
        }
        let claimed = self.access_tokens.verify(access_token)?;
        Ok((claimed, Some(self.clock.now())))
    }

    async fn admit_leaver(&self, ctx: &Ctx, access_token: &str) -> Result<Actor, AuthError> {
        Ok(self.look_at(ctx, access_token).await?.0)
    }
}

impl AccountService {
    /// Who comes, and when that person's account will be deleted.
    async fn look_at(
        &self,
        ctx: &Ctx,
        access_token: &str,
    ) -> Result<(Actor, Option<DateTime<Utc>>), AuthError> {
        let claimed = self.access_tokens.verify(access_token)?;
        let Actor::User { id, session, .. } = claimed else {
            return Err(TokenError::Invalid.into());
        };
        let asked = Asked {
            ctx,
            claimed,
            user: id,
            session,
        };
        let now = self.clock.now();
        let (mut person, mut standing) = self.standing(&asked).await?;
        if standing.may_go_on(now) {
            self.hot.sessions.forget(&session);
            (person, standing) = self.standing(&asked).await?;
        }
        if standing.user != id || !standing.is_live(now) || !person.is_welcome(now) {
            return Err(AuthError::SessionEnded);
        }
        let actor = Actor::User {
            id,
            session,
            role: person.role,
        };
        Ok((actor, person.leaving_at))
    }
}

/// Whose standing is asked for.
struct Asked<'a> {
    ctx: &'a Ctx,
    /// As the token says.
    claimed: Actor,
    user: UserId,
    session: SessionId,
}

impl AccountService {
    /// One query answers for both, so who is told one thing keeps the other for the second question.
    /// The queries are on the heap, where they are seldom made: every request carries this future.
    async fn standing(
        &self,
        asked: &Asked<'_>,
    ) -> Result<(PersonStanding, SessionStanding), AuthError> {
        let HotReads {
            people, sessions, ..
        } = &self.hot;
        let mut person_read = None;
        let read_session = async {
            let mut session_read = None;
            let read_person = async {
                let (person, session) = Box::pin(self.read_standing(asked)).await?;
                session_read = Some(session);
                Ok::<_, AuthError>(person)
            };
            person_read = Some(people.get(&asked.user, read_person).await?);
            match session_read {
                Some(session) => Ok::<_, AuthError>(session),
                None => Ok(Box::pin(self.read_standing(asked)).await?.1),
            }
        };
        let session = sessions.get(&asked.session, read_session).await?;
        if let Some(person) = person_read {
            return Ok((person, session));
        }
        let read_person = async { Ok::<_, AuthError>(self.read_standing(asked).await?.0) };
        let person = people.get(&asked.user, read_person).await?;
        Ok((person, session))
    }

    /// Boxed because it is rare: an answer from memory is not to carry the state of a query.
    fn read_standing<'a>(
        &'a self,
        asked: &'a Asked<'_>,
    ) -> BoxFuture<'a, Result<(PersonStanding, SessionStanding), AuthError>> {
        self.query_standing(asked).boxed()
    }

    async fn query_standing(
        &self,
        asked: &Asked<'_>,
    ) -> Result<(PersonStanding, SessionStanding), AuthError> {
        let read_at = self.clock.now();
        // What is read is the person's own, whatever the token claims besides.
        let own = asked.ctx.with_actor(asked.claimed);
        let mut tx = self.db.read_for(&own).await?;
        let row = standing::find(&mut tx, asked.user, asked.session)
            .await?
            .ok_or(AuthError::SessionEnded)?;
        let session = SessionStanding::new(asked.user, row.session.as_ref(), read_at);
        Ok((PersonStanding::new(&row)?, session))
    }
}
