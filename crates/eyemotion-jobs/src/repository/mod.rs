pub(crate) mod claims;
pub(crate) mod dead;
pub(crate) mod jobs;
pub(crate) mod leavers;
pub(crate) mod schedules;
