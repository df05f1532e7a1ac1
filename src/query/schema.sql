-- The tables of the query side, made from the journal. This file runs as it stands on SQLite and on PostgreSQL.
--
-- seq and *_seq: number of a record of the journal. *_at_us: microseconds since 1970-01-01 UTC. day: of such a time, in UTC,
-- as 2026-11-25. *_g: grams. *_mm: millimetres. *_micro: millionths of the currency beside it. NULL: not known, or not yet.

-- One row: what the tables are made from, and up to where.
CREATE TABLE applied (
  schema_version INTEGER NOT NULL,
  site           TEXT NOT NULL,
  record         BIGINT NOT NULL,
  at_us          BIGINT NOT NULL,
  hash           TEXT NOT NULL
);

-- What is, a row each, as it is now. seq is the first record of each.

-- stage: one word, from its parcels once all of it is in parcels. progress: the same with how many, as "2 of 3 shipped".
-- parcel_id: the first of those that hold something of it; all are in parcel_items.
CREATE TABLE orders (
  id             TEXT NOT NULL PRIMARY KEY,
  seq            BIGINT NOT NULL,
  number         TEXT NOT NULL,
  platform       TEXT NOT NULL,
  shop           TEXT NOT NULL,
  stage          TEXT NOT NULL,
  progress       TEXT NOT NULL,
  parcels        INTEGER NOT NULL,
  revision       INTEGER NOT NULL,
  seller         TEXT NOT NULL,
  received_at_us BIGINT NOT NULL,
  day            TEXT NOT NULL,
  placed_at_us   BIGINT NOT NULL,
  updated_at_us  BIGINT,
  ship_by_us     BIGINT,
  deliver_by_us  BIGINT,
  service        TEXT,
  country        TEXT NOT NULL,
  region         TEXT,
  postcode       TEXT,
  currency       TEXT NOT NULL,
  value_micro    BIGINT,
  pieces         BIGINT NOT NULL,
  holds          TEXT,
  cancelled      TEXT,
  rule           TEXT,
  warehouse      TEXT,
  channel        TEXT,
  parcel_id      TEXT,
  forgotten      BOOLEAN NOT NULL
);

-- Who bought. The row goes when the order is forgotten.
CREATE TABLE buyers (
  order_id TEXT NOT NULL PRIMARY KEY,
  name     TEXT,
  company  TEXT,
  street   TEXT,
  street2  TEXT,
  city     TEXT,
  phone    TEXT,
  email    TEXT,
  tax_id   TEXT,
  gift_note TEXT
);

CREATE TABLE order_lines (
  order_id         TEXT NOT NULL,
  line             INTEGER NOT NULL,
  sku              TEXT NOT NULL,
  quantity         BIGINT NOT NULL,
  unit_price_micro BIGINT,
  currency         TEXT NOT NULL,
  PRIMARY KEY (order_id, line)
);

CREATE TABLE line_goods (
  order_id             TEXT NOT NULL,
  line                 INTEGER NOT NULL,
  goods                INTEGER NOT NULL,
  sku                  TEXT NOT NULL,
  quantity             BIGINT NOT NULL,
  pieces               BIGINT NOT NULL,
  weight_g             BIGINT NOT NULL,
  length_mm            INTEGER NOT NULL,
  width_mm             INTEGER NOT NULL,
  height_mm            INTEGER NOT NULL,
  battery              TEXT NOT NULL,
  liquid               BOOLEAN NOT NULL,
  category             TEXT,
  hs_code              TEXT,
  origin               TEXT,
  description          TEXT,
  declared_value_micro BIGINT,
  declared_currency    TEXT,
  PRIMARY KEY (order_id, line, goods)
);

CREATE TABLE parcels (
  id                 TEXT NOT NULL PRIMARY KEY,
  seq                BIGINT NOT NULL,
  order_id           TEXT NOT NULL,
  stage              TEXT NOT NULL,
  warehouse          TEXT NOT NULL,
  carrier            TEXT NOT NULL,
  channel            TEXT NOT NULL,
  service            TEXT NOT NULL,
  country            TEXT NOT NULL,
  region             TEXT,
  postcode           TEXT,
  tracking           TEXT,
  created_at_us      BIGINT NOT NULL,
  day                TEXT NOT NULL,
  changed_at_us      BIGINT NOT NULL,
  packed_at_us       BIGINT,
  status             TEXT,
  status_at_us       BIGINT,
  declared_g         BIGINT NOT NULL,
  declared_length_mm INTEGER NOT NULL,
  declared_width_mm  INTEGER NOT NULL,
  declared_height_mm INTEGER NOT NULL,
  measured_g         BIGINT,
  measured_length_mm INTEGER,
  measured_width_mm  INTEGER,
  measured_height_mm INTEGER,
  value_micro        BIGINT,
  value_currency     TEXT,
  contents           TEXT,
  battery            BOOLEAN NOT NULL,
  label_attempts     INTEGER NOT NULL,
  station            TEXT,
  chute              INTEGER,
  bag_id             TEXT,
  intercepted        TEXT,
  reworks            INTEGER NOT NULL,
  exception          TEXT
);

