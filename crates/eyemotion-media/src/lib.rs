//! EyeMotion media.
