-- Time of the message that the chat list shows, in milliseconds; 0 before there is one.
ALTER TABLE conversations ADD COLUMN last_message_at BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET last_message_at = COALESCE(
    (SELECT m.sent_at FROM messages m WHERE m.id = CAST(CAST(last_message AS jsonb) ->> 'id' AS BIGINT)), 0)
WHERE last_message IS NOT NULL;
CREATE INDEX conversations_last_message ON conversations (company_id, last_message_at, id);
-- The list in the order in which conversations began.
CREATE INDEX conversations_created ON conversations (company_id, id);
CREATE INDEX conversations_created_state ON conversations (company_id, state, id);
-- Archived ones may be narrowed to an assignee too.
DROP INDEX conversations_assignee;
CREATE INDEX conversations_assignee ON conversations (company_id, assignee_id, state, activity);

-- How the member has the chat list sorted.
ALTER TABLE members ADD COLUMN chat_order TEXT NOT NULL DEFAULT 'activity' CHECK (chat_order IN ('activity', 'created'));
