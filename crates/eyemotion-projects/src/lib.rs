//! EyeMotion projects.
