-- Up Migration

-- Where a value that masks took out can be found again: its keyed hash (HMAC under the mask key, which is not in this database) and the call.
-- Written in the same transaction as the receipt, and no part of it.
CREATE TABLE masked_values (
  hash bytea NOT NULL CHECK (length(hash) = 16),
  session_id uuid NOT NULL,
  n int4 NOT NULL,
  PRIMARY KEY (hash, session_id, n)
);
