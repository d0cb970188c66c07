-- Up Migration

-- Somebody said that this session must not go: {by, at, reason}. In the row itself, so that whoever lets go of it and whoever holds it wait for
-- each other, and the later one sees what the earlier one did.
ALTER TABLE sessions ADD COLUMN hold json;
CREATE INDEX sessions_held ON sessions (id) WHERE hold IS NOT NULL;
-- Decided once and for good, session by session, before a byte goes: the day's salt may stay for others.
ALTER TABLE sessions ADD COLUMN bodies_expired boolean NOT NULL DEFAULT false;
UPDATE sessions s SET bodies_expired = true WHERE NOT EXISTS (SELECT FROM epochs WHERE epoch = epoch_of(s.id)) AND s.state <> 'open';

CREATE FUNCTION refuse_bodies_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'bodies that have expired do not come back' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER bodies_stay_expired BEFORE UPDATE OF bodies_expired ON sessions FOR EACH ROW
  WHEN (OLD.bodies_expired AND NOT NEW.bodies_expired) EXECUTE FUNCTION refuse_bodies_back();

-- Partitions of which a part is to go, and the rest stays: days of bodies, weeks of receipts. What is let go of and this row are one commit.
CREATE TABLE to_thin (
  kind text NOT NULL CHECK (kind IN ('bodies', 'receipts')),
  first int4 NOT NULL,
  PRIMARY KEY (kind, first)
);

-- How retention sees the sessions of some epochs: `due` may go; `kept` stays, for it is held or its connection keeps longer; `waiting` is in use or
-- was lately, and so does everything beside it. Periods are ms, by connection; `usual` is that of all others.
CREATE FUNCTION standing_of(kind text, first int4, days int4, moment timestamptz, names text[], periods int8[], usual int8)
RETURNS TABLE (id uuid, standing text) LANGUAGE sql STABLE AS $$
  SELECT s.id, CASE
    WHEN s.state = 'open' OR EXISTS (SELECT FROM calls_in_flight f WHERE f.session_id = s.id) THEN 'waiting'
    WHEN s.hold IS NOT NULL OR first + days > floor((extract(epoch FROM moment) * 1000 - own.ms) / 86400000) THEN 'kept'
    WHEN s.last_used_at >= moment - own.ms * interval '1 millisecond' THEN 'waiting'
    ELSE 'due' END
  FROM sessions s, LATERAL (SELECT coalesce(periods[array_position(names, s.connection)], usual) AS ms) own
  WHERE s.id >= first_id_of(first) AND s.id < first_id_of(first + days) AND (kind = 'receipts' OR NOT s.bodies_expired)
$$;

-- Makes what a partition's rest is copied into. With the partition's bounds as a check, so that it is attached without being looked through.
CREATE FUNCTION make_rest(parent text, name text, first int4, days int4) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  key text := CASE parent WHEN 'bodies' THEN 'epoch' WHEN 'phrases' THEN 'week' WHEN 'spills' THEN 'id' WHEN 'body_chunks' THEN 'spill' ELSE 'session_id' END;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
  IF parent IN ('bodies', 'phrases') THEN
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (%I >= %s AND %I < %s)', name, key, first, key, first + days);
  ELSE
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (%I >= %L AND %I < %L)', name, key, first_id_of(first), key, first_id_of(first + days));
  END IF;
END $$;

-- Puts the rest in the place of the whole.
CREATE FUNCTION take_rest(parent text, name text, first int4, days int4) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  place text := partition_name(parent, first);
  refused text := CASE WHEN parent IN ('calls', 'closings', 'phrases') THEN 'UPDATE OR DELETE OR TRUNCATE' WHEN parent = 'bodies' THEN 'UPDATE' END;
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', place);
  EXECUTE format('ALTER TABLE %I RENAME TO %I', name, place);
  IF refused IS NOT NULL THEN
    EXECUTE format('CREATE TRIGGER append_only BEFORE %s ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', refused, place);
  END IF;
  IF parent IN ('bodies', 'phrases') THEN
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, place, first, first + days);
  ELSE
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, place, first_id_of(first), first_id_of(first + days));
  END IF;
END $$;

-- What attempts that were cut off left behind.
CREATE FUNCTION drop_rests(pattern text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE pattern AND pg_table_is_visible(oid) LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I', name);
  END LOOP;
END $$;

-- What `standing_of` says now.
DROP FUNCTION is_over(int4, int4, timestamptz);
