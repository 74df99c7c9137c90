-- meta: facts about this store. One row per key:
--   schema_version    what laid the store out
--   contract          which views and macros it holds: a digest of their text
--   settled_until_ns  everything received up to here has been settled
--   rule_version      the rules all of it was settled by: our version, '+' and a digest of the user's own
--   rollups           JSON; how far the roll-ups reach back
--   damage            JSON list; files that were set aside because they could not be read
--   resettling        JSON; while other rules than those go through history: which, how far, done of total traces
create table store.meta (
    key   varchar primary key,
    value varchar not null
);
