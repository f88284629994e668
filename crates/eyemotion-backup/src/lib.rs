//! EyeMotion backup.
