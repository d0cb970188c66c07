-- Up Migration

-- The UTC day of a UUIDv7, counted from 1970-01-01: a session's is its epoch.
CREATE FUNCTION epoch_of(id uuid) RETURNS int4 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::int8 / 86400000)::int4;

-- The smallest UUID of an epoch.
CREATE FUNCTION first_id_of(epoch int4) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (lpad(to_hex(epoch::int8 * 86400000), 12, '0') || repeat('0', 20))::uuid;

-- What the digests of an epoch's bodies are salted with: digest = SHA-256(salt || SHA-256(stored bytes)). A row here means that the epoch's
-- partitions are there. It goes with the bodies, and then no digest of a receipt says anything about a body any more.
CREATE TABLE epochs (
  epoch int4 PRIMARY KEY,
  salt bytea NOT NULL CHECK (length(salt) = 32)
);

ALTER TABLE calls RENAME TO old_calls;
ALTER TABLE closings RENAME TO old_closings;
ALTER TABLE bodies RENAME TO old_bodies;
ALTER TABLE spills RENAME TO old_spills;
ALTER TABLE body_chunks RENAME TO old_body_chunks;
ALTER TABLE masked_values RENAME TO old_masked_values;
ALTER INDEX calls_pkey RENAME TO old_calls_pkey;
ALTER INDEX calls_time RENAME TO old_calls_time;
ALTER INDEX closings_pkey RENAME TO old_closings_pkey;
ALTER INDEX bodies_pkey RENAME TO old_bodies_pkey;
ALTER INDEX spills_pkey RENAME TO old_spills_pkey;
ALTER INDEX spills_unclaimed RENAME TO old_spills_unclaimed;
ALTER INDEX body_chunks_pkey RENAME TO old_body_chunks_pkey;
ALTER INDEX masked_values_pkey RENAME TO old_masked_values_pkey;

-- Openings of calls. Append-only; a partition holds the sessions of one week.
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
  phrase bytea NOT NULL,
  -- Values of header fields that phrases leave out.
  own_values json,
  received_at timestamptz NOT NULL,
  decided_at timestamptz NOT NULL,
  request_size int8,
  request_digest bytea,
  request_spill uuid,
  approval_id uuid,
  PRIMARY KEY (session_id, n)
) PARTITION BY RANGE (session_id);
CREATE INDEX calls_time ON calls USING brin (received_at);

-- Ends of calls, at most one each. Append-only; partitioned like calls.
CREATE TABLE closings (
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  state text NOT NULL CHECK (state IN ('closed', 'refused', 'indeterminate')),
  status int4,
  error_code text,
  error text,
  phrase bytea,
  own_values json,
  forwarded_at timestamptz,
  first_byte_at timestamptz,
  done_at timestamptz NOT NULL,
  request_size int8,
  request_digest bytea,
  request_spill uuid,
  response_size int8,
  response_digest bytea,
  response_spill uuid,
  PRIMARY KEY (session_id, n)
) PARTITION BY RANGE (session_id);

-- What receipts of a week say over and over, named by digest: client, decision and request header fields of openings; upstream, response header
-- fields and response decision of closings; and what kind of bodies they have. Append-only; partitioned like calls.
CREATE TABLE phrases (
  week int4 NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) = 20),
  value json NOT NULL,
  PRIMARY KEY (week, digest)
) PARTITION BY RANGE (week);

-- Where a value that masks took out can be found again: its keyed hash (HMAC under the mask key, which is not in this database) and the call.
-- Written in the same transaction as the receipt, and no part of it; partitioned like calls.
CREATE TABLE masked_values (
  hash bytea NOT NULL CHECK (length(hash) = 16),
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  PRIMARY KEY (hash, session_id, n)
) PARTITION BY RANGE (session_id);

-- Complete small bodies, once per distinct content and epoch; a partition holds one epoch. The plain SHA-256 is here and nowhere else, and goes
-- with the body. The gateway compresses; PostgreSQL need not try again.
CREATE TABLE bodies (
  epoch int4 NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  coding text NOT NULL CHECK (coding IN ('identity', 'zstd')),
  bytes bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (epoch, digest)
) PARTITION BY RANGE (epoch);

-- Large bodies, written chunk by chunk while they pass. A spill that no receipt claimed is swept away. The id has the time of its session, and
-- the chunks that of their spill: a partition of both holds one epoch.
CREATE TABLE spills (
  id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  claimed boolean NOT NULL DEFAULT false,
  sha256 bytea CHECK (length(sha256) = 32)
) PARTITION BY RANGE (id);
CREATE INDEX spills_unclaimed ON spills (started_at) WHERE NOT claimed;
CREATE TABLE body_chunks (
  spill uuid NOT NULL,
  seq int4 NOT NULL,
  coding text NOT NULL CHECK (coding IN ('identity', 'zstd')),
  bytes bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (spill, seq)
) PARTITION BY RANGE (spill);

