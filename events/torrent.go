package events

// Metadata is what the info dictionary of a torrent says (BEP 3, BEP 52).
type Metadata struct {
	Name        string
	PieceCount  uint32
	PieceLength uint64 // bytes
	TotalLength uint64 // bytes of all files
	FileCount   uint32
	Private     bool   // BEP 27
	Size        uint32 // bytes of the info dictionary
}

// TorrentAdded says that a torrent is observed from now on, and gives it the number that all other events of the run use.
type TorrentAdded struct {
	Torrent       TorrentNumber
	InfoHash      InfoHash
	InfoHashV2    []byte // SHA-256, 32 bytes, of a hybrid torrent or a magnet link that names it (BEP 52); else empty
	Magnet        bool   // added from a magnet link
	Path          string // of the .torrent file, relative to the input folder where it lies in it; empty for a magnet link
	DisplayName   string // the name in the metadata, or dn of the magnet link
	Trackers      []TrackerTier
	MetadataKnown bool
	Metadata      Metadata // zero unless MetadataKnown
}

// TrackerTier is one tier of trackers (BEP 12).
type TrackerTier []string

// MetadataReceived says that the metadata of a magnet link was put together and its hash is the info hash (BEP 9).
type MetadataReceived struct {
	Torrent  TorrentNumber
	Session  SessionNumber // that gave the last piece; 0 when it was read from the output folder
	Metadata Metadata
}

// MetadataFailed says that a peer gave no metadata, or bad metadata (BEP 9).
type MetadataFailed struct {
	Torrent TorrentNumber
	Session SessionNumber // 0 when it was read from the output folder
	Reason  Reason
	Text    string // beside ReasonOther
}

// Kind is KindTorrentAdded.
func (*TorrentAdded) Kind() Kind { return KindTorrentAdded }

// Kind is KindMetadataReceived.
func (*MetadataReceived) Kind() Kind { return KindMetadataReceived }

// Kind is KindMetadataFailed.
func (*MetadataFailed) Kind() Kind { return KindMetadataFailed }

func (m *Metadata) fields(c *codec) {
	c.text(&m.Name)
	unsigned(c, &m.PieceCount)
	unsigned(c, &m.PieceLength)
	unsigned(c, &m.TotalLength)
	unsigned(c, &m.FileCount)
	c.flag(&m.Private)
	unsigned(c, &m.Size)
}

func (e *TorrentAdded) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.fixed(e.InfoHash[:])
	c.bytes(&e.InfoHashV2)
	c.flag(&e.Magnet)
	c.text(&e.Path)
	c.text(&e.DisplayName)
	list(c, &e.Trackers, func(c *codec, t *TrackerTier) {
		list(c, (*[]string)(t), (*codec).text)
	})
	c.flag(&e.MetadataKnown)
	c.group(e.Metadata.fields)
}

func (e *MetadataReceived) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Session)
	c.group(e.Metadata.fields)
}

func (e *MetadataFailed) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Session)
	unsigned(c, &e.Reason)
	c.text(&e.Text)
}
