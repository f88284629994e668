//! People in a database that is shaped like Supabase's.

mod person;

use crate::import::{Newcomer, Refusal};
use eyemotion_core::{UserId, UserRole};
use eyemotion_db::{
    DatabaseConfig, ForeignDatabase, ForeignError, ForeignRow, ForeignTable, Wanted,
};
use person::Pieces;
use std::collections::HashMap;
use uuid::Uuid;

/// How many people are read at a time.
const PAGE: u32 = 500;

/// Without these there is nobody to bring over.
const NEEDED: [&str; 3] = ["id", "email", "encrypted_password"];

const USER: &[Wanted] = &[
    Wanted::column("id"),
    Wanted::column("email"),
    Wanted::column("encrypted_password"),
    Wanted::column("email_confirmed_at"),
    Wanted::column("confirmed_at"),
    Wanted::column("phone"),
    Wanted::column("created_at"),
    Wanted::column("last_sign_in_at"),
    Wanted::column("banned_until"),
    Wanted::column("deleted_at"),
    Wanted::column("is_anonymous"),
    Wanted::member("full_name", "raw_user_meta_data", "full_name"),
    Wanted::member("fullName", "raw_user_meta_data", "fullName"),
    Wanted::member("name", "raw_user_meta_data", "name"),
    Wanted::member("company_name", "raw_user_meta_data", "company_name"),
    Wanted::member("companyName", "raw_user_meta_data", "companyName"),
    Wanted::member("industry", "raw_user_meta_data", "industry"),
    Wanted::member("country", "raw_user_meta_data", "country"),
    Wanted::member("avatar_url", "raw_user_meta_data", "avatar_url"),
    Wanted::member("picture", "raw_user_meta_data", "picture"),
];

const IDENTITY: &[Wanted] = &[
    Wanted::column("id"),
    Wanted::column("user_id"),
    Wanted::column("provider"),
    Wanted::column("provider_id"),
    Wanted::column("created_at"),
    Wanted::column("last_sign_in_at"),
    Wanted::member("email", "identity_data", "email"),
    Wanted::member("email_verified", "identity_data", "email_verified"),
];

const PROFILE: &[Wanted] = &[
    Wanted::column("id"),
    Wanted::column("user_id"),
    Wanted::column("full_name"),
    Wanted::column("name"),
    Wanted::column("display_name"),
    Wanted::column("company_name"),
    Wanted::column("industry"),
    Wanted::column("country"),
    Wanted::column("phone"),
    Wanted::column("avatar_url"),
    Wanted::column("role"),
    Wanted::column("preferences"),
    Wanted::column("onboarding_completed"),
];

/// Why people cannot be read from the other database.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be reached or read.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// It holds something else.
    #[error("this is not a Supabase database: {0}")]
    NotSupabase(String),
    /// It is one of ours.
    #[error("this is an EyeMotion database, not a Supabase one; its people need no import")]
    EyeMotion,
}

/// Somebody who was found there.
#[derive(Debug)]
pub struct Found {
    /// The person's id there, which is kept.
    pub id: UserId,
    /// The role there, if it is more than a user's.
    pub role: Option<UserRole>,
    /// The providers of identities that nobody can sign in with here.
    pub left_behind: Vec<String>,
    /// The person, as a `user` for now; or why they cannot come.
    pub person: Result<Newcomer, Refusal>,
}

