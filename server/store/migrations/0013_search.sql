-- Up Migration

-- Calls that have ended and were not given their place in the index yet: a row per batch, written in the transaction that ended them. So nothing
-- is missed, whoever dies and in whatever order transactions commit.
CREATE TABLE search_queue (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sessions uuid[] NOT NULL,
  numbers int4[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE FUNCTION queue_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_queue (sessions, numbers)
  SELECT array_agg(session_id), array_agg(n) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $$;
CREATE TRIGGER closings_queued AFTER INSERT ON closings REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION queue_for_search();

-- The places of calls in the index, counted from 0 in the epoch of their session: the order in which searches give them back, the last first.
-- A partition holds one week, as those of receipts.
CREATE TABLE search_places (
  epoch int4 NOT NULL,
  place int4 NOT NULL,
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  PRIMARY KEY (epoch, place)
) PARTITION BY RANGE (epoch);

-- How many places an epoch has, and how many of them, the first ones, are in blocks: what comes after is looked through call by call.
CREATE TABLE search_epochs (
  epoch int4 PRIMARY KEY,
  places int4 NOT NULL DEFAULT 0,
  indexed int4 NOT NULL DEFAULT 0 CHECK (indexed <= places)
) WITH (fillfactor = 50);

-- A run of places whose postings are in `parts` parts, by key; and when its calls were received.
CREATE TABLE search_blocks (
  epoch int4 NOT NULL,
  first int4 NOT NULL,
  places int4 NOT NULL CHECK (places > 0),
  parts int4 NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (epoch, first)
);

-- Postings of what receipts say; they go with the receipts. The gateway compresses.
CREATE TABLE search_receipt_parts (
  epoch int4 NOT NULL,
  first int4 NOT NULL,
  part int4 NOT NULL,
  bytes bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (epoch, first, part)
) PARTITION BY RANGE (epoch);

-- Postings of what bodies say; they go with the bodies: a partition holds one epoch.
CREATE TABLE search_body_parts (
  epoch int4 NOT NULL,
  first int4 NOT NULL,
  part int4 NOT NULL,
  bytes bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (epoch, first, part)
) PARTITION BY RANGE (epoch);

CREATE OR REPLACE FUNCTION make_partition(parent text, first_epoch int4, days int4) RETURNS void LANGUAGE plpgsql AS $$
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
  IF parent IN ('bodies', 'phrases', 'search_places', 'search_receipt_parts', 'search_body_parts') THEN
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, name, first_epoch, first_epoch + days);
  ELSE
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, first_id_of(first_epoch), first_id_of(first_epoch + days));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION open_epoch(wanted int4) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  week int4 := wanted - wanted % 7;
BEGIN
  -- `dogw`, 0: replicas, which share the first half of the key, are numbered from 1.
  PERFORM pg_advisory_xact_lock(1685022583, 0);
  PERFORM make_partition('calls', week, 7), make_partition('closings', week, 7), make_partition('phrases', week, 7),
    make_partition('masked_values', week, 7), make_partition('bodies', wanted, 1), make_partition('spills', wanted, 1), make_partition('body_chunks', wanted, 1),
    make_partition('search_places', week, 7), make_partition('search_receipt_parts', week, 7), make_partition('search_body_parts', wanted, 1);
  -- Two UUIDs have 244 random bits, from the same source as a key's.
  INSERT INTO epochs AS e (epoch, salt)
  VALUES (wanted, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
  ON CONFLICT DO NOTHING;
  RETURN (SELECT e.salt FROM epochs e WHERE e.epoch = wanted);
END $$;

CREATE OR REPLACE FUNCTION drop_bodies(gone int4) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('bodies', gone));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('spills', gone));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('body_chunks', gone));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('search_body_parts', gone));
  DELETE FROM epochs WHERE epoch = gone;
END $$;

