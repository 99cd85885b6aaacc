-- One role a service, made by psql in an empty database; `tellback migrate` gives each the rows of its own schema.
-- Passwords come from the environment of psql.
\getenv collector COLLECTOR_PASSWORD
\getenv scorer SCORER_PASSWORD
\getenv alerting ALERTING_PASSWORD
\getenv benchmark BENCHMARK_PASSWORD
\getenv outreach OUTREACH_PASSWORD
\getenv dashboard DASHBOARD_PASSWORD
create role tellback_collector login password :'collector';
create role tellback_scorer login password :'scorer';
create role tellback_alerting login password :'alerting';
create role tellback_benchmark login password :'benchmark';
create role tellback_outreach login password :'outreach';
create role tellback_dashboard login password :'dashboard';