-- What became of each behind the handover, as its carrier says it.
CREATE TABLE tracking (
  parcel_id     TEXT NOT NULL PRIMARY KEY,
  seq           BIGINT NOT NULL,
  status        TEXT NOT NULL,
  status_at_us  BIGINT NOT NULL,
  carrier       TEXT NOT NULL,
  number        TEXT NOT NULL,
  begun_at_us   BIGINT NOT NULL,
  day           TEXT NOT NULL,
  changed_at_us BIGINT NOT NULL,
  ended_at_us   BIGINT,
  exception     TEXT,
  news          BIGINT NOT NULL,
  news_at_us    BIGINT,
  news_status   TEXT,
  news_text     TEXT,
  news_place    TEXT,
  customs       TEXT,
  customs_at_us BIGINT
);

CREATE TABLE parcel_items (
  parcel_id TEXT NOT NULL,
  item      INTEGER NOT NULL,
  order_id  TEXT NOT NULL,
  line      INTEGER NOT NULL,
  sku       TEXT NOT NULL,
  quantity  BIGINT NOT NULL,
  PRIMARY KEY (parcel_id, item)
);

-- What comes back, one for each parcel.
CREATE TABLE returns (
  parcel_id       TEXT NOT NULL PRIMARY KEY,
  seq             BIGINT NOT NULL,
  stage           TEXT NOT NULL,
  reason          TEXT NOT NULL,
  expected        BIGINT NOT NULL,
  warehouse       TEXT,
  outcome         TEXT,
  note            TEXT,
  began_at_us     BIGINT NOT NULL,
  day             TEXT NOT NULL,
  announced_at_us BIGINT NOT NULL,
  arrived_at_us   BIGINT,
  received_at_us  BIGINT,
  closed_at_us    BIGINT
);

CREATE TABLE return_items (
  parcel_id TEXT NOT NULL,
  item      INTEGER NOT NULL,
  sku       TEXT NOT NULL,
  quantity  BIGINT NOT NULL,
  condition TEXT NOT NULL,
  PRIMARY KEY (parcel_id, item)
);

CREATE TABLE bags (
  id           TEXT NOT NULL PRIMARY KEY,
  seq          BIGINT NOT NULL,
  stage        TEXT NOT NULL,
  warehouse    TEXT NOT NULL,
  station      TEXT NOT NULL,
  chute        INTEGER NOT NULL,
  channel      TEXT NOT NULL,
  parcels      INTEGER NOT NULL,
  weight_g     BIGINT NOT NULL,
  manifest_id  TEXT,
  opened_at_us BIGINT NOT NULL,
  day          TEXT NOT NULL
);

CREATE TABLE manifests (
  id           TEXT NOT NULL PRIMARY KEY,
  seq          BIGINT NOT NULL,
  stage        TEXT NOT NULL,
  warehouse    TEXT NOT NULL,
  carrier      TEXT NOT NULL,
  bags         INTEGER NOT NULL,
  parcels      BIGINT NOT NULL,
  weight_g     BIGINT NOT NULL,
  opened_at_us BIGINT NOT NULL,
  day          TEXT NOT NULL,
  closed_at_us BIGINT
);

CREATE TABLE products (
  id                   TEXT NOT NULL PRIMARY KEY,
  seq                  BIGINT NOT NULL,
  owner                TEXT NOT NULL,
  sku                  TEXT NOT NULL,
  stage                TEXT NOT NULL,
  weight_g             BIGINT NOT NULL,
  length_mm            INTEGER NOT NULL,
  width_mm             INTEGER NOT NULL,
  height_mm            INTEGER NOT NULL,
  battery              TEXT NOT NULL,
  liquid               BOOLEAN NOT NULL,
  category             TEXT,
  hs_code              TEXT,
  origin               TEXT,
  description          TEXT,
  declared_value_micro BIGINT,
  declared_currency    TEXT
);

CREATE TABLE sku_maps (
  id       TEXT NOT NULL PRIMARY KEY,
  seq      BIGINT NOT NULL,
  platform TEXT NOT NULL,
  shop     TEXT NOT NULL,
  sku      TEXT NOT NULL,
  stage    TEXT NOT NULL
);

CREATE TABLE sku_map_parts (
  map_id   TEXT NOT NULL,
  part     INTEGER NOT NULL,
  sku      TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  PRIMARY KEY (map_id, part)
);

CREATE TABLE sellers (
  id   TEXT NOT NULL PRIMARY KEY,
  seq  BIGINT NOT NULL,
  name TEXT NOT NULL
);

