//! EyeMotion jobs.
