//! EyeMotion storage.
