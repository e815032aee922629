-- Kabar's tables, one set for SQLite and PostgreSQL. Columns are TEXT and BIGINT only: times are Unix
-- milliseconds, flags are nullable times, *_sealed columns hold an AEAD's output (store/seal.rs) bound
-- to their row and column, *_hash columns hold a keyed hash for looking up what is sealed.

-- Facts about this database itself.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,                -- what
    value TEXT NOT NULL                    -- its value; 'key_check' is sealed and proves the right key
);

-- People who have a NIK and some document on its way.
CREATE TABLE person (
    id            TEXT PRIMARY KEY,        -- per_…
    nik_hash      TEXT NOT NULL UNIQUE,    -- keyed hash of the NIK
    nik_sealed    TEXT NOT NULL,           -- the NIK
    name_sealed   TEXT,                    -- name as the source wrote it
    phone_hash    TEXT,                    -- keyed hash of the E.164 number; a family may share one
    phone_sealed  TEXT,                    -- the number
    phone_problem TEXT,                    -- why there is no usable number: landline, foreign, …
    area          TEXT,                    -- dotted area code of residence
    rt_sealed     TEXT,                    -- RT
    rw_sealed     TEXT,                    -- RW
    created_at    BIGINT NOT NULL,         -- first heard of
    updated_at    BIGINT NOT NULL          -- last changed
);
CREATE INDEX person_phone ON person (phone_hash) WHERE phone_hash IS NOT NULL;
CREATE INDEX person_unreachable ON person (id) WHERE phone_hash IS NULL;

-- Cards and other documents of people; a reprint is a new row with the next serial.
CREATE TABLE card (
    id             TEXT PRIMARY KEY,       -- crd_…
    person_id      TEXT NOT NULL REFERENCES person (id),
    document       TEXT NOT NULL,          -- ktp-el, kia, kk, …
    serial         BIGINT NOT NULL,        -- 1 for the first, 2 for its reprint, …
    status         TEXT NOT NULL,          -- domain::card::CardStatus
    status_at      BIGINT NOT NULL,        -- since when, by the source's word
    service_point  TEXT,                   -- code of the point that has it
    home_date      TEXT,                   -- appointment of a home delivery, YYYY-MM-DD
    home_from      TEXT,                   -- start of its window, HH:MM
    home_to        TEXT,                   -- end of its window, HH:MM
    last_announced TEXT,                   -- fingerprint of the last announcement planned
    created_at     BIGINT NOT NULL,        -- first heard of
    updated_at     BIGINT NOT NULL,        -- last changed
    UNIQUE (person_id, document, serial)
);

-- Every update ever accepted: a card's history.
CREATE TABLE card_update (
    id                 TEXT PRIMARY KEY,   -- upd_…
    source             TEXT NOT NULL,      -- api, import, or the id of a watched source
    external_id_hash   TEXT NOT NULL,      -- keyed hash of the source's own id
    content_hash       TEXT NOT NULL,      -- keyed hash of what was said, to tell repeats from conflicts
    external_id_sealed TEXT NOT NULL,      -- the source's own id; some sources put a NIK into it
    card_id            TEXT NOT NULL REFERENCES card (id),
    status             TEXT NOT NULL,      -- domain::card::CardStatus
    occurred_at        BIGINT NOT NULL,    -- when, by the source's word
    received_at        BIGINT NOT NULL,    -- when we heard
    outcome            TEXT NOT NULL,      -- domain::card::UpdateOutcome
    UNIQUE (source, external_id_hash)
);
CREATE INDEX card_update_card ON card_update (card_id, occurred_at);

-- Updates that could not be taken, until somebody deals with them.
CREATE TABLE rejection (
    id             TEXT PRIMARY KEY,       -- rej_…
    source         TEXT NOT NULL,          -- as in card_update
    payload_hash   TEXT NOT NULL,          -- the same item again only counts up
    payload_sealed TEXT NOT NULL,          -- the item as received
    code           TEXT NOT NULL,          -- invalid_nik, unknown_status, …
    message        TEXT NOT NULL,          -- what is wrong, in words, without the value itself
    times          BIGINT NOT NULL,        -- how often it came
    received_at    BIGINT NOT NULL,        -- when it came last
    resolved_at    BIGINT,                 -- when somebody dealt with it
    UNIQUE (source, payload_hash)
);
CREATE INDEX rejection_open ON rejection (id) WHERE resolved_at IS NULL;

