-- Figures of the reports, counted beforehand: showing them never walks through messages or cards.

-- How far each count has come; one row for each thing that is counted and day.
CREATE TABLE report_count (
    what      TEXT NOT NULL,               -- message, question, card
    day       TEXT NOT NULL,               -- the office's day, YYYY-MM-DD; '' for what is counted as it is now
    done_run  BIGINT NOT NULL,             -- run whose figures are shown; 0 before the first
    done_at   BIGINT,                      -- when that run began: the figures are of then
    run       BIGINT NOT NULL,             -- run that goes on, or the last
    begun_at  BIGINT,                      -- when it began; none while none goes on
    cursor    TEXT NOT NULL,               -- id of the last row it counted
    PRIMARY KEY (what, day)
);

-- The figures, for every area that holds what was counted: desa, kecamatan, kabupaten, province, all.
CREATE TABLE report_figure (
    what   TEXT NOT NULL,                  -- as in report_count
    area   TEXT NOT NULL,                  -- digits of the area code; '' for all, also what lies in no area
    day    TEXT NOT NULL,                  -- as in report_count
    run    BIGINT NOT NULL,                -- which run counted it
    name   TEXT NOT NULL,                  -- what it is: whatsapp delivered, ready_to_collect, took delivered 37
    count  BIGINT NOT NULL,                -- how many
    PRIMARY KEY (what, area, day, run, name)
);
CREATE INDEX report_figure_run ON report_figure (what, day, run);
