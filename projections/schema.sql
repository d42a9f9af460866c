-- The tables of a replay. The names, order and meaning of the columns of torrent, peer, request and statistic are those of the
-- 2015 tool as far as it had them; columns that it had not stand behind. An id is given when its row first appears and never
-- again: filters and joined identities leave gaps. Unknown is NULL, never 0. Times are seconds since 1970-01-01 UTC, on the
-- clock of the run.

-- What is observed: one row for each info hash.
CREATE TABLE torrent (
    id                 INTEGER PRIMARY KEY,
    announce_url       TEXT,    -- first tracker of the first tier, passkeys masked; NULL without trackers
    info_hash          BLOB,    -- SHA-1 of the info dictionary, 20 bytes
    info_hash_hex      TEXT,    -- the same in 40 hexadecimal digits
    pieces_count       INTEGER, -- pieces; NULL while the metadata is unknown
    piece_size         INTEGER, -- bytes of a piece; NULL while the metadata is unknown
    complete_threshold INTEGER, -- pieces from which a peer counts as complete; NULL while the metadata is unknown
    filepath           TEXT,    -- of the torrent file, relative to the input folder; of one elsewhere the name only; NULL for a
                                -- magnet link
    display_name       TEXT,    -- name in the metadata, or of the magnet link; NULL when neither gives one
    gigabyte           REAL,    -- pieces_count * piece_size / 10^9; NULL while the metadata is unknown
    censored           INTEGER  -- 1 when the recorder left peers alone before complete_threshold: downloads are a lower bound;
                                -- else 0; NULL while the metadata is unknown
);

-- Who was met: one row for each identity and torrent with which a handshake was completed.
CREATE TABLE peer (
    id           INTEGER PRIMARY KEY,
    client       TEXT,    -- first 8 bytes of the peer id at the first handshake; other than printable ASCII is written as \xNN
    continent    TEXT,    -- code, such as EU; NULL when not known
    country      TEXT,    -- ISO 3166-1 code, such as DE; NULL when not known
    latitude     REAL,    -- degrees; NULL when not known
    longitude    REAL,    -- degrees; NULL when not known
    first_pieces INTEGER, -- pieces of the first settled availability, or of one at the threshold that ended before; NULL while
                          -- unknown or assumed
    last_pieces  INTEGER, -- pieces of the last sample: they follow the first availability after every revisit delay, at the
                          -- threshold and at the end of each session; NULL until a second sample
    first_seen   INTEGER, -- time of the first handshake
    last_seen    INTEGER, -- time of the end of the last session
    max_speed    REAL,    -- pieces a second, the greatest between two samples a second or more apart; NULL until a second sample
    visits       INTEGER, -- sessions, that is connections with a completed handshake
    source       TEXT,    -- incoming when it came to us first, else who had named the address that was dialled first: tracker,
                          -- incoming, dht, magnet, pex, local, command line, earlier run
    torrent      INTEGER REFERENCES torrent (id),
    city         TEXT,    -- English name; NULL when not known
    asn          INTEGER, -- number of the autonomous system; NULL when not known
    as_org       TEXT,    -- its organisation; NULL when not known
    address      TEXT,    -- ip:port or [ip]:port; the port is the listening port where it is known; NULL unless asked for
    peer_id      TEXT,    -- at the first handshake, 40 hexadecimal digits; NULL unless asked for
    transport    TEXT,    -- of the first session: tcp, utp
    encryption   TEXT,    -- of the first session: plain, mse plaintext, mse rc4
    family       INTEGER, -- 4 or 6
    upload_only  INTEGER, -- 1 when it ever said to be upload-only (BEP 21): it may be incomplete and yet not downloading;
                          -- 0 when it said it is not; NULL when it did not say
    client_name  TEXT     -- name and version decoded from the peer id; NULL when the code is not known
);

-- How peers were learned of: one row for each successful announce, each DHT lookup, and each torrent and statistic sample for
-- incoming peers.
CREATE TABLE request (
    id              INTEGER PRIMARY KEY,
    timestamp       INTEGER, -- time of the answer, or of the sample or the end of the run
    source          TEXT,    -- tracker, dht, incoming
    received_peers  INTEGER, -- peers named, with repetitions
    duplicate_peers INTEGER, -- of these, address and port were named before for the torrent, also in the same answer
    seeders         INTEGER, -- of the scrape that followed, of one tracker for each torrent: the first whose scrape succeeded;
                             -- NULL for all others
    completed       INTEGER, -- as seeders
    leechers        INTEGER, -- as seeders
    duration_sec    REAL,    -- seconds from the request to the whole answer; NULL for incoming
    torrent         INTEGER REFERENCES torrent (id),
    tracker         TEXT     -- announce URL, passkeys masked; NULL unless source is tracker
);

