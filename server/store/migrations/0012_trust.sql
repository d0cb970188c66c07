-- Up Migration

-- Which form receipts had when their session was sealed: from form 2 on, what people said about a call is part of its receipt.
ALTER TABLE seals ADD COLUMN form int2 NOT NULL DEFAULT 1 CHECK (form IN (1, 2));

CREATE OR REPLACE FUNCTION refuse_new_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.session_id, OLD.calls, OLD.head, OLD.state, OLD.sealed_at, OLD.form)
     IS DISTINCT FROM (NEW.session_id, NEW.calls, NEW.head, NEW.state, NEW.sealed_at, NEW.form)
     OR OLD.log_index IS NOT NULL
  THEN
    RAISE EXCEPTION 'a seal never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- What an answer permits goes with its session and not before, like the answer.
CREATE TRIGGER grants_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON grants FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_before_retention();

-- What was asked stays asked, and an end is an end: also when it came, why, and of which run it was.
CREATE OR REPLACE FUNCTION refuse_new_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.id, OLD.session_id, OLD.connection, OLD.operation, OLD.code, OLD.digest, OLD.request_digest, OLD.question::text, OLD.terms::text, OLD.binding::text,
      OLD.run::text, OLD.asked_at)
     IS DISTINCT FROM (NEW.id, NEW.session_id, NEW.connection, NEW.operation, NEW.code, NEW.digest, NEW.request_digest, NEW.question::text, NEW.terms::text,
      NEW.binding::text, NEW.run::text, NEW.asked_at)
     OR (OLD.state <> NEW.state AND OLD.state NOT IN ('pending', 'approved'))
     OR (OLD.state = 'approved' AND NEW.state IN ('pending', 'denied'))
     OR (OLD.state NOT IN ('pending', 'approved') AND (OLD.decided_at, OLD.reason, OLD.expires_at) IS DISTINCT FROM (NEW.decided_at, NEW.reason, NEW.expires_at))
  THEN
    RAISE EXCEPTION 'an approval is asked once and ends once' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- A lease that was taken in the future is of a clock that was set back since.
ALTER TABLE leases ADD COLUMN taken_at timestamptz NOT NULL DEFAULT clock_timestamp();
