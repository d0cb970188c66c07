-- Up Migration

-- Postings say of each call whose it is, so that what somebody may not see is not looked up for them. A gateway of before writes no blocks any
-- more (it does not say which keys its postings have), and every call is put into blocks again.
UPDATE search_epochs SET indexed = 0;
TRUNCATE search_blocks, search_receipt_parts, search_body_parts;
ALTER TABLE search_blocks ADD COLUMN keys int2 NOT NULL CHECK (keys = 2);
