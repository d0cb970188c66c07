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

-- Issuer and id of the repository that a session is of: people are shown those that GitHub lets them read, and ids of one server mean nothing on
-- another. Written by the gateway: of a claim with \u0000 no expression here makes a text.
ALTER TABLE sessions ADD COLUMN repository text;
CREATE FUNCTION repository_in(caller json) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE WHEN caller -> 'claims' ->> 'repository_id' ~ '^[0-9]{1,20}$' THEN (caller ->> 'issuer') || ' ' || (caller -> 'claims' ->> 'repository_id') END;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
UPDATE sessions SET repository = repository_in(caller);
DROP FUNCTION repository_in(json);
CREATE INDEX sessions_repository ON sessions (repository, id DESC) WHERE repository IS NOT NULL;