CREATE OR REPLACE FUNCTION drop_receipts(week int4) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('calls', week));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('closings', week));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('phrases', week));
  PERFORM drop_bodies(day) FROM generate_series(week, week + 6) day;
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('masked_values', week));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('search_places', week));
  EXECUTE format('DROP TABLE IF EXISTS %I', partition_name('search_receipt_parts', week));
  DELETE FROM search_blocks WHERE epoch >= week AND epoch < week + 7;
  DELETE FROM search_epochs WHERE epoch >= week AND epoch < week + 7;
END $$;

-- Of these epochs a part goes and the rest stays: the rest is put into blocks again, and nothing of what went is left in the index.
CREATE FUNCTION index_again(first_epoch int4, days int4) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE search_epochs SET indexed = 0 WHERE epoch >= first_epoch AND epoch < first_epoch + days;
  DELETE FROM search_blocks WHERE epoch >= first_epoch AND epoch < first_epoch + days;
  DELETE FROM search_receipt_parts WHERE epoch >= first_epoch AND epoch < first_epoch + days;
  DELETE FROM search_body_parts WHERE epoch >= first_epoch AND epoch < first_epoch + days;
  DELETE FROM search_places p WHERE p.epoch >= first_epoch AND p.epoch < first_epoch + days
    AND NOT EXISTS (SELECT FROM sessions s WHERE s.id = p.session_id);
END $$;

-- Gives calls that wait their places, at most those of `batches` batches, and says how many. One at a time: places are counted on from the last one.
CREATE FUNCTION place_for_search(batches int4) RETURNS int4 LANGUAGE plpgsql AS $$
DECLARE
  placed int4;
BEGIN
  -- `dogs`: whoever does this now does it for everybody.
  IF NOT pg_try_advisory_xact_lock(1685022579, 0) THEN
    RETURN 0;
  END IF;
  WITH taken AS (
    DELETE FROM search_queue WHERE id IN (SELECT id FROM search_queue ORDER BY id LIMIT batches) RETURNING id, sessions, numbers
  ), ended AS MATERIALIZED (
    SELECT epoch_of(c.session_id) AS epoch, c.session_id, c.n, t.id, c.ord
    FROM taken t, unnest(t.sessions, t.numbers) WITH ORDINALITY AS c (session_id, n, ord)
    -- What retention let go of needs no place, and has none.
    WHERE EXISTS (SELECT FROM sessions s WHERE s.id = c.session_id)
  ), grown AS (
    INSERT INTO search_epochs AS e (epoch, places) SELECT epoch, count(*) FROM ended GROUP BY epoch
    ON CONFLICT (epoch) DO UPDATE SET places = e.places + excluded.places RETURNING e.epoch, e.places
  ), counted AS (
    SELECT epoch, count(*) AS more FROM ended GROUP BY epoch
  )
  INSERT INTO search_places (epoch, place, session_id, n)
  SELECT e.epoch, g.places - k.more - 1 + row_number() OVER (PARTITION BY e.epoch ORDER BY e.id, e.ord), e.session_id, e.n
  FROM ended e JOIN grown g ON g.epoch = e.epoch JOIN counted k ON k.epoch = e.epoch;
  GET DIAGNOSTICS placed = ROW_COUNT;
  RETURN placed;
END $$;

-- What was recorded before: every week that has receipts gets its partitions, every call that has ended its turn.
DO $$
DECLARE
  week int4;
BEGIN
  FOR week IN
    SELECT to_date(right(c.relname, 10), 'YYYY_MM_DD') - date '1970-01-01' FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'calls'::regclass
  LOOP
    PERFORM make_partition('search_places', week, 7), make_partition('search_receipt_parts', week, 7);
  END LOOP;
  PERFORM make_partition('search_body_parts', epoch, 1) FROM epochs;
END $$;
INSERT INTO search_queue (sessions, numbers)
SELECT array_agg(session_id ORDER BY session_id, n), array_agg(n ORDER BY session_id, n)
FROM closings GROUP BY session_id, (n - 1) / 256 ORDER BY session_id, (n - 1) / 256;
