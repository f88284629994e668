//! The queue against a real PostgreSQL.

mod dead_letters;
mod drain;
mod enqueue;
mod kill;
mod leases;
mod puppet;
mod retry;
mod schedules;
mod throughput;
mod world;
