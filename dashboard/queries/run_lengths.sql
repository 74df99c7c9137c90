-- run_lengths: how long runs took, over time, in eighths of an octave.
-- One row per (bucket, octave_8): `observations` of about 2 ** ((octave_8 + 0.5) / 8) ns.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $step_ns                              bigint, length of a bucket in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select (bucket_ns // $step_ns::ubigint * $step_ns::ubigint)::bigint as bucket_ns,
       octave_8, sum(observations)::bigint as observations
from rollup_latency_between($since_ns, $until_ns, coarsest_within($step_ns))
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = '' and step is null
group by all
having sum(observations) > 0
order by bucket_ns, octave_8
