-- in_environment: whether a run belongs to the environment that is asked for.
--   wanted   '' for all but those in development, 'all' for those, too, else a name
create or replace macro in_environment(environment, wanted) as
    case wanted when '' then not in_development(environment) when 'all' then true
                else environment is not distinct from wanted end;
