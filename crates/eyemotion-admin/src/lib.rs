//! EyeMotion admin.
