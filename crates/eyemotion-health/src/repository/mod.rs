use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};

/// PostgreSQL's version, as it says it.
pub(crate) async fn server_version(tx: &mut Tx) -> Result<String, DbError> {
    let version = diesel::select(sql::<Text>("current_setting('server_version')"));
    Ok(version.get_result(tx).await?)
}
