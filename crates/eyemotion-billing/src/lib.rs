//! EyeMotion billing.
