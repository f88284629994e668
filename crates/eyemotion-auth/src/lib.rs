//! EyeMotion auth.
