-- Several channels for one person: who is bound to which chat, which addresses a channel cannot use,
-- what follows a message that reached nobody, and what is left for somebody to tell in person.

-- Asked for no marketing, which is what broadcasts count as.
ALTER TABLE consent ADD COLUMN no_marketing_at BIGINT;

-- Addresses that a channel cannot use, until an officer or a message from there releases them.
CREATE TABLE suppression (
    id             TEXT PRIMARY KEY,       -- sup_…
    address_hash   TEXT NOT NULL,          -- keyed hash of a phone, a BSUID or a chat
    address_sealed TEXT,                   -- the address, for the officer who looks at the list
    channel        TEXT NOT NULL,          -- whatsapp, telegram, sms; '' for every channel
    reason         TEXT NOT NULL,          -- wrong_person, not_reachable, undelivered
    code           TEXT,                   -- provider's code that said so
    created_at     BIGINT NOT NULL,        -- since when
    released_at    BIGINT,                 -- may be written to again
    released_by    TEXT                    -- who released it: a token's or officer's name, or 'inbound'
);
CREATE UNIQUE INDEX suppression_active ON suppression (address_hash, channel) WHERE released_at IS NULL;
CREATE INDEX suppression_list ON suppression (id) WHERE released_at IS NULL;
INSERT INTO suppression (id, address_hash, channel, reason, created_at)
    -- Ids of the form of all others: 26 digits, filled up with zeros.
    SELECT 'sup_' || substr('00000000000000000000000000' || CAST(n AS TEXT), length(CAST(n AS TEXT)) + 1),
           address_hash, '', reason, suppressed_at
    FROM (SELECT address_hash, COALESCE(suppression_reason, 'wrong_person') AS reason, suppressed_at,
                 ROW_NUMBER() OVER (ORDER BY address_hash) AS n
          FROM consent WHERE suppressed_at IS NOT NULL) AS known;
ALTER TABLE consent DROP COLUMN suppressed_at;
ALTER TABLE consent DROP COLUMN suppression_reason;

-- The chat of a contact at Telegram, and whether its number is proved to be its own.
ALTER TABLE contact ADD COLUMN chat_hash TEXT;   -- keyed hash of portfolio and chat
ALTER TABLE contact ADD COLUMN chat_sealed TEXT; -- the chat
CREATE UNIQUE INDEX contact_chat ON contact (channel, portfolio, chat_hash) WHERE chat_hash IS NOT NULL;
CREATE INDEX contact_phone ON contact (phone_hash) WHERE phone_hash IS NOT NULL;

-- People whose news goes to a contact because an officer handed them a code at the counter.
CREATE TABLE binding (
    person_id  TEXT NOT NULL REFERENCES person (id),
    contact_id TEXT NOT NULL REFERENCES contact (id),
    bound_at   BIGINT NOT NULL,            -- when
    PRIMARY KEY (person_id, contact_id)
);
CREATE INDEX binding_contact ON binding (contact_id);

-- One-time codes that bind a chat to a person.
CREATE TABLE binding_code (
    id         TEXT PRIMARY KEY,           -- bnd_…
    code_hash  TEXT NOT NULL UNIQUE,       -- keyed hash; the code itself is shown once
    person_id  TEXT NOT NULL REFERENCES person (id),
    created_by TEXT NOT NULL,              -- who issued it
    created_at BIGINT NOT NULL,            -- when
    expires_at BIGINT NOT NULL,            -- not taken from then on
    used_at    BIGINT                      -- taken
);
CREATE INDEX binding_code_person ON binding_code (person_id);

-- The channel a person asked to be told on; none for the office's order.
ALTER TABLE person ADD COLUMN channel TEXT;

-- A message that follows another one on the next channel, and when the next one is due.
ALTER TABLE message ADD COLUMN first_id TEXT;        -- first message of the same news; none for that one itself
ALTER TABLE message ADD COLUMN fallback_at BIGINT;   -- no word of its arrival by then: the next channel
ALTER TABLE message ADD COLUMN has_next BIGINT;      -- 1 when another channel would follow
ALTER TABLE message ADD COLUMN text_hash TEXT;       -- keyed hash of address and words, for the loop guard
ALTER TABLE message ADD COLUMN parts BIGINT;         -- SMS segments
ALTER TABLE message ADD COLUMN rupiah BIGINT;        -- what they cost by the configuration
CREATE INDEX message_first ON message (first_id) WHERE first_id IS NOT NULL;
CREATE INDEX message_fallback ON message (fallback_at) WHERE fallback_at IS NOT NULL;
CREATE INDEX message_text ON message (text_hash, created_at) WHERE text_hash IS NOT NULL;

-- News that no channel brought: somebody must tell it in person.
CREATE TABLE visit (
    id         TEXT PRIMARY KEY,           -- vis_…
    message_id TEXT NOT NULL UNIQUE,       -- first message of the news
    person_id  TEXT NOT NULL REFERENCES person (id),
    card_id    TEXT NOT NULL REFERENCES card (id),
    template   TEXT NOT NULL,              -- announcement kind
    reason     TEXT NOT NULL,              -- why no channel brought it
    area       TEXT,                       -- dotted area code of the person
    created_at BIGINT NOT NULL,            -- when it came to this
    closed_at  BIGINT,                     -- settled
    outcome    TEXT,                       -- told, reached, superseded
    closed_by  TEXT                        -- who told them
);
CREATE INDEX visit_open ON visit (area, id) WHERE closed_at IS NULL;
CREATE INDEX visit_card ON visit (card_id) WHERE closed_at IS NULL;

-- An account that may send nothing but answers is stopped for its other lanes alone.
ALTER TABLE account ADD COLUMN stop_scope TEXT;
