//! EyeMotion kv.
