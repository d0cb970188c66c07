-- Up Migration

-- What became of a session that was sent again to a sandbox. `own_session_id`: in which session of whoever started it; null where nothing was to
-- be sent. `beat` changes while a gateway is at it: one that says nothing any more was interrupted, and nobody goes on with it.
CREATE TABLE replays (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
  own_session_id uuid REFERENCES sessions ON DELETE CASCADE,
  connection text NOT NULL,
  -- Digest of what the connection was: what is cleaned up is cleaned up where it was made.
  sandbox text NOT NULL,
  by text NOT NULL,
  options json NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped', 'interrupted', 'failed')),
  reason text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  beat int4 NOT NULL DEFAULT 0,
  calls int4 NOT NULL,
  same int4 NOT NULL DEFAULT 0,
  different int4 NOT NULL DEFAULT 0,
  failed int4 NOT NULL DEFAULT 0,
  skipped int4 NOT NULL DEFAULT 0,
  planned int4 NOT NULL DEFAULT 0,
  -- {state, deleted, missing, failed, reasons}; null while nobody asked for it.
  cleanup json
);
CREATE INDEX replays_session ON replays (session_id, id DESC);
CREATE INDEX replays_own_session ON replays (own_session_id) WHERE own_session_id IS NOT NULL;
CREATE INDEX replays_running ON replays (id) WHERE state = 'running' OR cleanup ->> 'state' = 'running';

CREATE TABLE replay_calls (
  replay_id uuid NOT NULL REFERENCES replays ON DELETE CASCADE,
  -- Of the recorded call, and of the one in the replay's own session.
  n int4 NOT NULL,
  own_n int4,
  outcome text NOT NULL CHECK (outcome IN ('same', 'different', 'failed', 'skipped', 'planned')),
  reason text NOT NULL,
  status int4,
  -- json, not jsonb: values keep every digit. Null once the bodies that they come from have expired.
  differences json,
  PRIMARY KEY (replay_id, n)
);
CREATE INDEX replay_calls_outcome ON replay_calls (replay_id, outcome, n);

-- What differs is quoted from bodies, of which nothing outlives them.
CREATE FUNCTION forget_differences() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE replay_calls c SET differences = NULL FROM replays r
  WHERE c.replay_id = r.id AND (r.session_id = NEW.id OR r.own_session_id = NEW.id) AND c.differences IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER differences_go_with_bodies AFTER UPDATE OF bodies_expired ON sessions FOR EACH ROW
  WHEN (NEW.bodies_expired AND NOT OLD.bodies_expired) EXECUTE FUNCTION forget_differences();
