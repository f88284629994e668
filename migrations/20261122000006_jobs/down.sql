drop table jobs.schedules cascade;
drop table jobs.jobs cascade;
drop function if exists jobs.announce() cascade;
