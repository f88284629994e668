drop table auth.oauth_flows;
