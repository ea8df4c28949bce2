-- Run once by the Postgres image, as superuser, when the data folder is empty.
-- The service gets a role of its own: connections that are kept for superusers stay out of its reach.
\getenv password POSTGRES_PASSWORD
create role sluice login password :'password';
create database sluice owner sluice;
\connect sluice
create extension vector;
-- Without a password the superuser cannot log in over the network, only inside the container:
-- docker compose exec postgres psql -U postgres
alter role postgres password null;
