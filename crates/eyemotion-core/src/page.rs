use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

/// A place in a list ordered by `(created_at, id)` descending: the last row seen.
///
/// Opaque on the wire. Tampering gains nothing: row-level security decides what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last row seen was created, microseconds.
    pub created_at: DateTime<Utc>,
    /// Its id, which breaks ties.
    pub id: Uuid,
}

/// The cursor was not one of ours.
#[derive(Debug, thiserror::Error)]
#[error("the cursor is not one this server gave out")]
pub struct CursorError;

impl Cursor {
    /// The wire form.
    pub fn encode(&self) -> String {
        let mut bytes = [0_u8; 24];
        let (time, id) = bytes.split_at_mut(8);
        time.copy_from_slice(&self.created_at.timestamp_micros().to_be_bytes());
        id.copy_from_slice(self.id.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads the wire form.
    pub fn decode(text: &str) -> Result<Self, CursorError> {
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| CursorError)?;
        let (time, id) = bytes.split_first_chunk::<8>().ok_or(CursorError)?;
        let created_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*time));
        Ok(Self {
            created_at: created_at.ok_or(CursorError)?,
            id: Uuid::from_slice(id).map_err(|_| CursorError)?,
        })
    }
}

/// How much of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// 1 to 100 rows.
    pub limit: i64,
    /// Rows after this one; none: from the start.
    pub after: Option<Cursor>,
}

/// A piece of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// At most as many as asked for.
    pub items: Vec<T>,
    /// Where the next page starts; none on the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Builds a page from `rows` fetched with one row more than `limit`.
    pub fn from_rows(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_wire_and_rubbish_does_not() {
        let cursor = Cursor {
            created_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            id: Uuid::now_v7(),
        };
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        for bad in [
            "",
            "x",
            "AAAA",
            "!!!!",
            &"A".repeat(31),
            &"A".repeat(33),
            &"f".repeat(32),
        ] {
            assert!(Cursor::decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let key = |n: &i64| Cursor {
            created_at: DateTime::from_timestamp_micros(*n).unwrap(),
            id: Uuid::nil(),
        };
        assert!(Page::from_rows(vec![1, 2], 2, key).next.is_none());
        let page = Page::from_rows(vec![1, 2, 3], 2, key);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next.unwrap().created_at.timestamp_micros(), 2);
    }
}
