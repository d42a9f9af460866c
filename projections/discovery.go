package projections

import (
	"net/netip"

	"btda/events"
)

// discovery folds what names peers into endpoints and requests. It keeps what it needs of open sessions itself, so that
// it can run beside the fold of the sessions.
type discovery struct {
	definitions *definitions
	endpoints   *endpoints
	requests    *requests
	scrapes     *scrapes
	failures    *failures
	guests      map[sessionKey]guest // open sessions
}

// guest is the other side of an open session, as far as it names addresses.
type guest struct {
	torrent torrentIndex
	address address
	request requestIndex // that counts it; noRequest unless incoming and not known where it listens
}

func newDiscovery(d *definitions) *discovery {
	trackers := newTrackers()
	endpoints := newEndpoints(d, trackers)
	return &discovery{
		definitions: d, endpoints: endpoints, requests: newRequests(d, trackers, endpoints),
		scrapes: newScrapes(trackers), failures: newFailures(d, trackers), guests: map[sessionKey]guest{},
	}
}

func (d *discovery) announced(at moment, e *events.TrackerAnnounced) {
	d.failures.announced(at, e)
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok {
		d.requests.announced(at, torrent, e)
	}
}

func (d *discovery) scraped(at moment, e *events.TrackerScraped) {
	d.failures.scraped(at, e)
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok {
		d.requests.scrapeSucceeded(at, torrent, e)
		d.scrapes.scraped(at, torrent, e)
	}
}

func (d *discovery) lookedUp(at moment, e *events.DHTLookedUp) {
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok {
		d.requests.lookedUp(at, torrent, e)
	}
}

func (d *discovery) lookupEnded(at moment, e *events.DHTLookupEnded) {
	d.failures.lookupEnded(at, e)
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok {
		d.requests.lookupEnded(at, torrent, e)
		d.scrapes.lookupEnded(at, torrent, e)
	}
}

func (d *discovery) announcedToUs(at moment, e *events.DHTPeerAnnounced) {
	port := e.Port
	if e.ImpliedPort {
		port = e.Node.Port()
	}
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok && e.Node.IsValid() {
		d.endpoints.name(at, naming{torrent, events.SourceDHT, noTracker}, netip.AddrPortFrom(e.Node.Addr(), port))
	}
}

func (d *discovery) exchanged(at moment, e *events.PeersExchanged) {
	if g, ok := d.guests[sessionKey{at.run, e.Session}]; ok {
		d.endpoints.nameAll(at, naming{g.torrent, events.SourcePeerExchange, noTracker}, &e.Added)
	}
}

func (d *discovery) local(at moment, e *events.LocalPeerAnnounced) {
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok && e.Peer.IsValid() {
		d.endpoints.name(at, naming{torrent, events.SourceLocal, noTracker}, e.Peer.AddrPort)
	}
}

func (d *discovery) named(at moment, e *events.PeersNamed) {
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok {
		d.endpoints.nameAll(at, naming{torrent, e.Source, noTracker}, &e.Peers)
	}
}

func (d *discovery) rejected(at moment, e *events.AddressRejected) {
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok && e.Address.IsValid() {
		d.endpoints.reject(at, naming{torrent, e.Source, noTracker}, e)
	}
}

func (d *discovery) failed(at moment, e *events.ConnectionFailed) {
	before := noTries
	if torrent, ok := d.definitions.torrent(at.run, e.Torrent); ok && e.Direction == events.Outgoing && e.Address.IsValid() {
		before = d.endpoints.try(at, endpointKeyOf(torrent, e.Address.AddrPort), e)
	}
	d.failures.failed(at, e, before)
}

func (d *discovery) opened(at moment, e *events.SessionOpened) {
	torrent, ok := d.definitions.torrent(at.run, e.Torrent)
	if !ok || !e.Address.IsValid() {
		return
	}
	g := guest{torrent: torrent, address: addressOf(e.Address.Addr()), request: noRequest}
	before := noTries
	switch {
	case e.Direction != events.Incoming:
		before = d.endpoints.reach(at, endpointKeyOf(torrent, e.Address.AddrPort))
	case !d.definitions.own(e):
		g.request = d.requests.incomingOpened(at, torrent)
	}
	d.failures.opened(at, e, before)
	d.guests[sessionKey{at.run, e.Session}] = g
}

// extensionHandshake takes the port that an incoming peer listens on for an address named by that peer.
func (d *discovery) extensionHandshake(at moment, e *events.ExtensionHandshakeReceived) {
	key := sessionKey{at.run, e.Session}
	g, ok := d.guests[key]
	port, said := listeningPort(e)
	if !ok || !said || g.request == noRequest {
		return
	}
	listens := endpointKey{torrent: g.torrent, port: port, address: g.address}
	if d.endpoints.name(at, naming{g.torrent, events.SourceIncoming, noTracker}, listens.addrPort()) {
		d.requests.incomingKnown(at, g.request)
	}
	d.endpoints.greet(at, listens)
	g.request = noRequest
	d.guests[key] = g
}

func (d *discovery) closed(at moment, e *events.SessionClosed) {
	delete(d.guests, sessionKey{at.run, e.Session})
}
