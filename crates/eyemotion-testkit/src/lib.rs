//! EyeMotion testkit.
