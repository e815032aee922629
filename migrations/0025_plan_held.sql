-- A counter's weekly plan may say itself how many places of each session are kept from the chat.
ALTER TABLE session_plan ADD COLUMN held BIGINT; -- none for the office's share, appointment.held_percent