-- Statements that name the whole table; make_partition guards the partitions.
CREATE TRIGGER calls_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calls FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON closings FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER phrases_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON phrases FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bodies_never_change BEFORE UPDATE ON bodies FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION partition_name(parent text, first_epoch int4) RETURNS text LANGUAGE sql IMMUTABLE STRICT
  RETURN parent || '_' || to_char(date '1970-01-01' + first_epoch, 'YYYY_MM_DD');

-- Makes a partition for `days` epochs unless it is there. Attached, not created as a partition: that would lock out everybody who writes.
CREATE FUNCTION make_partition(parent text, first_epoch int4, days int4) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text := partition_name(parent, first_epoch);
  refused text := CASE WHEN parent IN ('calls', 'closings', 'phrases') THEN 'UPDATE OR DELETE OR TRUNCATE' WHEN parent = 'bodies' THEN 'UPDATE' END;
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
  IF refused IS NOT NULL THEN
    EXECUTE format('CREATE TRIGGER append_only BEFORE %s ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', refused, name);
  END IF;
  IF parent IN ('bodies', 'phrases') THEN
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, name, first_epoch, first_epoch + days);
  ELSE
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, first_id_of(first_epoch), first_id_of(first_epoch + days));
  END IF;
END $$;

-- Makes what receipts and bodies of an epoch are written into, one maker at a time, and says the epoch's salt.
CREATE FUNCTION open_epoch(wanted int4) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  week int4 := wanted - wanted % 7;
BEGIN
  -- `dogw`, 0: replicas, which share the first half of the key, are numbered from 1.
  PERFORM pg_advisory_xact_lock(1685022583, 0);
  PERFORM make_partition('calls', week, 7), make_partition('closings', week, 7), make_partition('phrases', week, 7),
    make_partition('masked_values', week, 7), make_partition('bodies', wanted, 1), make_partition('spills', wanted, 1), make_partition('body_chunks', wanted, 1);
  -- Two UUIDs have 244 random bits, from the same source as a key's.
  INSERT INTO epochs AS e (epoch, salt)
  VALUES (wanted, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
  ON CONFLICT DO NOTHING;
  RETURN (SELECT e.salt FROM epochs e WHERE e.epoch = wanted);
END $$;

-- Nothing of these epochs is used any more, or was used since.
CREATE FUNCTION is_over(first_epoch int4, days int4, since timestamptz) RETURNS boolean LANGUAGE sql STABLE
  RETURN NOT EXISTS (SELECT FROM sessions WHERE id >= first_id_of(first_epoch) AND id < first_id_of(first_epoch + days)
      AND (state = 'open' OR last_used_at >= since))
    AND NOT EXISTS (SELECT FROM calls_in_flight WHERE session_id >= first_id_of(first_epoch) AND session_id < first_id_of(first_epoch + days));

-- The bodies of an epoch and its salt, in the order in which receipts lock these tables.
CREATE FUNCTION drop_bodies(gone int4) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('bodies', gone));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('spills', gone));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('body_chunks', gone));
  DELETE FROM epochs WHERE epoch = gone;
END $$;

-- The receipts of a week, and what bodies there still are.
CREATE FUNCTION drop_receipts(week int4) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('calls', week));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('closings', week));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('phrases', week));
  PERFORM drop_bodies(day) FROM generate_series(week, week + 6) day;
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('masked_values', week));
END $$;

-- What was asked and answered goes with its session and not before: only retention deletes, and says so.
CREATE FUNCTION refuse_change_before_retention() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'DELETE' OR coalesce(current_setting('dogwatch.retention', true), '') <> 'on' THEN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER approval_answers_append_only ON approval_answers;
DROP TRIGGER departures_append_only ON departures;
DROP TRIGGER approvals_stay ON approvals;
CREATE TRIGGER approval_answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_answers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_before_retention();
CREATE TRIGGER departures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON departures FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_before_retention();
CREATE TRIGGER approvals_stay BEFORE DELETE OR TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_before_retention();

