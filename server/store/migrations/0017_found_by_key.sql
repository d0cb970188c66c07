-- Up Migration

-- A grant that goes is looked for here: without it each walks through all departures, and retention takes longer than a statement may.
CREATE INDEX departures_grant ON departures (grant_id) WHERE grant_id IS NOT NULL;
