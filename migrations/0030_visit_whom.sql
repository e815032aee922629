-- Old, ill or disabled: what an office knows of somebody's health is sealed. A plain word in it is older than this.
ALTER TABLE home_visit RENAME COLUMN whom TO whom_sealed;
