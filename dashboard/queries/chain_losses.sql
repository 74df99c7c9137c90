-- chain_losses: where finished runs were lost: which layer failed or silent runs broke in.
-- One row per (outcome, layer_a, layer_b).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select outcome, layer_a, layer_b, sum(runs)::bigint as runs
from rollup_run_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and outcome in ('silent', 'failed')
group by outcome, layer_a, layer_b
having sum(runs) > 0
order by outcome, layer_a, layer_b
