//! EyeMotion gateway.

pub mod config;
