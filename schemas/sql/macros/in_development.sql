-- in_development: whether an environment's name says that its runs are no one's but their developers'.
-- The values are those in use for `deployment.environment.name`; runs that name none count as delivered.
create or replace macro in_development(environment) as
    coalesce(lower(environment) in ('development', 'dev', 'local', 'localhost', 'test', 'testing', 'ci'), false);
