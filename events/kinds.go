package events

// Kind is the kind of an event: an explicit number that is never used again.
type Kind uint16

// The kinds, by family. Their numbers are frozen in testdata/names.txt.
const (
	KindRunStarted Kind = 1 // the recorder began, with these settings
	KindRunStopped Kind = 2 // the recorder ended in order

	KindTorrentAdded     Kind = 10 // a torrent is observed from now on
	KindMetadataReceived Kind = 11 // the metadata of a magnet link is complete
	KindMetadataFailed   Kind = 12 // a peer gave no metadata, or bad metadata

	KindTrackerAnnounced      Kind = 20 // a tracker answered an announce
	KindTrackerAnnounceFailed Kind = 21 // an announce had no usable answer
	KindTrackerScraped        Kind = 22 // a tracker counted a swarm
	KindTrackerScrapeFailed   Kind = 23 // a scrape had no usable answer
	KindDHTLookedUp           Kind = 24 // a DHT node answered a lookup
	KindDHTLookupEnded        Kind = 25 // a DHT lookup is over
	KindDHTScraped            Kind = 26 // a DHT node answered a scrape
	KindDHTPeerAnnounced      Kind = 27 // a peer announced itself to our DHT node
	KindPeersExchanged        Kind = 28 // a peer named other peers
	KindTrackersExchanged     Kind = 29 // a peer or the local network named trackers
	KindLocalPeerAnnounced    Kind = 30 // a peer announced itself on the local network
	KindPeersNamed            Kind = 31 // the user, a magnet link or an earlier run named peers
	KindAddressRejected       Kind = 32 // an address will never be dialled
	KindTrackerAnswersIgnored Kind = 33 // datagrams that came while a tracker was asked, and were not used

	KindConnectionFailed      Kind = 40 // a connection did not become a session
	KindAcceptFailed          Kind = 41 // connections could not be taken in
	KindHolepunchTried        Kind = 42 // a relay was asked for a connection
	KindConnectionsSuppressed Kind = 43 // failed connections of one address that were only counted

	KindSessionOpened              Kind = 50 // the handshakes are done
	KindBitfieldReceived           Kind = 51 // a bitfield, as received
	KindBitfieldChanged            Kind = 52 // a bitfield, as difference to an earlier one
	KindHaveAllReceived            Kind = 53 // the peer has all pieces
	KindHaveNoneReceived           Kind = 54 // the peer has no pieces
	KindHaveReceived               Kind = 55 // the peer got a piece
	KindDontHaveReceived           Kind = 56 // the peer lost a piece
	KindExtensionHandshakeReceived Kind = 57 // what the peer says about itself
	KindPortReceived               Kind = 58 // the port of the peer's DHT node
	KindMessageReceived            Kind = 59 // any other message
	KindMessageSent                Kind = 60 // a message of ours
	KindMessagesSuppressed         Kind = 61 // messages without content that were only counted
	KindLimitReached               Kind = 62 // something from outside reached a bound
	KindSessionClosed              Kind = 63 // the session is over

	KindPlaceFound Kind = 70 // the place of an address that is kept as a pseudonym only

	KindStatisticSampled Kind = 80 // the state of the recorder itself
)

// kindInfo is what the codec and the texts need to know of a kind.
type kindInfo struct {
	name    string
	version Version // of the payload that this program writes
	new     func() Event
}

const kindLimit = 128 // one more than the highest kind that this program may know