-- Where cards are made, kept and handed over.
CREATE TABLE service_point (
    code        TEXT PRIMARY KEY,          -- as sources name it, kec-jombang
    name        TEXT NOT NULL,             -- Kantor Kecamatan Jombang
    short_name  TEXT NOT NULL,             -- Kec. Jombang, for SMS
    area        TEXT NOT NULL,             -- dotted area code
    address     TEXT,                      -- street
    hours       TEXT NOT NULL,             -- opening hours in words
    hours_short TEXT NOT NULL,             -- the same for SMS
    updated_at  BIGINT NOT NULL            -- last imported
);

-- Addresses that must not be written to.
CREATE TABLE consent (
    address_hash       TEXT PRIMARY KEY,   -- keyed hash of a phone or a BSUID
    opted_out_at       BIGINT,             -- asked to stop
    suppressed_at      BIGINT,             -- wrong person, or nobody's number
    suppression_reason TEXT,               -- wrong_person, …
    updated_at         BIGINT NOT NULL     -- last changed
);

-- Addresses that wrote to us, with the state of their conversation.
CREATE TABLE contact (
    id              TEXT PRIMARY KEY,      -- con_…
    channel         TEXT NOT NULL,         -- whatsapp, telegram, sms
    portfolio       TEXT NOT NULL,         -- Meta business portfolio (BSUIDs are scoped to it), or the account
    phone_hash      TEXT,                  -- keyed hash of the number, if it is known
    phone_sealed    TEXT,                  -- the number
    bsuid_hash      TEXT,                  -- keyed hash of portfolio and BSUID, if known
    bsuid_sealed    TEXT,                  -- the BSUID
    last_inbound_at BIGINT,                -- opens WhatsApp's service window of 24 hours
    dialogue_sealed TEXT,                  -- state of dialogue::step
    created_at      BIGINT NOT NULL,       -- first message
    updated_at      BIGINT NOT NULL,       -- last changed
    UNIQUE (channel, portfolio, phone_hash),
    UNIQUE (channel, portfolio, bsuid_hash)
);

-- Provider events: every one of a webhook body is here before the webhook is answered.
CREATE TABLE inbox (
    id             TEXT PRIMARY KEY,       -- evt_…
    event_key      TEXT NOT NULL UNIQUE,   -- keyed hash of what makes the event one; a repeat hits it
    account        TEXT NOT NULL,          -- which of our accounts it came to
    kind           TEXT NOT NULL,          -- message, receipt, other
    payload_sealed TEXT NOT NULL,          -- the event as received
    received_at    BIGINT NOT NULL,        -- when
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'ignored', 'failed')),
    due_at         BIGINT NOT NULL,        -- not looked at before
    attempts       BIGINT NOT NULL,        -- how often it was tried
    error          TEXT,                   -- why it failed, in words without data
    done_at        BIGINT                  -- when it was settled
);
CREATE INDEX inbox_waiting ON inbox (due_at, id) WHERE state = 'waiting';

-- What citizens wrote, redacted.
CREATE TABLE inbound (
    id          TEXT PRIMARY KEY,          -- inb_…
    contact_id  TEXT NOT NULL REFERENCES contact (id),
    event_id    TEXT NOT NULL UNIQUE,      -- the inbox row it came from
    account     TEXT NOT NULL,             -- our account
    text_sealed TEXT NOT NULL,             -- the redacted text
    intent      TEXT NOT NULL,             -- what was understood
    received_at BIGINT NOT NULL            -- when
);
CREATE INDEX inbound_contact ON inbound (contact_id, received_at);