-- The state of the recorder itself: one row for each sample.
CREATE TABLE statistic (
    id                INTEGER PRIMARY KEY,
    timestamp         INTEGER, -- time of the sample
    peer_queue        INTEGER, -- peers that wait to be contacted
    visited_queue     INTEGER, -- events that wait to be on disk
    unique_incoming   INTEGER, -- different pairs of IP address and torrent with an incoming handshake so far, of all logs
    success_active    INTEGER, -- outgoing handshakes so far, of all logs
    thread_workload   REAL,    -- active outgoing sessions and attempts / their limit; NULL without a limit
    load_average      REAL,    -- of 15 minutes; NULL when not known
    memory_mb         REAL,    -- peak memory in 10^6 bytes; NULL when not known
    server_threads    INTEGER, -- active incoming sessions
    evaluator_threads INTEGER, -- active outgoing sessions and attempts
    vm                INTEGER  -- number of the log, by time of its first record and run id, from 1
);

-- The confirmed and likely downloads: at most one for each peer row.
CREATE TABLE download (
    id             INTEGER PRIMARY KEY, -- that of the peer
    torrent        INTEGER REFERENCES torrent (id),
    peer           INTEGER REFERENCES peer (id),
    last_below     REAL,    -- time with a fraction: last known below the threshold
    first_above    REAL,    -- time with a fraction: first known at or above it
    pieces_below   INTEGER, -- pieces at last_below
    pieces_above   INTEGER, -- pieces at first_above
    below_evidence TEXT,    -- bitfield, have_none; assumed: likely, not confirmed
    above_evidence TEXT,    -- have, bitfield, have_all
    source         TEXT,    -- as that of the peer
    censored       INTEGER  -- as that of the torrent
);

-- Every address that was heard of, for each torrent.
CREATE TABLE endpoint (
    id           INTEGER PRIMARY KEY,
    torrent      INTEGER REFERENCES torrent (id),
    address      TEXT,    -- ip:port or [ip]:port; NULL unless asked for
    family       INTEGER, -- 4 or 6
    first_source TEXT,    -- who named it first: tracker, incoming, dht, magnet, pex, local, command line, earlier run
    tracker      TEXT,    -- the tracker that named it first, passkeys masked; NULL unless first_source is tracker
    first_named  INTEGER, -- time
    sources      TEXT,    -- all that named it, separated by commas; other for those that this version does not know
    outcome      TEXT,    -- never tried, rejected (never dialled), failed, refused, handshake: of the last contact, and handshake once it
                          -- was. Of a contact's tries, by TCP or uTP and encrypted or not, that counts which came furthest, and the first
                          -- of those: the peer told who it is, it was connected, it was said that nobody takes connections there
                          -- (refused, reset, unreachable), nothing was heard
    reason       TEXT,    -- of rejected and failed; else NULL
    attempts     INTEGER, -- outgoing connections that failed or became a session
    peer         INTEGER REFERENCES peer (id) -- NULL without a handshake
);

-- Every successful scrape of a tracker, and every lookup in the DHT in which a node gave a count (BEP 33): an estimate then, from the
-- filters of all nodes together. The counts of different trackers, and of the DHT, overlap: never add them up.
CREATE TABLE scrape (
    id          INTEGER PRIMARY KEY,
    tracker     TEXT,    -- announce URL, passkeys masked; NULL for the DHT
    torrent     INTEGER REFERENCES torrent (id),
    time        INTEGER, -- of the answer; of a lookup its end
    seeders     INTEGER, -- complete; NULL when not said, or more than a filter of the DHT can tell, some 7,800
    completed   INTEGER, -- downloaded; NULL when not said, as for the DHT
    leechers    INTEGER, -- incomplete; NULL as for seeders
    downloaders INTEGER, -- BEP 21; NULL when not said, as for the DHT
    source      TEXT     -- tracker, dht
);

-- What came of every connection, of every question to a tracker and of every lookup in the DHT, counted: one row for each combination. Those that succeeded are
-- the rows without a reason. Datagrams that came while a UDP tracker was asked and were no answer are counted apart: they are the outcome
-- of no question.
CREATE TABLE failure (
    id         INTEGER PRIMARY KEY,
    torrent    INTEGER REFERENCES torrent (id), -- NULL when not known, as for an incoming connection with an unknown info hash
    activity   TEXT,    -- connection, announce, scrape; lookup in the DHT, of one address family; answer: datagrams that a UDP tracker's
                        -- question was not answered by; metadata of a magnet link: a failure for each peer, or file
                        -- of an earlier run, that gave none or bad one
    tracker    TEXT,    -- announce URL, passkeys masked; NULL for connections
    direction  TEXT,    -- outgoing, incoming; NULL for trackers
    phase      TEXT,    -- in which it failed: dial, encryption, handshake, accept; of trackers resolve, tls, request, answer, transaction,
                        -- dial; NULL when it succeeded or the phase is not known
    reason     TEXT,    -- why it failed; NULL when it succeeded
    contact    TEXT,    -- first or later: with this address for the torrent, whatever the transport; of trackers with this tracker
                        -- for the torrent; NULL for incoming connections, answers and metadata, and where the torrent or address is not known
    transport  TEXT,    -- tcp, utp; NULL for trackers
    count      INTEGER, -- how often; NULL from 2^63 on
    encryption TEXT    -- plain, mse plaintext, mse rc4; mse where it was tried and did not come to an agreement on the payload; NULL for
                        -- trackers, where no connection was taken in, and for those that were only counted by an older recorder
);

