use crate::schema::jobs::dsl;
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};

diesel::define_sql_function! {
    /// Everything of a job that may name somebody, as one text.
    #[sql_name = "concat"]
    fn texts(payload: Jsonb, unique_key: Nullable<Text>, last_error: Nullable<Text>) -> Text;
}
diesel::define_sql_function! {
    /// Where the second text begins in the first, from 1; 0: nowhere.
    fn strpos(text: Text, part: Text) -> diesel::sql_types::Integer;
}

/// The jobs that are for the person or speak of the person.
macro_rules! of {
    ($person:expr, $address:expr) => {{
        let text = || texts(dsl::payload, dsl::unique_key, dsl::last_error);
        let named = strpos(text(), $person.to_string()).gt(0);
        let addressed = strpos(text(), $address).gt(0);
        dsl::jobs.filter(
            dsl::owner_id
                .is_not_distinct_from($person.0)
                .or(named)
                .or(addressed),
        )
    }};
}

pub(crate) async fn delete_idle(
    tx: &mut Tx,
    person: UserId,
    address: &str,
) -> Result<usize, DbError> {
    let idle = of!(person, address).filter(dsl::state.ne("running"));
    Ok(diesel::delete(idle).execute(tx).await?)
}

pub(crate) async fn count(tx: &mut Tx, person: UserId, address: &str) -> Result<i64, DbError> {
    Ok(of!(person, address).count().get_result(tx).await?)
}
