//! EyeMotion health.
