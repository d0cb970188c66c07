-- Up Migration

-- People who are signed in as themselves. Only digests of their cookies: nobody can go on as them from here.
CREATE TABLE sign_ins (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  provider text NOT NULL,
  -- Which server knows the account, `https://github.com`: the same name elsewhere is somebody else.
  issuer text NOT NULL,
  -- Login names change hands, numbers do not.
  account_id int8 NOT NULL,
  login text NOT NULL,
  signed_in_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);

-- Browsers that were sent to GitHub and are to come back: each once, the same browser, within minutes.
CREATE TABLE round_trips (
  state bytea PRIMARY KEY CHECK (length(state) = 32),
  browser bytea NOT NULL CHECK (length(browser) = 32),
  purpose text NOT NULL CHECK (purpose IN ('sign_in', 'github_app')),
  -- What to go on with afterwards. Nothing secret.
  carried json NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX round_trips_expiry ON round_trips (expires_at);
