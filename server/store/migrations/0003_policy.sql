-- Up Migration

-- Every policy that was ever in force, under the digest that receipts name. `source` is the text the digest is of (RFC 8785).
-- Append-only.
CREATE TABLE policies (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  source json NOT NULL,
  first_in_force timestamptz NOT NULL
);
CREATE TRIGGER policies_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON policies FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which calls of a session drew on the limit of a rule, as long as they count. Forgotten when the session has ended.
CREATE TABLE rule_uses (
  session_id uuid NOT NULL,
  rule text NOT NULL,
  -- `20/hour`: another limit begins another count.
  budget text NOT NULL,
  uses timestamptz[] NOT NULL,
  PRIMARY KEY (session_id, rule, budget)
) WITH (fillfactor = 50);

-- What rules on answers said; null when no such rule had anything against it.
ALTER TABLE closings ADD COLUMN response_decision json;
