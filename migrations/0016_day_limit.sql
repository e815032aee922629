-- How many people an account may begin to write to within a day, as its provider said last, and whom it began to
-- write to: neither is a question that reads all messages.

ALTER TABLE account ADD COLUMN day_limit BIGINT;    -- people a day; -1 for no limit, none where nobody said
ALTER TABLE account ADD COLUMN day_limit_at BIGINT; -- when it was said
DROP INDEX message_broadcast_day;
CREATE INDEX message_begun_day ON message (account, sent_at) WHERE class <> 'reply' AND sent_at IS NOT NULL;
CREATE INDEX message_begun_waiting ON message (account, recipient_hash)
    WHERE class = 'broadcast' AND status IN ('queued', 'sending', 'unknown');
