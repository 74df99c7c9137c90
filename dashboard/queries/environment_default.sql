-- environment_default: which environments are there, as far as it matters to what is counted unless one is named.
--   development   some runs are in development
--   delivered     some are not: then those alone are counted
select exists (select 1 from run where in_development(environment)) as development,
       exists (select 1 from run where not in_development(environment)) as delivered
