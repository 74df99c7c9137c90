-- report_latency: how long runs and operations of each step took, in eighths of an octave.
-- One row per (step, octave_8): `observations` of about 2 ** ((octave_8 + 0.5) / 8) ns. Step NULL: whole runs.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select step, octave_8, sum(observations)::bigint as observations
from rollup_latency_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = ''
group by step, octave_8
having sum(observations) > 0
order by step nulls first, octave_8
