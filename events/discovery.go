package events

import "time"

// TrackerAnnounced is a tracker's answer to an announce (BEP 3, 7, 15, 23).
type TrackerAnnounced struct {
	Torrent      TorrentNumber
	Tracker      string // announce URL
	Event        AnnounceEvent
	Remote       Address       // that answered
	Duration     time.Duration // from the request to the whole answer
	Interval     Optional      // seconds
	MinInterval  Optional      // seconds
	Seeders      Optional      // "complete"
	Leechers     Optional      // "incomplete"
	Completed    Optional      // "downloaded"
	Peers        PeerList
	InvalidPeers uint32 // entries that are no peer: host names, bad ports, a cut entry
	ExternalIP   []byte // our address as the tracker sees it (BEP 24): 4 or 16 bytes, or empty
	Warning      string
	TrackerID    string
}

// TrackerAnnounceFailed is an announce without a usable answer.
type TrackerAnnounceFailed struct {
	Torrent    TorrentNumber
	Tracker    string // announce URL
	Event      AnnounceEvent
	Remote     Address // that was asked, as far as known
	Duration   time.Duration
	Phase      Phase
	Reason     Reason
	Text       string   // the tracker's failure reason, or the error beside ReasonOther
	HTTPStatus uint16   // 0 unless an HTTP answer came
	RetryIn    Optional // seconds that the tracker asks us to wait (BEP 31)
	Answer     []byte   // the first 1 KiB of an answer that could not be used
}

// TrackerScraped is a tracker's count of a swarm (BEP 48, BEP 15).
type TrackerScraped struct {
	Torrent     TorrentNumber
	Tracker     string // announce URL
	Remote      Address
	Duration    time.Duration
	Seeders     Optional // "complete"
	Completed   Optional // "downloaded"
	Leechers    Optional // "incomplete"
	Downloaders Optional // BEP 21
}

// TrackerScrapeFailed is a scrape without a usable answer.
type TrackerScrapeFailed struct {
	Torrent    TorrentNumber
	Tracker    string // announce URL
	Remote     Address
	Duration   time.Duration
	Phase      Phase
	Reason     Reason
	Text       string
	HTTPStatus uint16
	Answer     []byte // the first 1 KiB of an answer that could not be used
}

// TrackerAnswersIgnored counts the datagrams of one kind that came while a UDP tracker was asked and were not used (BEP 15): from another
// sender, of another transaction, of one that had been answered (ReasonDuplicate), cut or malformed. However many come, a request
// has at most one such fact for each reason. Whether the request was answered beside them is told by its own fact.
type TrackerAnswersIgnored struct {
	Torrent TorrentNumber // of the request whose end reports them; requests of several torrents may share a socket
	Tracker string        // announce URL of that request
	Remote  Address       // that was asked
	From    Address       // that sent the first of them
	Reason  Reason
	Count   uint64
	Bytes   uint64 // of all
	Since   Time   // when the first came
	Answer  []byte // the first 1 KiB of the first
}

// DHTLookedUp is one DHT node's answer to get_peers (BEP 5).
type DHTLookedUp struct {
	Torrent  TorrentNumber
	Lookup   LookupNumber
	Node     Address
	NodeID   NodeID
	Duration time.Duration
	Peers    PeerList
	Nodes    uint32 // nodes that it named
	Version  []byte // its client version "v"

	InvalidPeers uint32 // values of a length that no peer has
}

// DHTLookupEnded is the end of one lookup in one address family.
type DHTLookupEnded struct {
	Torrent       TorrentNumber
	Lookup        LookupNumber
	IPv6          bool
	Asked         uint32 // nodes
	Answered      uint32
	Failed        uint32        // that did not answer, or with an error
	Duration      time.Duration // until the last node was heard; announces and scrapes come after it
	DistinctPeers uint32
	Announced     uint32 // nodes that took our announce
	Reason        Reason // 0 unless the lookup could not be done, or not to its end
}

// DHTScraped is one DHT node's answer to a scrape (BEP 33). The filters are as received. It comes before the end of its lookup.
type DHTScraped struct {
	Torrent TorrentNumber
	Lookup  LookupNumber
	Node    Address
	NodeID  NodeID
	Seeds   []byte // BFsd, 256 bytes, or empty
	Peers   []byte // BFpe, 256 bytes, or empty
}

// DHTPeerAnnounced is another peer's announce_peer to our DHT node (BEP 5), with a token that we gave to its address.
type DHTPeerAnnounced struct {
	Torrent     TorrentNumber // 0 when the torrent is not ours
	InfoHash    InfoHash
	Node        Address
	NodeID      NodeID
	Port        uint16
	ImpliedPort bool
	Seed        bool // BEP 33
}

// PeersExchanged is a peer exchange message (BEP 11).
type PeersExchanged struct {
	Session SessionNumber
	Added   PeerList
	Flags   []byte // one byte for each added peer, IPv4 first; shorter when the peer gave fewer
	Dropped PeerList
}

// TrackersExchanged are trackers that a peer or the local network named (BEP 28, BEP 22).
type TrackersExchanged struct {
	Torrent  TorrentNumber
	Session  SessionNumber // 0 unless a peer named them
	Trackers []string
}

// LocalPeerAnnounced is an announce of a peer on the local network (BEP 14).
type LocalPeerAnnounced struct {
	Torrent TorrentNumber
	Peer    Address
}

// PeersNamed are peers that the user, a magnet link or an earlier run named.
type PeersNamed struct {
	Torrent TorrentNumber
	Source  Source
	Peers   PeerList
}

// AddressRejected is an address that will never be dialled.
type AddressRejected struct {
	Torrent TorrentNumber
	Source  Source
	Address Address
	Reason  Reason
}

