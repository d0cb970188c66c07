-- Up Migration

-- The signed end of a session. What it says never changes; its place in the log is given once.
CREATE TABLE seals (
  session_id uuid PRIMARY KEY,
  calls int4 NOT NULL CHECK (calls >= 0),
  head bytea NOT NULL CHECK (length(head) = 32),
  state text NOT NULL CHECK (state IN ('closed', 'expired')),
  sealed_at timestamptz NOT NULL,
  log_index int4 UNIQUE CHECK (log_index >= 0)
);
CREATE INDEX seals_unlogged ON seals (sealed_at, session_id) WHERE log_index IS NULL;

-- Digests of what was sealed, call by call, 32 bytes each, and a hint at each of its parts: they say which call was altered. Part of
-- the recording and gone with it; a row with from_n = 0 holds the chain's beginning.
CREATE TABLE sealed_digests (
  session_id uuid NOT NULL,
  from_n int4 NOT NULL,
  digests bytea STORAGE EXTERNAL NOT NULL,
  prints bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (session_id, from_n)
);

-- The log of seals (RFC 6962) as tiles of up to 256 hashes (https://c2sp.org/tlog-tiles): one row a tile, the last ones grow.
CREATE TABLE log_tiles (
  level int4 NOT NULL,
  n int4 NOT NULL,
  hashes bytea STORAGE EXTERNAL NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
  PRIMARY KEY (level, n)
);
-- Its one row is locked by whoever adds leaves.
CREATE TABLE log_size (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  size int4 NOT NULL CHECK (size >= 0)
);
INSERT INTO log_size (size) VALUES (0);

-- Every checkpoint that was signed, as a signed note. The key is not in this database.
CREATE TABLE log_checkpoints (
  size int4 PRIMARY KEY CHECK (size >= 0),
  note text NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE sessions ADD COLUMN sealed boolean NOT NULL DEFAULT false;
CREATE INDEX sessions_unsealed ON sessions (id) WHERE state <> 'open' AND NOT sealed;

CREATE FUNCTION refuse_new_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.session_id, OLD.calls, OLD.head, OLD.state, OLD.sealed_at) IS DISTINCT FROM (NEW.session_id, NEW.calls, NEW.head, NEW.state, NEW.sealed_at)
     OR OLD.log_index IS NOT NULL
  THEN
    RAISE EXCEPTION 'a seal never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER seals_never_change BEFORE UPDATE ON seals FOR EACH ROW EXECUTE FUNCTION refuse_new_seal();
CREATE TRIGGER seals_stay BEFORE DELETE OR TRUNCATE ON seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sealed_digests_never_change BEFORE UPDATE ON sealed_digests FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_other_hashes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.level, OLD.n, OLD.hashes) IS DISTINCT FROM (NEW.level, NEW.n, substring(NEW.hashes FOR length(OLD.hashes))) THEN
    RAISE EXCEPTION 'a tile of the log only grows' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER log_tiles_grow BEFORE UPDATE ON log_tiles FOR EACH ROW EXECUTE FUNCTION refuse_other_hashes();
CREATE TRIGGER log_tiles_stay BEFORE DELETE OR TRUNCATE ON log_tiles FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An ended session stays ended as it was: the seal is made of this.
CREATE FUNCTION refuse_other_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.id, OLD.connection, OLD.caller::text, OLD.state, OLD.opened_at, OLD.closed_at, OLD.calls)
     IS DISTINCT FROM (NEW.id, NEW.connection, NEW.caller::text, NEW.state, NEW.opened_at, NEW.closed_at, NEW.calls)
     OR (OLD.sealed AND NOT NEW.sealed)
  THEN
    RAISE EXCEPTION 'a session that has ended does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER sessions_end_once BEFORE UPDATE ON sessions FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION refuse_other_end();

-- Nothing is added to a sealed session. One look a batch.
CREATE FUNCTION refuse_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM added a JOIN seals s ON s.session_id = a.session_id) THEN
    RAISE EXCEPTION 'the session is sealed: nothing is added to %', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER calls_before_seal AFTER INSERT ON calls REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_sealed();
CREATE TRIGGER closings_before_seal AFTER INSERT ON closings REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_sealed();

-- Digests of what was sealed go with the receipts; seals and the log stay.
CREATE FUNCTION forget_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM sealed_digests d USING gone g WHERE d.session_id = g.id;
  RETURN NULL;
END $$;
CREATE TRIGGER sessions_gone AFTER DELETE ON sessions REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_sealed();

-- What was asked in a session shows the checkpoint that covers it.
CREATE FUNCTION show_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE approvals a SET told = NULL FROM seals z
  WHERE a.session_id = z.session_id AND z.log_index < NEW.size
    AND z.log_index >= coalesce((SELECT max(k.size) FROM log_checkpoints k WHERE k.size < NEW.size), 0);
  RETURN NULL;
END $$;
CREATE TRIGGER log_checkpoints_are_shown AFTER INSERT ON log_checkpoints FOR EACH ROW EXECUTE FUNCTION show_checkpoint();