CREATE FUNCTION delete_sessions(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('dogwatch.retention', 'on', true);
  DELETE FROM departures WHERE session_id = ANY (ids);
  DELETE FROM departures d USING approvals a WHERE d.approval_id = a.id AND a.session_id = ANY (ids);
  DELETE FROM grants WHERE session_id = ANY (ids);
  DELETE FROM approval_answers w USING approvals a WHERE w.approval_id = a.id AND a.session_id = ANY (ids);
  DELETE FROM approval_places p USING approvals a WHERE p.approval_id = a.id AND a.session_id = ANY (ids);
  DELETE FROM place_attempts p USING approvals a WHERE p.approval_id = a.id AND a.session_id = ANY (ids);
  DELETE FROM approvals WHERE session_id = ANY (ids);
  DELETE FROM session_tokens WHERE session_id = ANY (ids);
  DELETE FROM rule_uses WHERE session_id = ANY (ids);
  DELETE FROM sessions WHERE id = ANY (ids);
  PERFORM set_config('dogwatch.retention', '', true);
END $$;
-- What is deleted with a session is found by it.
CREATE INDEX session_tokens_session ON session_tokens (session_id);
CREATE INDEX departures_approval ON departures (approval_id);

-- What was recorded before.
DO $$ BEGIN
  PERFORM open_epoch(e) FROM (SELECT DISTINCT epoch_of(session_id) AS e FROM old_calls) known ORDER BY e;
END $$;

CREATE FUNCTION salted(session_id uuid, sha256 bytea) RETURNS bytea LANGUAGE sql STABLE STRICT
  RETURN sha256((SELECT salt FROM epochs WHERE epoch = epoch_of(session_id)) || sha256);

-- A spill's id gets the time of its session and keeps its random rest.
CREATE FUNCTION rehomed(session_id uuid, spill uuid) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT
  RETURN (left(session_id::text, 13) || substr(spill::text, 14))::uuid;

CREATE FUNCTION body_kind(body json) RETURNS json LANGUAGE sql IMMUTABLE STRICT
  RETURN CASE WHEN body -> 'withheld' IS NULL
    THEN json_build_object('content_type', body -> 'content_type', 'encoding', body -> 'encoding', 'truncated', body -> 'truncated', 'kept', body -> 'kept')
    ELSE json_build_object('content_type', body -> 'content_type', 'encoding', body -> 'encoding', 'truncated', body -> 'truncated', 'kept', body -> 'kept',
      'withheld', body -> 'withheld') END;

CREATE TEMPORARY TABLE old_openings ON COMMIT DROP AS
SELECT session_id, n, json_build_object('client', client, 'decision', decision, 'headers', request_headers, 'body', body_kind(request_body)) AS value
FROM old_calls;
CREATE TEMPORARY TABLE old_ends ON COMMIT DROP AS
SELECT session_id, n, json_build_object('upstream', upstream, 'headers', response_headers, 'decision', response_decision,
  'request_body', body_kind(request_body), 'response_body', body_kind(response_body)) AS value
FROM old_closings;

CREATE FUNCTION phrase_digest(value json) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT
  RETURN substring(sha256(convert_to(value::text, 'UTF8')) FOR 20);

INSERT INTO phrases
SELECT epoch_of(session_id) - epoch_of(session_id) % 7, phrase_digest(value), value FROM old_openings
UNION ALL SELECT epoch_of(session_id) - epoch_of(session_id) % 7, phrase_digest(value), value FROM old_ends
ON CONFLICT DO NOTHING;

INSERT INTO calls
SELECT session_id, n, replica, operation, access, method, host, path, query, phrase_digest(value), NULL, received_at, decided_at,
  (request_body ->> 'size')::int8, salted(session_id, request_sha256), rehomed(session_id, request_spill), approval_id
FROM old_calls JOIN old_openings USING (session_id, n);

INSERT INTO closings
SELECT session_id, n, state, status, error_code, error, phrase_digest(value), NULL, forwarded_at, first_byte_at, done_at,
  (request_body ->> 'size')::int8, salted(session_id, request_sha256), rehomed(session_id, request_spill),
  (response_body ->> 'size')::int8, salted(session_id, response_sha256), rehomed(session_id, response_spill)
FROM old_closings JOIN old_ends USING (session_id, n);

INSERT INTO masked_values SELECT hash, session_id, n FROM old_masked_values
WHERE EXISTS (SELECT FROM epochs WHERE epoch = epoch_of(session_id));

CREATE TEMPORARY TABLE old_places ON COMMIT DROP AS
SELECT session_id, request_sha256 AS sha256, request_spill AS spill FROM old_calls WHERE request_body IS NOT NULL
UNION SELECT session_id, request_sha256, request_spill FROM old_closings WHERE request_body IS NOT NULL
UNION SELECT session_id, response_sha256, response_spill FROM old_closings WHERE response_body IS NOT NULL;

INSERT INTO bodies (epoch, digest, sha256, coding, bytes)
SELECT epoch_of(p.session_id), salted(p.session_id, b.sha256), b.sha256, b.coding, b.bytes
FROM (SELECT DISTINCT ON (epoch_of(session_id), sha256) session_id, sha256 FROM old_places WHERE spill IS NULL) p JOIN old_bodies b ON b.sha256 = p.sha256;

INSERT INTO spills (id, started_at, claimed, sha256)
SELECT rehomed(p.session_id, s.id), s.started_at, true, p.sha256 FROM old_places p JOIN old_spills s ON s.id = p.spill ON CONFLICT DO NOTHING;
INSERT INTO body_chunks (spill, seq, coding, bytes)
SELECT rehomed(p.session_id, c.spill), c.seq, c.coding, c.bytes FROM old_places p JOIN old_body_chunks c ON c.spill = p.spill ON CONFLICT DO NOTHING;

DROP FUNCTION salted(uuid, bytea);
DROP FUNCTION rehomed(uuid, uuid);
DROP FUNCTION body_kind(json);
DROP FUNCTION phrase_digest(json);
DROP TABLE old_openings, old_ends, old_places, old_calls, old_closings, old_masked_values, old_body_chunks, old_spills, old_bodies;
