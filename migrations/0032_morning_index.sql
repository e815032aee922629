-- The morning page counts failures from indexes alone: a thousand of them lie on a thousand pages of the table.

-- Every column the count looks at. Only failures nobody has dealt with are in it, so what goes well never writes it.
DROP INDEX message_unhandled;
CREATE INDEX message_unhandled ON message (id, area, status, class, handled_at, channel, failure_code, template,
    fallback_at, card_id, first_id, created_at)
    WHERE status = 'failed' AND class <> 'broadcast' AND handled_at IS NULL;

-- Whether something newer was said of a card.
DROP INDEX message_card;
CREATE INDEX message_card ON message (card_id, class, id) WHERE card_id IS NOT NULL;