// Kind is KindTrackerAnnounced.
func (*TrackerAnnounced) Kind() Kind { return KindTrackerAnnounced }

// Kind is KindTrackerAnnounceFailed.
func (*TrackerAnnounceFailed) Kind() Kind { return KindTrackerAnnounceFailed }

// Kind is KindTrackerScraped.
func (*TrackerScraped) Kind() Kind { return KindTrackerScraped }

// Kind is KindTrackerScrapeFailed.
func (*TrackerScrapeFailed) Kind() Kind { return KindTrackerScrapeFailed }

// Kind is KindTrackerAnswersIgnored.
func (*TrackerAnswersIgnored) Kind() Kind { return KindTrackerAnswersIgnored }

// Kind is KindDHTLookedUp.
func (*DHTLookedUp) Kind() Kind { return KindDHTLookedUp }

// Kind is KindDHTLookupEnded.
func (*DHTLookupEnded) Kind() Kind { return KindDHTLookupEnded }

// Kind is KindDHTScraped.
func (*DHTScraped) Kind() Kind { return KindDHTScraped }

// Kind is KindDHTPeerAnnounced.
func (*DHTPeerAnnounced) Kind() Kind { return KindDHTPeerAnnounced }

// Kind is KindPeersExchanged.
func (*PeersExchanged) Kind() Kind { return KindPeersExchanged }

// Kind is KindTrackersExchanged.
func (*TrackersExchanged) Kind() Kind { return KindTrackersExchanged }

// Kind is KindLocalPeerAnnounced.
func (*LocalPeerAnnounced) Kind() Kind { return KindLocalPeerAnnounced }

// Kind is KindPeersNamed.
func (*PeersNamed) Kind() Kind { return KindPeersNamed }

// Kind is KindAddressRejected.
func (*AddressRejected) Kind() Kind { return KindAddressRejected }

func (e *TrackerAnnounced) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.text(&e.Tracker)
	unsigned(c, &e.Event)
	c.address(&e.Remote)
	c.duration(&e.Duration)
	c.optional(&e.Interval)
	c.optional(&e.MinInterval)
	c.optional(&e.Seeders)
	c.optional(&e.Leechers)
	c.optional(&e.Completed)
	c.peers(&e.Peers)
	unsigned(c, &e.InvalidPeers)
	c.bytes(&e.ExternalIP)
	c.text(&e.Warning)
	c.text(&e.TrackerID)
}

func (e *TrackerAnnounceFailed) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.text(&e.Tracker)
	unsigned(c, &e.Event)
	c.address(&e.Remote)
	c.duration(&e.Duration)
	unsigned(c, &e.Phase)
	unsigned(c, &e.Reason)
	c.text(&e.Text)
	unsigned(c, &e.HTTPStatus)
	c.optional(&e.RetryIn)
	c.bytes(&e.Answer)
}

func (e *TrackerScraped) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.text(&e.Tracker)
	c.address(&e.Remote)
	c.duration(&e.Duration)
	c.optional(&e.Seeders)
	c.optional(&e.Completed)
	c.optional(&e.Leechers)
	c.optional(&e.Downloaders)
}

func (e *TrackerScrapeFailed) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.text(&e.Tracker)
	c.address(&e.Remote)
	c.duration(&e.Duration)
	unsigned(c, &e.Phase)
	unsigned(c, &e.Reason)
	c.text(&e.Text)
	unsigned(c, &e.HTTPStatus)
	c.bytes(&e.Answer)
}

func (e *TrackerAnswersIgnored) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.text(&e.Tracker)
	c.address(&e.Remote)
	c.address(&e.From)
	unsigned(c, &e.Reason)
	unsigned(c, &e.Count)
	unsigned(c, &e.Bytes)
	signed(c, &e.Since)
	c.bytes(&e.Answer)
}

func (e *DHTLookedUp) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Lookup)
	c.address(&e.Node)
	c.fixed(e.NodeID[:])
	c.duration(&e.Duration)
	c.peers(&e.Peers)
	unsigned(c, &e.Nodes)
	c.bytes(&e.Version)
	unsigned(c, &e.InvalidPeers)
}

func (e *DHTLookupEnded) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Lookup)
	c.flag(&e.IPv6)
	unsigned(c, &e.Asked)
	unsigned(c, &e.Answered)
	unsigned(c, &e.Failed)
	c.duration(&e.Duration)
	unsigned(c, &e.DistinctPeers)
	unsigned(c, &e.Announced)
	unsigned(c, &e.Reason)
}

func (e *DHTScraped) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Lookup)
	c.address(&e.Node)
	c.fixed(e.NodeID[:])
	c.bytes(&e.Seeds)
	c.bytes(&e.Peers)
}

func (e *DHTPeerAnnounced) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.fixed(e.InfoHash[:])
	c.address(&e.Node)
	c.fixed(e.NodeID[:])
	unsigned(c, &e.Port)
	c.flag(&e.ImpliedPort)
	c.flag(&e.Seed)
}

func (e *PeersExchanged) fields(c *codec) {
	unsigned(c, &e.Session)
	c.peers(&e.Added)
	c.bytes(&e.Flags)
	c.peers(&e.Dropped)
}

func (e *TrackersExchanged) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Session)
	list(c, &e.Trackers, (*codec).text)
}

func (e *LocalPeerAnnounced) fields(c *codec) {
	unsigned(c, &e.Torrent)
	c.address(&e.Peer)
}

func (e *PeersNamed) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Source)
	c.peers(&e.Peers)
}

func (e *AddressRejected) fields(c *codec) {
	unsigned(c, &e.Torrent)
	unsigned(c, &e.Source)
	c.address(&e.Address)
	unsigned(c, &e.Reason)
}
