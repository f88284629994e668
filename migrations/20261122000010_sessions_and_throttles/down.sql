drop table auth.throttles cascade;
alter table auth.sessions drop column authenticated_at;
