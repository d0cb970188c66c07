-- Up Migration

-- Sessions in which people had another one undone. `run`: what is at it; one that is there although nobody holds its lease died on the way.
CREATE TABLE undos (
  id uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
  run uuid
);
CREATE INDEX undos_session ON undos (session_id);
