//! Tests of the workspace as a whole; they stand in `tests/it`.
