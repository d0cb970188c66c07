-- Up Migration

-- What one caller did on one connection. The id is a UUIDv7, so that ranges of ids are ranges of time: tables that
-- begin with session_id can later be partitioned by it.
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  connection text NOT NULL,
  -- json, not jsonb: claims come back exactly as they were, and \u0000 in a claim is no error.
  caller json NOT NULL,
  binding json NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'expired')),
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  last_used_at timestamptz NOT NULL,
  calls int4 NOT NULL DEFAULT 0,
  denied int4 NOT NULL DEFAULT 0,
  approved int4 NOT NULL DEFAULT 0,
  masked int4 NOT NULL DEFAULT 0,
  CHECK ((state = 'open') = (closed_at IS NULL))
) WITH (fillfactor = 50);  -- counters change with every batch: leave room for updates within the page
CREATE INDEX sessions_open ON sessions (id) WHERE state = 'open';

-- Only digests: a token cannot be read back from here.
CREATE TABLE session_tokens (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  session_id uuid NOT NULL REFERENCES sessions,
  expires_at timestamptz NOT NULL
);
CREATE INDEX session_tokens_expiry ON session_tokens (expires_at);

-- Identity tokens that were exchanged once and never again: SHA-256 over issuer and jti.
CREATE TABLE used_token_ids (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  expires_at timestamptz NOT NULL
);
CREATE INDEX used_token_ids_expiry ON used_token_ids (expires_at);

-- Every running sink, known to be alive by an advisory lock on its id. `last_batch` settles an ambiguous commit.
CREATE TABLE replicas (
  id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  last_batch uuid,
  seen_at timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Openings of calls. Append-only.
CREATE TABLE calls (
  session_id uuid NOT NULL,
  n int4 NOT NULL CHECK (n > 0),
  replica int4 NOT NULL,
  operation text NOT NULL,
  access text NOT NULL,
  method text NOT NULL,
  host text NOT NULL,
  path text NOT NULL,
  query text NOT NULL,
  decision json NOT NULL,
  client text,
  received_at timestamptz NOT NULL,
  decided_at timestamptz NOT NULL,
  request_headers json NOT NULL,
  request_body json,
  request_sha256 bytea,
  request_spill uuid,
  PRIMARY KEY (session_id, n)
);
CREATE INDEX calls_time ON calls USING brin (received_at);

-- Calls that were opened and not yet closed, by whom: the one table of receipts whose rows go away.
CREATE TABLE calls_in_flight (
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  replica int4 NOT NULL,
  PRIMARY KEY (session_id, n)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX calls_in_flight_replica ON calls_in_flight (replica);

-- Ends of calls, at most one each. Append-only.
CREATE TABLE closings (
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  state text NOT NULL CHECK (state IN ('closed', 'refused', 'indeterminate')),
  status int4,
  error_code text,
  error text,
  upstream text,
  forwarded_at timestamptz,
  first_byte_at timestamptz,
  done_at timestamptz NOT NULL,
  request_body json,
  request_sha256 bytea,
  request_spill uuid,
  response_headers json,
  response_body json,
  response_sha256 bytea,
  response_spill uuid,
  PRIMARY KEY (session_id, n)
);

-- Complete small bodies, once per distinct content. The gateway compresses; PostgreSQL need not try again.
CREATE TABLE bodies (
  sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
  coding text NOT NULL CHECK (coding IN ('identity', 'zstd')),
  bytes bytea STORAGE EXTERNAL NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now()
);

-- Large bodies, written chunk by chunk while they pass. A spill that no receipt claimed is swept away.
CREATE TABLE spills (
  id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  claimed boolean NOT NULL DEFAULT false
);
CREATE INDEX spills_unclaimed ON spills (started_at) WHERE NOT claimed;
CREATE TABLE body_chunks (
  spill uuid NOT NULL REFERENCES spills ON DELETE CASCADE,
  seq int4 NOT NULL,
  coding text NOT NULL CHECK (coding IN ('identity', 'zstd')),
  bytes bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (spill, seq)
);

-- What happened outside any session, or to the gateway itself. Append-only.
CREATE TABLE audit_events (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  who text NOT NULL,
  what text NOT NULL,
  reason text NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER calls_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calls FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON closings FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bodies_never_change BEFORE UPDATE ON bodies FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every gateway forgets a session's tokens as soon as any of them ends the session.
CREATE FUNCTION tell_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('dogwatch_session_ended', NEW.id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER session_ended AFTER UPDATE OF state ON sessions FOR EACH ROW
  WHEN (OLD.state = 'open' AND NEW.state <> 'open') EXECUTE FUNCTION tell_session_ended();