CREATE TABLE shops (
  seller_id TEXT NOT NULL,
  platform  TEXT NOT NULL,
  shop      TEXT NOT NULL,
  PRIMARY KEY (seller_id, platform, shop)
);

-- What customs are told of a parcel that crosses their border.
CREATE TABLE declarations (
  parcel_id     TEXT NOT NULL PRIMARY KEY,
  seq           BIGINT NOT NULL,
  stage         TEXT NOT NULL,
  from_country  TEXT NOT NULL,
  to_country    TEXT NOT NULL,
  purpose       TEXT NOT NULL,
  value_micro   BIGINT,
  currency      TEXT NOT NULL,
  incoterm      TEXT,
  ioss          TEXT,
  voec          TEXT,
  eori          TEXT,
  missing       TEXT,
  drafted_at_us BIGINT NOT NULL,
  day           TEXT NOT NULL,
  tracking      TEXT,
  customs_at_us BIGINT,
  customs_said  TEXT
);

CREATE TABLE declared_goods (
  parcel_id        TEXT NOT NULL,
  line             INTEGER NOT NULL,
  sku              TEXT NOT NULL,
  description      TEXT,
  hs_code          TEXT,
  origin           TEXT,
  quantity         BIGINT NOT NULL,
  weight_g         BIGINT NOT NULL,
  unit_value_micro BIGINT,
  PRIMARY KEY (parcel_id, line)
);

CREATE TABLE stock (
  id        TEXT NOT NULL PRIMARY KEY,
  seq       BIGINT NOT NULL,
  warehouse TEXT NOT NULL,
  owner     TEXT NOT NULL,
  sku       TEXT NOT NULL,
  on_hand   BIGINT NOT NULL,
  reserved  BIGINT NOT NULL,
  safety    BIGINT NOT NULL,
  available BIGINT NOT NULL
);

-- What happened, a row each, never changed. seq is its record.

CREATE TABLE decisions (
  seq        BIGINT NOT NULL PRIMARY KEY,
  order_id   TEXT NOT NULL,
  at_us      BIGINT NOT NULL,
  day        TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  rule       TEXT NOT NULL,
  weighed    BIGINT NOT NULL,
  warehouse  TEXT,
  channel    TEXT,
  cost_micro BIGINT,
  currency   TEXT,
  settings   INTEGER
);

CREATE TABLE candidates (
  decision_seq BIGINT NOT NULL,
  place        INTEGER NOT NULL,
  warehouse    TEXT NOT NULL,
  channel      TEXT,
  cost_micro   BIGINT,
  currency     TEXT,
  days         INTEGER,
  verdict      TEXT NOT NULL,
  verdict_kind TEXT NOT NULL,
  parameters   TEXT NOT NULL,
  PRIMARY KEY (decision_seq, place)
);

CREATE TABLE charges (
  seq          BIGINT NOT NULL PRIMARY KEY,
  parcel_id    TEXT NOT NULL,
  at_us        BIGINT NOT NULL,
  day          TEXT NOT NULL,
  what          TEXT NOT NULL,
  amount_micro  BIGINT,
  currency      TEXT NOT NULL,
  in_base_micro BIGINT,
  base          TEXT,
  basis_kind    TEXT NOT NULL,
  basis         TEXT NOT NULL,
  settings      BIGINT NOT NULL
);

CREATE TABLE exceptions (
  seq       BIGINT NOT NULL PRIMARY KEY,
  at_us     BIGINT NOT NULL,
  day       TEXT NOT NULL,
  kind      TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  what      TEXT NOT NULL,
  reason    TEXT,
  detail    TEXT NOT NULL
);

CREATE TABLE stock_movements (
  seq       BIGINT NOT NULL PRIMARY KEY,
  stock_id  TEXT NOT NULL,
  warehouse TEXT NOT NULL,
  owner     TEXT NOT NULL,
  sku       TEXT NOT NULL,
  at_us     BIGINT NOT NULL,
  day       TEXT NOT NULL,
  what      TEXT NOT NULL,
  quantity  BIGINT NOT NULL,
  order_id  TEXT,
  reference TEXT
);

-- Versions of the site's settings, each as it is now.
CREATE TABLE settings (
  number          INTEGER NOT NULL PRIMARY KEY,
  seq             BIGINT NOT NULL,
  stage           TEXT NOT NULL,
  note            TEXT NOT NULL,
  drafted_by      TEXT NOT NULL,
  drafted_at_us   BIGINT NOT NULL,
  day             TEXT NOT NULL,
  reason          TEXT,
  activated_by    TEXT,
  active_from_us  BIGINT,
  activated_at_us BIGINT,
  archived_at_us  BIGINT
);

-- Texts that can be searched, folded (small letters, no accents). seq is the record that brought it; kind and entity_id say
-- of what it is.
CREATE TABLE texts (
  seq       BIGINT NOT NULL PRIMARY KEY,
  kind      TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  body      TEXT NOT NULL
);