-- How long peers took: one row for each session, that is for each of the visits of a peer. So many peers a timeout of 6 s would have
-- cut: SELECT count(DISTINCT peer) FROM timing WHERE cut_by >= 6.
CREATE TABLE timing (
    id            INTEGER PRIMARY KEY,
    torrent       INTEGER REFERENCES torrent (id),
    peer          INTEGER REFERENCES peer (id),
    vm            INTEGER, -- number of the log, as in statistic
    session       INTEGER, -- number of the session in that log; NULL above 2^32
    direction     TEXT,    -- outgoing, incoming
    timestamp     INTEGER, -- of the handshake
    dial_sec      REAL,    -- seconds until connected; NULL for incoming
    handshake_sec REAL,    -- seconds from connected to the whole handshake
    longest_wait  REAL,    -- seconds, the longest between two messages, or the handshake and the first; NULL without a message,
                           -- and when the log does not hold the end of the session
    cut_by        INTEGER, -- the longest timeout, in whole seconds up to 30, that would have ended the session before the peer was
                           -- done: connecting, the handshake or a later message with content took that long; 0 when none; NULL
                           -- when the log does not hold the end of the session
    content_wait  REAL     -- seconds, as longest_wait between messages with content: those that tell about pieces, and the first
                           -- extension handshake. Others do not prolong a visit. NULL when none came, and when the log does not
                           -- hold the end of the session
);

-- How long messages let us wait, in the sessions of timing: 31 rows for each torrent.
CREATE TABLE message_wait (
    id      INTEGER PRIMARY KEY,
    torrent INTEGER REFERENCES torrent (id),
    seconds INTEGER, -- 0 to 30
    waits   INTEGER  -- messages that came that long or longer after the one before, or the handshake: all for 0 seconds. Floods, which
                     -- the recorder only counts, are taken for waits of less than a second
);

-- What would be counted with other thresholds: one row for each torrent and threshold. That of the replay is among them.
CREATE TABLE threshold_sweep (
    id                 INTEGER PRIMARY KEY,
    threshold          REAL,    -- share of all pieces
    torrent            INTEGER REFERENCES torrent (id),
    complete_threshold INTEGER, -- pieces from which a peer would count as complete; NULL while the metadata is unknown
    confirmed          INTEGER, -- downloads whose below_evidence would be bitfield or have_none; NULL while the metadata is unknown
    assumed            INTEGER, -- downloads whose below_evidence would be assumed; NULL while the metadata is unknown
    censored           INTEGER  -- 1 when the recorder left peers alone before complete_threshold: the counts are a lower bound;
                                -- else 0; NULL while the metadata is unknown
);

-- Who named the addresses of a peer: one row for each peer and source. That of the peer itself is who named the address that was dialled
-- first, before it was.
CREATE TABLE peer_source (
    id          INTEGER PRIMARY KEY,
    peer        INTEGER REFERENCES peer (id),
    source      TEXT,    -- tracker, dht, magnet, pex, local, command line, earlier run; incoming when the peer came to us; other for
                         -- those that this version does not know
    tracker     TEXT,    -- the tracker that named it first, passkeys masked; NULL unless source is tracker
    first_named INTEGER  -- time of the first naming, also after the first visit; of incoming that of the first handshake
);

-- Where the rows come from: facts about logs, program, options and geolocation files.
CREATE TABLE provenance (
    id    INTEGER PRIMARY KEY,
    name  TEXT, -- what the fact is about, such as log.1.digest, program.revision, option.threshold
    value TEXT  -- NULL when not known
);

-- indexes
CREATE INDEX peer_torrent ON peer (torrent);
CREATE INDEX download_torrent ON download (torrent);
CREATE INDEX request_torrent ON request (torrent, source);
CREATE INDEX endpoint_peer ON endpoint (peer);
CREATE INDEX scrape_torrent ON scrape (torrent, tracker);
CREATE INDEX peer_source_peer ON peer_source (peer);
