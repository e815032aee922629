-- Names of administrative areas, as published. Nothing is ever looked up by a name.

CREATE TABLE area (
    code       TEXT PRIMARY KEY,           -- dotted: 35.17.09.2018
    name       TEXT NOT NULL,              -- as the source writes it
    updated_at BIGINT NOT NULL             -- when it was imported like this
);
