//! EyeMotion eyemotion-tests.
