//! EyeMotion eyemotion-bench.
