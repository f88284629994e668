use crate::repository::activity_logs::{self, NewActivityRow};
use async_trait::async_trait;
use eyemotion_core::{Actor, Ctx};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Activity, ActivityLog};
use serde_json::{Value, json};

/// What a browser says of itself is longer than anybody needs.
const USER_AGENT_CHARS: usize = 512;
const REQUEST_ID_CHARS: usize = 200;
const RESOURCE_ID_CHARS: usize = 255;

/// The audit log in `activity_logs`. Its times are the database's, so that they agree with the
/// order of the transactions and always have a partition.
#[derive(Clone, Copy, Debug, Default)]
pub struct DatabaseActivityLog;

#[async_trait]
impl ActivityLog for DatabaseActivityLog {
    async fn record(&self, tx: &mut Tx, ctx: &Ctx, activity: Activity) -> Result<(), DbError> {
        let subject = activity.user.or(ctx.user_id());
        let session = match ctx.actor {
            Actor::User { session, .. } => Some(session.0),
            Actor::Anonymous | Actor::ApiKey { .. } | Actor::System(_) => None,
        };
        let row = NewActivityRow {
            user_id: subject.map(|user| user.0),
            action: activity.action,
            resource_type: activity.resource_type,
            resource_id: activity
                .resource_id
                .map(|id| cut(&id, RESOURCE_ID_CHARS).to_owned()),
            details: with_actor(activity.details, ctx, subject == ctx.user_id()),
            ip_address: ctx.ip.map(|ip| ip.to_string()),
            user_agent: ctx
                .user_agent
                .as_deref()
                .map(|agent| cut(agent, USER_AGENT_CHARS).to_owned()),
            session_id: session,
            request_id: cut(&ctx.request_id, REQUEST_ID_CHARS).to_owned(),
        };
        activity_logs::insert(tx, row);
        Ok(())
    }
}

/// Names who acted where the line's `user_id` does not: the platform, or one person in the log
/// of another.
fn with_actor(mut details: Value, ctx: &Ctx, own_log: bool) -> Value {
    let actor = match ctx.actor {
        Actor::System(part) => format!("system:{part}"),
        Actor::ApiKey { id } => format!("api_key:{id}"),
        Actor::User { id, .. } if !own_log => format!("user:{id}"),
        Actor::User { .. } | Actor::Anonymous => return details,
    };
    if let Some(members) = details.as_object_mut() {
        members.insert("actor".to_owned(), json!(actor));
    }
    details
}

/// The first `chars` characters.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices()
        .nth(chars)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("กขค", 2), "กข");
        assert_eq!(cut("กขค", 3), "กขค");
        assert_eq!(cut("", 3), "");
    }
}
