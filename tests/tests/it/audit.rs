//! The audit log: every operation that changes something leaves exactly one line, which names who
//! did it; and no role of an application takes a line back.

mod append_only;
mod calls;
mod routes;
