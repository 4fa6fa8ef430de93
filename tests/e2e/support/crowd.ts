import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Further chats, older than all that are there: each of a client who wrote once. By SQL, or it would take an hour. */
export async function gather(database: string, count: number): Promise<void> {
  const text = 'Здравствуйте! Когда ближайшее занятие?';
  const at = 'c.created_at';
  const rows = `(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < ${count}) SELECT i + 1000000 AS i FROM g) AS g,
    (SELECT id, company_id, created_at FROM channels ORDER BY id LIMIT 1) AS c`;
  const client = 'CAST(6000000000 + g.i AS TEXT)';
  const preview = `json_object('id', g.i, 'direction', 'incoming', 'author_member_id', NULL, 'status', NULL,
    'content_kind', 'text', 'text', '${text}', 'attachment_kind', NULL, 'deleted', json('false'),
    'sent_at', strftime('%Y-%m-%dT%H:%M:%fZ', ${at} / 1000.0, 'unixepoch'))`;
  const sql = `
    BEGIN;
    INSERT INTO contacts (id, company_id, name, created_at)
      SELECT g.i, c.company_id, 'Клиент ' || (g.i - 1000000), ${at} FROM ${rows};
    INSERT INTO contact_identities (id, company_id, channel_id, contact_id, external_id, chat_id, created_at)
      SELECT g.i, c.company_id, c.id, g.i, ${client}, ${client}, ${at} FROM ${rows};
    INSERT INTO conversations (id, company_id, channel_id, contact_id, identity_id, state, activity,
        last_incoming_position, last_message, last_message_at, last_position, version, created_at)
      SELECT g.i, c.company_id, c.id, g.i, g.i, 'open', g.i - 10000000, 1, ${preview}, ${at}, 1, 1, ${at} FROM ${rows};
    INSERT INTO messages (id, company_id, channel_id, conversation_id, direction, external_id, content,
        "position", ordinal, sent_at, version, created_at)
      SELECT g.i, c.company_id, c.id, g.i, 'incoming', ${client} || ':1',
        json_object('kind', 'text', 'text', '${text}'), 1, 0, ${at}, 1, ${at} FROM ${rows};
    COMMIT;
    ANALYZE;`;
  await promisify(execFile)('sqlite3', ['-bail', database, sql]);
}
