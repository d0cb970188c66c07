-- Up Migration

-- One question to people about one held call. What was asked never changes; its state goes one way.
CREATE TABLE approvals (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions,
  connection text NOT NULL,
  operation text NOT NULL,
  state text NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'stale', 'cancelled', 'consumed')),
  code text NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  request_digest bytea NOT NULL CHECK (length(request_digest) = 32),
  -- json, not jsonb: what people were shown comes back as it was, and \u0000 in it is no error.
  terms json NOT NULL,
  binding json NOT NULL,
  run json,
  question json NOT NULL,
  -- The call that asked first, and the one that it let pass.
  call_n int4,
  consumed_n int4,
  asked_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  reason text NOT NULL DEFAULT '',
  -- The state that its comment and check run show; null before they are there.
  told text
);
-- Identical requests of one session join one question.
CREATE UNIQUE INDEX approvals_live ON approvals (session_id, request_digest) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_waiting ON approvals (id) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_untold ON approvals (id) WHERE told IS DISTINCT FROM state;
CREATE INDEX approvals_session ON approvals (session_id);

-- Where it was asked: at most one comment, check run or issue of each kind.
CREATE TABLE approval_places (
  approval_id uuid NOT NULL REFERENCES approvals,
  kind text NOT NULL CHECK (kind IN ('review_comment', 'comment', 'check_run', 'issue', 'page')),
  url text NOT NULL,
  id int8,
  number int4,
  PRIMARY KEY (approval_id, kind)
);

-- Every attempt to answer, refused ones too; `key` names the comment or the button press, so that none counts twice. Append-only.
CREATE TABLE approval_answers (
  approval_id uuid NOT NULL REFERENCES approvals,
  key text NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('approve', 'deny')),
  by text NOT NULL,
  via text NOT NULL CHECK (via IN ('comment', 'check', 'page')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  accepted boolean NOT NULL,
  reason text NOT NULL,
  asked_grant json,
  PRIMARY KEY (approval_id, key)
);

-- What an answer permits beyond one call.
CREATE TABLE grants (
  id uuid PRIMARY KEY,
  approval_id uuid NOT NULL UNIQUE REFERENCES approvals,
  session_id uuid NOT NULL REFERENCES sessions,
  operation text NOT NULL,
  rule text NOT NULL,
  policy text NOT NULL,
  given_by text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Null: as long as the session.
  expires_at timestamptz
);
CREATE INDEX grants_session ON grants (session_id);

-- Held calls that were let go, written in the commit that uses the approval up: without a row here nothing was sent. Append-only.
CREATE TABLE departures (
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  approval_id uuid NOT NULL REFERENCES approvals,
  grant_id uuid REFERENCES grants,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (session_id, n)
);

-- Comments and button presses that were seen, whatever came of them.
CREATE TABLE heard (
  key text PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX heard_at ON heard (at);

-- Work that one replica does at a time.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  until timestamptz NOT NULL
);

-- Random bytes that every gateway of this database must agree on; none of them signs anything.
CREATE TABLE agreed_keys (
  name text PRIMARY KEY,
  bytes bytea NOT NULL CHECK (length(bytes) >= 32)
);

-- Of a call that a rule holds for people: the question it asked or joined.
ALTER TABLE calls ADD COLUMN approval_id uuid;

CREATE TRIGGER approval_answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_answers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER departures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON departures FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was asked stays asked, and an end is an end.
CREATE FUNCTION refuse_new_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.id, OLD.session_id, OLD.operation, OLD.code, OLD.digest, OLD.request_digest, OLD.question::text, OLD.terms::text, OLD.binding::text)
     IS DISTINCT FROM (NEW.id, NEW.session_id, NEW.operation, NEW.code, NEW.digest, NEW.request_digest, NEW.question::text, NEW.terms::text, NEW.binding::text)
     OR (OLD.state <> NEW.state AND OLD.state NOT IN ('pending', 'approved'))
     OR (OLD.state = 'approved' AND NEW.state IN ('pending', 'denied'))
  THEN
    RAISE EXCEPTION 'an approval is asked once and ends once' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approvals_one_way BEFORE UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION refuse_new_question();
CREATE TRIGGER approvals_stay BEFORE DELETE OR TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whoever waits for it hears of it, at whichever gateway.
CREATE FUNCTION tell_approval_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('dogwatch_approval_changed', NEW.id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER approval_asked AFTER INSERT ON approvals FOR EACH ROW EXECUTE FUNCTION tell_approval_changed();
CREATE TRIGGER approval_changed AFTER UPDATE OF state ON approvals FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_approval_changed();

-- A job that is over does nothing any more: its questions end in the same commit.
CREATE FUNCTION cancel_approvals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE approvals SET state = 'cancelled', decided_at = clock_timestamp(), reason = 'the session that asked has ended'
  WHERE session_id = NEW.id AND state IN ('pending', 'approved');
  RETURN NULL;
END $$;
CREATE TRIGGER session_ended_cancels AFTER UPDATE OF state ON sessions FOR EACH ROW
  WHEN (OLD.state = 'open' AND NEW.state <> 'open') EXECUTE FUNCTION cancel_approvals();