/// The people of a Supabase project, read in one snapshot and never written: `auth.users` and,
/// where they exist, `auth.identities` and `public.user_profiles` or `public.profiles`, of old
/// and new releases.
pub struct SupabaseSource {
    database: ForeignDatabase,
    users: ForeignTable,
    identities: Option<ForeignTable>,
    /// The table and the column in which the person's id stands.
    profiles: Option<(ForeignTable, &'static str)>,
    notes: Vec<String>,
    last: Option<Uuid>,
}

impl SupabaseSource {
    /// Connects and looks what there is.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn open(config: &DatabaseConfig) -> Result<Self, SourceError> {
        let database = ForeignDatabase::open(config).await?;
        let users = database.table("auth", "users").await?;
        let users = users.ok_or_else(|| SourceError::NotSupabase("it has no auth.users".into()))?;
        if users.has("password_hash") && !users.has("encrypted_password") {
            return Err(SourceError::EyeMotion);
        }
        let missing: Vec<&str> = NEEDED.into_iter().filter(|name| !users.has(name)).collect();
        if !missing.is_empty() || !users.has_uuid("id") {
            let missing = if missing.is_empty() {
                "id as uuid".to_owned()
            } else {
                missing.join(", ")
            };
            return Err(SourceError::NotSupabase(format!(
                "its auth.users lacks {missing}"
            )));
        }
        let mut notes = Vec::new();
        for (columns, note) in [
            (
                &["email_confirmed_at", "confirmed_at"][..],
                "no address counts as confirmed",
            ),
            (&["banned_until"], "nobody counts as banned"),
            (&["deleted_at"], "nobody counts as deleted"),
        ] {
            if !columns.iter().any(|column| users.has(column)) {
                notes.push(format!(
                    "auth.users has no {}: {note}",
                    columns.join(" or ")
                ));
            }
        }
        let identities = database.table("auth", "identities").await?;
        let identities = identities.filter(|identities| identities.has_uuid("user_id"));
        if identities.is_none() {
            notes.push("there is no auth.identities: people come without Google and GitHub".into());
        }
        let mut source = Self {
            database,
            users,
            identities,
            profiles: None,
            notes,
            last: None,
        };
        source.find_profiles().await?;
        Ok(source)
    }

    async fn find_profiles(&mut self) -> Result<(), SourceError> {
        for name in ["user_profiles", "profiles"] {
            let Some(table) = self.database.table("public", name).await? else {
                continue;
            };
            let key = ["user_id", "id"]
                .into_iter()
                .find(|column| table.has_uuid(column));
            if let Some(key) = key {
                self.profiles = Some((table, key));
                return Ok(());
            }
            self.notes.push(format!(
                "public.{name} has neither user_id nor id as uuid: it is not read"
            ));
        }
        let note =
            "there is no table of profiles: names come from what people gave when they signed up";
        self.notes.push(note.to_owned());
        Ok(())
    }

    /// What an operator should know of the database: what it lacks and what that means.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How many accounts there are.
    ///
    /// # Errors
    /// [`SourceError::Foreign`].
    pub async fn count(&self) -> Result<u64, SourceError> {
        Ok(self.database.count(&self.users).await?)
    }

    /// Whether this is the database that `other` leads to.
    ///
    /// # Errors
    /// [`SourceError::Foreign`]: also if `other` cannot be reached.
    pub async fn is(&self, other: &DatabaseConfig) -> Result<bool, SourceError> {
        Ok(self.database.is(other).await?)
    }

    /// The next people in the order of their ids; none after the last.
    ///
    /// # Errors
    /// [`SourceError::Foreign`].
    pub async fn next(&mut self) -> Result<Vec<Found>, SourceError> {
        let page = self.database.page(&self.users, "id", USER, self.last, PAGE);
        let users = page.await?;
        let ids: Vec<Uuid> = users.iter().filter_map(|user| user.uuid("id")).collect();
        self.last = ids.last().copied().or(self.last);
        let mut identities = match &self.identities {
            Some(table) => by_person(
                self.database.of(table, "user_id", IDENTITY, &ids).await?,
                "user_id",
            ),
            None => HashMap::new(),
        };
        let mut profiles = match &self.profiles {
            Some((table, key)) => {
                by_person(self.database.of(table, key, PROFILE, &ids).await?, key)
            }
            None => HashMap::new(),
        };
        let people = users.iter().filter_map(|user| {
            let id = user.uuid("id")?;
            let pieces = Pieces {
                user,
                identities: identities.remove(&id).unwrap_or_default(),
                profile: profiles.remove(&id).unwrap_or_default().into_iter().next(),
            };
            Some(pieces.found(UserId(id)))
        });
        Ok(people.collect())
    }
}

fn by_person(rows: Vec<ForeignRow>, key: &str) -> HashMap<Uuid, Vec<ForeignRow>> {
    let mut people: HashMap<Uuid, Vec<ForeignRow>> = HashMap::new();
    for row in rows {
        if let Some(id) = row.uuid(key) {
            people.entry(id).or_default().push(row);
        }
    }
    people
}
