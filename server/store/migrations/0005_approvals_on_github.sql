-- Up Migration

-- A create on GitHub that was begun: until it is known what came of it, it is looked for before it is tried again.
CREATE TABLE place_attempts (
  approval_id uuid NOT NULL REFERENCES approvals,
  kind text NOT NULL CHECK (kind IN ('thread', 'check_run')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (approval_id, kind)
);

-- The end of a question becomes an audit event once.
ALTER TABLE approvals ADD COLUMN end_noted boolean NOT NULL DEFAULT false;

-- What is heard on GitHub finds its question by where it stands, or by what it says.
CREATE INDEX approval_places_id ON approval_places (kind, id);
CREATE INDEX approval_places_number ON approval_places (kind, number);
CREATE INDEX approvals_code ON approvals (code);
CREATE INDEX approvals_pull ON approvals ((binding ->> 'repository_id'), (binding ->> 'pull_request'), id);
CREATE INDEX approvals_decided ON approvals (decided_at);
CREATE INDEX approval_answers_key ON approval_answers (key);
