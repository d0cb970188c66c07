-- Up Migration

-- People of any provider, and holders of access tokens, sign in alike. Who is signed in signs in again.
DELETE FROM sign_ins;
ALTER TABLE sign_ins DROP COLUMN account_id;
-- What stays when names change: the number of a GitHub account, `sub`, the name of an access token.
ALTER TABLE sign_ins ADD COLUMN subject text NOT NULL;
-- As the provider listed them.
ALTER TABLE sign_ins ADD COLUMN groups json NOT NULL;
-- SHA-256 of the configuration under which they signed in (for access tokens a MAC under the token): it ends with that.
ALTER TABLE sign_ins ADD COLUMN terms bytea NOT NULL CHECK (length(terms) = 32);
-- Signing out ends every sign-in of somebody.
CREATE INDEX sign_ins_of ON sign_ins (provider, issuer, subject);

-- Whose sessions of which repository there are: people are shown those that GitHub lets them read. Ids of one server mean nothing on another.
ALTER TABLE sessions ADD COLUMN repository text
  GENERATED ALWAYS AS ((caller ->> 'issuer') || ' ' || (caller -> 'claims' ->> 'repository_id')) STORED;
CREATE INDEX sessions_repository ON sessions (repository, id DESC) WHERE repository IS NOT NULL;