-- Outbound messages: the outbox and its history in one.
CREATE TABLE message (
    id                 TEXT PRIMARY KEY,   -- msg_…; echoed to us by providers that can
    idem_key           TEXT NOT NULL UNIQUE, -- what caused it; a repeat of the cause hits it
    account            TEXT NOT NULL,      -- sending account; '' when no account serves the recipient
    channel            TEXT NOT NULL,      -- whatsapp, telegram, sms
    class              TEXT NOT NULL,      -- reply, announcement, broadcast
    lane               BIGINT NOT NULL,    -- 0 leaves before 1 before 2
    status             TEXT NOT NULL CHECK (status IN
                           ('queued', 'sending', 'unknown', 'sent', 'delivered', 'read', 'failed', 'expired', 'cancelled')),
    why                TEXT NOT NULL,      -- why it was or was not sent, one word
    template           TEXT NOT NULL,      -- announcement kind, or the intent answered
    reference          TEXT,               -- K7QX-3M, as the citizen reads it
    recipient_hash     TEXT NOT NULL,      -- keyed hash of the address; '' when there is none
    recipient_sealed   TEXT,               -- the address
    contact_id         TEXT,               -- whose conversation it belongs to
    person_id          TEXT,               -- whose card it is about
    card_id            TEXT,               -- which card
    content_sealed     TEXT NOT NULL,      -- template parameters, text and choices
    zone               BIGINT NOT NULL,    -- recipient's hours east of UTC, for quiet hours
    due_at             BIGINT NOT NULL,    -- not sent before
    expires_at         BIGINT,             -- not sent from then on
    attempts           BIGINT NOT NULL,    -- calls made, counted before the call
    claimed_by         TEXT,               -- process that holds it
    sending_at         BIGINT,             -- when the last call began
    unknown_until      BIGINT,             -- until when an unclear outcome waits for a receipt
    provider_id_hash   TEXT,               -- keyed hash of the provider's id
    provider_id_sealed TEXT,               -- the provider's id; WhatsApp's contains the number
    failure_code       TEXT,               -- provider's code
    failure_reason     TEXT,               -- the same in words
    created_at         BIGINT NOT NULL,    -- planned
    sent_at            BIGINT,             -- taken by the provider
    delivered_at       BIGINT,             -- on the phone
    read_at            BIGINT,             -- opened
    failed_at          BIGINT,             -- known to have failed
    updated_at         BIGINT NOT NULL     -- last changed
);
CREATE INDEX message_due ON message (account, lane, due_at, id) WHERE status = 'queued';
CREATE INDEX message_sending ON message (account) WHERE status = 'sending';
CREATE INDEX message_unknown ON message (unknown_until) WHERE status = 'unknown';
CREATE INDEX message_expiring ON message (expires_at) WHERE status = 'queued' AND expires_at IS NOT NULL;
CREATE INDEX message_provider_id ON message (provider_id_hash) WHERE provider_id_hash IS NOT NULL;
CREATE INDEX message_reference ON message (reference) WHERE reference IS NOT NULL;
CREATE INDEX message_recipient ON message (recipient_hash, id);
CREATE INDEX message_card ON message (card_id) WHERE card_id IS NOT NULL;

-- Calls of a provider.
CREATE TABLE attempt (
    id          TEXT PRIMARY KEY,          -- att_…
    message_id  TEXT NOT NULL,             -- which message
    number      BIGINT NOT NULL,           -- 1, 2, …
    started_at  BIGINT NOT NULL,           -- call begun
    finished_at BIGINT,                    -- answer or giving up; none when the process died
    outcome     TEXT NOT NULL,             -- sent, retry, rejected, recipient_gone, misconfigured, unknown, …
    code        TEXT,                      -- provider's code
    detail      TEXT                       -- provider's words, digits removed
);
CREATE INDEX attempt_message ON attempt (message_id, number);

-- Words of a provider about a message.
CREATE TABLE receipt (
    id          TEXT PRIMARY KEY,          -- rcp_…
    message_id  TEXT NOT NULL,             -- which message
    kind        TEXT NOT NULL,             -- sent, delivered, read, failed
    happened_at BIGINT NOT NULL,           -- by the provider's clock
    received_at BIGINT NOT NULL,           -- by ours
    code        TEXT,                      -- reason of a failure
    detail      TEXT,                      -- the same in words, digits removed
    UNIQUE (message_id, kind)
);

-- Sending accounts: who owns them now, and whether they are stopped.
CREATE TABLE account (
    id          TEXT PRIMARY KEY,          -- as in the configuration
    owner       TEXT,                      -- process that sends for it
    lease_until BIGINT,                    -- until when, unless renewed
    stopped_at  BIGINT,                    -- since when it is stopped by a fault of its own
    stop_code   TEXT,                      -- provider's code
    stop_reason TEXT,                      -- in words, with what to do
    retry_at    BIGINT                     -- when one message tries whether it works again
);

-- Bearer tokens of the API.
CREATE TABLE api_token (
    id         TEXT PRIMARY KEY,           -- tok_…
    name       TEXT NOT NULL,              -- who uses it
    role       TEXT NOT NULL,              -- source, office, auditor, admin
    token_hash TEXT NOT NULL UNIQUE,       -- keyed hash; the token itself is shown once
    created_at BIGINT NOT NULL,            -- made
    revoked_at BIGINT                      -- no longer valid
);

-- People who work with the console.
CREATE TABLE officer (
    id            TEXT PRIMARY KEY,        -- off_…
    login         TEXT NOT NULL UNIQUE,    -- name to log in with
    password_hash TEXT NOT NULL,           -- argon2id
    role          TEXT NOT NULL,           -- office, auditor, admin
    created_at    BIGINT NOT NULL,         -- made
    disabled_at   BIGINT                   -- may no longer log in
);
