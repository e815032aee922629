-- Bringing cards home: who holds which card, rounds of a courier, what citizens answered and what became of it.

ALTER TABLE person ADD COLUMN address_sealed TEXT; -- street and number, as the source wrote it

-- Who held which card from when to when. A card is with one holder at a time.
CREATE TABLE custody (
    id       TEXT PRIMARY KEY,             -- cus_…; ascending
    card_id  TEXT NOT NULL REFERENCES card (id), -- which card
    holder   TEXT NOT NULL,                -- domain::custody::Holder: point kec-jombang, courier off_…, desa 3517092018, citizen
    from_at  BIGINT NOT NULL,              -- since when
    until_at BIGINT,                       -- until when; NULL while they hold it
    by_whom  TEXT NOT NULL,                -- who handed it over: off_…, tok_…, cli, or a source
    why      TEXT NOT NULL                 -- one word, or the id of the round or list
);
CREATE UNIQUE INDEX custody_open ON custody (card_id) WHERE until_at IS NULL;
CREATE INDEX custody_card ON custody (card_id, id);
CREATE INDEX custody_holder ON custody (holder, card_id) WHERE until_at IS NULL;

-- A courier's way on one day.
CREATE TABLE delivery_round (
    id           TEXT PRIMARY KEY,         -- rnd_…
    area         TEXT NOT NULL,            -- digits of the area code
    day          TEXT NOT NULL,            -- YYYY-MM-DD
    time_from    TEXT NOT NULL,            -- start of the window, HH:MM
    time_to      TEXT NOT NULL,            -- end of the window, HH:MM
    courier_id   TEXT NOT NULL REFERENCES officer (id), -- who carries the cards
    capacity     BIGINT NOT NULL,          -- cards at most
    state        TEXT NOT NULL,            -- domain::round::RoundState
    made_by      TEXT NOT NULL,            -- who planned it
    made_at      BIGINT NOT NULL,          -- when
    announced_at BIGINT,                   -- citizens were told
    started_at   BIGINT,                   -- the courier took the cards
    ended_at     BIGINT                    -- closed or cancelled
);
CREATE INDEX delivery_round_day ON delivery_round (day, id);
CREATE INDEX delivery_round_courier ON delivery_round (courier_id, day);
CREATE INDEX delivery_round_live ON delivery_round (day) WHERE ended_at IS NULL;

-- One card on one round. A card is on one round at a time.
CREATE TABLE round_item (
    id              TEXT PRIMARY KEY,      -- itm_…
    round_id        TEXT NOT NULL REFERENCES delivery_round (id), -- which round
    card_id         TEXT NOT NULL REFERENCES card (id), -- which card
    person_id       TEXT NOT NULL REFERENCES person (id), -- whose
    position        BIGINT NOT NULL,       -- order on the way, from 1
    attempt         BIGINT NOT NULL,       -- 1 or 2
    state           TEXT NOT NULL,         -- domain::round::ItemState
    answer          TEXT,                  -- domain::round::Answer
    outcome         TEXT,                  -- domain::round::Outcome
    next            TEXT,                  -- domain::round::Next: what follows
    next_done_at    BIGINT,                -- it followed, or somebody settled it
    next_done_by    TEXT,                  -- who settled it
    wish_day        TEXT,                  -- the day asked for, YYYY-MM-DD
    origin          TEXT NOT NULL,         -- holder it came from and goes back to, as in custody
    before_status   TEXT NOT NULL,         -- the card's status before it was planned
    reference       TEXT,                  -- of the message that announced it
    receiver_sealed TEXT,                  -- who receives or received it, in the citizen's or courier's words
    note_sealed     TEXT,                  -- the courier's words
    received_by     TEXT,                  -- domain::round::ReceivedBy
    old_card        TEXT,                  -- domain::round::OldCard
    code_hash       TEXT,                  -- keyed hash of the hand-over code; NULL before it was told
    code_at         BIGINT,                -- when the code was dealt with
    wrong_codes     BIGINT NOT NULL,       -- wrong codes since the code was told; five lock it
    version         BIGINT NOT NULL,       -- counts every change
    reported_at     BIGINT,                -- when the server heard the outcome
    said_at         BIGINT,                -- when it happened, by the phone's clock, which is not trusted
    reported_by     TEXT,                  -- who said it
    updated_at      BIGINT NOT NULL        -- last changed
);
CREATE UNIQUE INDEX round_item_open ON round_item (card_id) WHERE state IN ('planned', 'announced');
CREATE INDEX round_item_round ON round_item (round_id, position);
CREATE INDEX round_item_card ON round_item (card_id, id);
CREATE INDEX round_item_person ON round_item (person_id) WHERE state IN ('planned', 'announced');
CREATE INDEX round_item_next ON round_item (next, id) WHERE next IS NOT NULL AND next_done_at IS NULL;

-- What couriers reported, each once, however often it is sent.
CREATE TABLE round_report (
    round_id    TEXT NOT NULL REFERENCES delivery_round (id), -- which round
    report_key  TEXT NOT NULL,             -- made by the phone
    item_id     TEXT NOT NULL REFERENCES round_item (id), -- which item
    result      TEXT NOT NULL,             -- domain::round::Verdict
    why         TEXT NOT NULL,             -- one word more; '' for none
    said_sealed TEXT NOT NULL,             -- the report as it came, without the code
    said_at     BIGINT NOT NULL,           -- by the phone's clock
    received_at BIGINT NOT NULL,           -- by ours
    by_whom     TEXT NOT NULL,             -- who sent it
    settled_at  BIGINT,                    -- somebody looked at a conflict
    settled_by  TEXT,                      -- who
    PRIMARY KEY (round_id, report_key)
);
CREATE INDEX round_report_conflict ON round_report (received_at) WHERE result = 'conflict' AND settled_at IS NULL;