var kinds = [kindLimit]kindInfo{
	KindRunStarted:                 {"RunStarted", 1, func() Event { return new(RunStarted) }},
	KindRunStopped:                 {"RunStopped", 1, func() Event { return new(RunStopped) }},
	KindTorrentAdded:               {"TorrentAdded", 1, func() Event { return new(TorrentAdded) }},
	KindMetadataReceived:           {"MetadataReceived", 1, func() Event { return new(MetadataReceived) }},
	KindMetadataFailed:             {"MetadataFailed", 1, func() Event { return new(MetadataFailed) }},
	KindTrackerAnnounced:           {"TrackerAnnounced", 1, func() Event { return new(TrackerAnnounced) }},
	KindTrackerAnnounceFailed:      {"TrackerAnnounceFailed", 1, func() Event { return new(TrackerAnnounceFailed) }},
	KindTrackerScraped:             {"TrackerScraped", 1, func() Event { return new(TrackerScraped) }},
	KindTrackerScrapeFailed:        {"TrackerScrapeFailed", 1, func() Event { return new(TrackerScrapeFailed) }},
	KindDHTLookedUp:                {"DHTLookedUp", 1, func() Event { return new(DHTLookedUp) }},
	KindDHTLookupEnded:             {"DHTLookupEnded", 1, func() Event { return new(DHTLookupEnded) }},
	KindDHTScraped:                 {"DHTScraped", 1, func() Event { return new(DHTScraped) }},
	KindDHTPeerAnnounced:           {"DHTPeerAnnounced", 1, func() Event { return new(DHTPeerAnnounced) }},
	KindPeersExchanged:             {"PeersExchanged", 1, func() Event { return new(PeersExchanged) }},
	KindTrackersExchanged:          {"TrackersExchanged", 1, func() Event { return new(TrackersExchanged) }},
	KindLocalPeerAnnounced:         {"LocalPeerAnnounced", 1, func() Event { return new(LocalPeerAnnounced) }},
	KindPeersNamed:                 {"PeersNamed", 1, func() Event { return new(PeersNamed) }},
	KindAddressRejected:            {"AddressRejected", 1, func() Event { return new(AddressRejected) }},
	KindTrackerAnswersIgnored:      {"TrackerAnswersIgnored", 1, func() Event { return new(TrackerAnswersIgnored) }},
	KindConnectionFailed:           {"ConnectionFailed", 1, func() Event { return new(ConnectionFailed) }},
	KindAcceptFailed:               {"AcceptFailed", 1, func() Event { return new(AcceptFailed) }},
	KindHolepunchTried:             {"HolepunchTried", 1, func() Event { return new(HolepunchTried) }},
	KindConnectionsSuppressed:      {"ConnectionsSuppressed", 1, func() Event { return new(ConnectionsSuppressed) }},
	KindSessionOpened:              {"SessionOpened", 1, func() Event { return new(SessionOpened) }},
	KindBitfieldReceived:           {"BitfieldReceived", 1, func() Event { return new(BitfieldReceived) }},
	KindBitfieldChanged:            {"BitfieldChanged", 1, func() Event { return new(BitfieldChanged) }},
	KindHaveAllReceived:            {"HaveAllReceived", 1, func() Event { return new(HaveAllReceived) }},
	KindHaveNoneReceived:           {"HaveNoneReceived", 1, func() Event { return new(HaveNoneReceived) }},
	KindHaveReceived:               {"HaveReceived", 1, func() Event { return new(HaveReceived) }},
	KindDontHaveReceived:           {"DontHaveReceived", 1, func() Event { return new(DontHaveReceived) }},
	KindExtensionHandshakeReceived: {"ExtensionHandshakeReceived", 1, func() Event { return new(ExtensionHandshakeReceived) }},
	KindPortReceived:               {"PortReceived", 1, func() Event { return new(PortReceived) }},
	KindMessageReceived:            {"MessageReceived", 1, func() Event { return new(MessageReceived) }},
	KindMessageSent:                {"MessageSent", 1, func() Event { return new(MessageSent) }},
	KindMessagesSuppressed:         {"MessagesSuppressed", 1, func() Event { return new(MessagesSuppressed) }},
	KindLimitReached:               {"LimitReached", 1, func() Event { return new(LimitReached) }},
	KindSessionClosed:              {"SessionClosed", 1, func() Event { return new(SessionClosed) }},
	KindPlaceFound:                 {"PlaceFound", 1, func() Event { return new(PlaceFound) }},
	KindStatisticSampled:           {"StatisticSampled", 1, func() Event { return new(StatisticSampled) }},
}

func (k Kind) info() kindInfo {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return kindInfo{}
}

// Known reports whether this program knows the kind.
func (k Kind) Known() bool { return k.info().new != nil }

// Version is the payload version that this program writes; 0 for a kind that it does not know.
func (k Kind) Version() Version {
	if int(k) < len(kinds) {
		return kinds[k].version
	}
	return 0
}

// New returns an empty event of the kind, or nil for a kind that this program does not know.
func (k Kind) New() Event {
	if create := k.info().new; create != nil {
		return create()
	}
	return nil
}

// Kinds lists the kinds that this program knows, ascending.
func Kinds() []Kind {
	var known []Kind
	for k := range Kind(len(kinds)) {
		if k.Known() {
			known = append(known, k)
		}
	}
	return known
}

// String gives the name of the event's Go type, such as HaveReceived; "kind 99" for an unknown one.
func (k Kind) String() string {
	if name := k.info().name; name != "" {
		return name
	}
	return names{}.text("kind", uint64(k))
}

// MarshalText gives the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String gives.
func (k *Kind) UnmarshalText(text []byte) error {
	if known, ok := KindNamed(string(text)); ok {
		*k = known
		return nil
	}
	return parseName(k, nil, "kind", text)
}

// KindNamed finds the kind with a name.
func KindNamed(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if kinds[k].name == name {
			return k, true
		}
	}
	return 0, false
}
