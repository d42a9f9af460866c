package replay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"btda/events"
	"btda/projections"
	"btda/projections/sqlite"
)

// RowKey names a row of a result.
type RowKey struct {
	Table string
	ID    int64
}

// ParseRowKey reads a table and an id, as in download:17.
func ParseRowKey(text string) (RowKey, error) {
	table, number, _ := strings.Cut(text, ":")
	id, err := strconv.ParseInt(number, 10, 64)
	if _, ok := explainers[table]; !ok || err != nil {
		return RowKey{}, fmt.Errorf("%q: want a table and an id, as in download:17; tables are download, peer, timing, peer_source, endpoint, torrent, request, scrape and statistic, for the others are counts of many events", text)
	}
	return RowKey{table, id}, nil
}

// Explanation finds the events behind a row.
type Explanation struct {
	Row     RowKey
	Results []string // the row is looked for in all of them, at least one
	Logs    []string // of the results
	// Report is told the events in the order of the logs: of a peer or a download those of all its sessions, and the attempts to reach it.
	// The record is valid during the call.
	Report func(*events.Record) error
}

// Run looks for the row and then for its events, which means to read the logs twice.
func (e Explanation) Run(ctx context.Context) error {
	q := newQuestion()
	found := false
	for _, path := range e.Results {
		r, err := sqlite.Open(ctx, path)
		if err != nil {
			return err
		}
		is, err := q.ask(r, e.Row)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		found = found || is
	}
	if !found {
		return fmt.Errorf("%s has no row with id %d in %s", e.Row.Table, e.Row.ID, strings.Join(e.Results, " and "))
	}
	o := Options{Logs: e.Logs}
	if _, err := Fold(ctx, o, learner{q}); err != nil {
		return err
	}
	t := &teller{question: q, report: e.Report}
	_, err := Fold(ctx, o, t)
	return errors.Join(err, t.err)
}

// question says which events are behind a row.
type question struct {
	sessions  map[sessionOf]bool
	hashes    map[string]bool // torrents, in hexadecimal digits
	seconds   map[int64]bool  // whole seconds in which it happened; empty where that does not matter
	kinds     map[events.Kind]bool
	namings   bool // also of who named the addresses
	addresses map[torrentAddress]bool
	torrents  map[torrentOf]string // info hashes in hexadecimal digits
}

type sessionOf struct {
	run    string // in hexadecimal digits
	number events.SessionNumber
}

type torrentOf struct {
	run    events.RunID
	number events.TorrentNumber
}

type torrentAddress struct {
	hash    string
	address netip.AddrPort
}

func newQuestion() *question {
	return &question{sessions: map[sessionOf]bool{}, hashes: map[string]bool{}, seconds: map[int64]bool{}, kinds: map[events.Kind]bool{},
		addresses: map[torrentAddress]bool{}, torrents: map[torrentOf]string{}}
}

// explainers say, for each table, what to ask a result about a row of it.
var explainers = map[string]func(*question, *explained) error{
	"download":    func(q *question, e *explained) error { return q.addPeer(e, "SELECT peer FROM main.download") },
	"peer":        func(q *question, e *explained) error { return q.addPeer(e, "SELECT id FROM main.peer") },
	"peer_source": func(q *question, e *explained) error { return q.addNamed(e, "SELECT peer FROM main.peer_source") },
	"endpoint":    func(q *question, e *explained) error { return q.addNamed(e, "SELECT peer FROM main.endpoint") },
	"timing":      func(q *question, e *explained) error { return q.addSessions(e, "id", e.id) },
	"torrent": func(q *question, e *explained) error {
		return q.addMoment(e, "info_hash_hex, NULL FROM main.torrent", events.KindTorrentAdded, events.KindMetadataReceived, events.KindMetadataFailed)
	},
	"request": func(q *question, e *explained) error {
		return q.addMoment(e, "info_hash_hex, timestamp FROM main.request JOIN main.torrent ON torrent = torrent.id", events.KindTrackerAnnounced, events.KindDHTLookedUp, events.KindDHTLookupEnded, events.KindStatisticSampled)
	},
	"scrape": func(q *question, e *explained) error {
		return q.addMoment(e, "info_hash_hex, time FROM main.scrape JOIN main.torrent ON torrent = torrent.id", events.KindTrackerScraped, events.KindDHTScraped, events.KindDHTLookupEnded)
	},
	"statistic": func(q *question, e *explained) error {
		return q.addMoment(e, "NULL, timestamp FROM main.statistic", events.KindStatisticSampled)
	},
}

// explained is a row in one result.
type explained struct {
	RowKey
	id    string // as SQL
	read  *sqlite.Reader
	found bool
}

// ask adds what one result says of the row, and reports whether it has it.
func (q *question) ask(r *sqlite.Reader, row RowKey) (bool, error) {
	e := &explained{RowKey: row, id: strconv.FormatInt(row.ID, 10), read: r}
	err := explainers[row.Table](q, e)
	return e.found, err
}

// mostExplained is how many sessions of one row are looked for.
const mostExplained = 1 << 20

func (e *explained) each(sql string, use func(projections.Row)) error {
	c, err := e.read.Query(sql + " LIMIT " + strconv.Itoa(mostExplained))
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		e.found = true
		use(c.Row())
	}
	return c.Err()
}

func (q *question) addPeer(e *explained, selects string) error {
	var peers []string
	err := e.each(selects+" WHERE "+e.Table+".id = "+e.id, func(row projections.Row) {
		if row[0].Type == projections.Integer {
			peers = append(peers, strconv.FormatInt(row[0].Integer, 10))
		}
	})
	for _, peer := range peers {
		err = errors.Join(err, q.addSessions(e, "peer", peer))
	}
	return err
}

func (q *question) addNamed(e *explained, selects string) error {
	q.namings = true
	if e.Table == "endpoint" {
		err := e.each("SELECT info_hash_hex, address FROM main.endpoint JOIN main.torrent ON torrent = torrent.id WHERE endpoint.id = "+e.id, func(row projections.Row) {
			if address, err := netip.ParseAddrPort(row[1].Text); err == nil {
				q.addresses[torrentAddress{strings.Clone(row[0].Text), address}] = true
			}
		})
		if err != nil {
			return err
		}
	}
	if err := q.addPeer(e, selects); err != nil {
		return err
	}
	if e.found && len(q.sessions)+len(q.addresses) == 0 {
		return errors.New("the address of this endpoint is not in the result: replay with --with-addresses")
	}
	return nil
}

// addSessions adds those of the timings whose column has a value.
func (q *question) addSessions(e *explained, column, value string) error {
	facts, err := readFacts(e.read)
	if err != nil {
		return err
	}
	return e.each("SELECT vm, session FROM main.timing WHERE "+column+" = "+value, func(row projections.Row) {
		if run := facts[fmt.Sprintf("log.%d.run", row[0].Integer)]; run != nil && row[1].Integer > 0 {
			q.sessions[sessionOf{*run, events.SessionNumber(row[1].Integer)}] = true
		}
	})
}

// addMoment adds what happened to a torrent at a second. The columns are its info hash and the second, or NULL.
func (q *question) addMoment(e *explained, from string, kinds ...events.Kind) error {
	for _, kind := range kinds {
		q.kinds[kind] = true
	}
	return e.each("SELECT "+from+" WHERE "+e.Table+".id = "+e.id, func(row projections.Row) {
		if row[0].Type == projections.Text {
			q.hashes[strings.Clone(row[0].Text)] = true
		}
		if row[1].Type == projections.Integer {
			q.seconds[row[1].Integer] = true
		}
	})
}

// learner is the first reading: it learns the torrents, and the addresses of the sessions.
type learner struct{ *question }

// Apply learns from a record.
func (l learner) Apply(r *events.Record) {
	switch e := r.Event.(type) {
	case *events.TorrentAdded:
		l.torrents[torrentOf{r.Run, e.Torrent}] = e.InfoHash.String()
	case *events.SessionOpened:
		if l.sessions[sessionOf{r.Run.String(), e.Session}] && e.Direction == events.Outgoing {
			l.addresses[torrentAddress{l.torrents[torrentOf{r.Run, e.Torrent}], e.Address.AddrPort}] = true
		}
	}
}

// teller is the second one: it tells the events.
type teller struct {
	*question
	report func(*events.Record) error
	err    error
}

// Apply tells a record where it is behind the row.
func (t *teller) Apply(r *events.Record) {
	if t.err == nil && (t.ofSession(r) || t.ofAddress(r) || t.ofMoment(r)) {
		t.err = t.report(r)
	}
}

func (q *question) ofSession(r *events.Record) bool {
	number := field(r.Event, "Session")
	return number != 0 && len(q.sessions) > 0 && q.sessions[sessionOf{r.Run.String(), events.SessionNumber(number)}]
}

// ofAddress reports whether a record is of an attempt to reach the peer or, where that is asked, names its address.
func (q *question) ofAddress(r *events.Record) bool {
	if len(q.addresses) == 0 {
		return false
	}
	hash := q.torrents[torrentOf{r.Run, events.TorrentNumber(field(r.Event, "Torrent"))}]
	has := func(a netip.AddrPort) bool { return q.addresses[torrentAddress{hash, a}] }
	if !q.namings {
		failed, ok := r.Event.(*events.ConnectionFailed)
		return ok && has(failed.Address.AddrPort)
	}
	switch e := r.Event.(type) {
	case *events.ConnectionFailed:
		return has(e.Address.AddrPort)
	case *events.AddressRejected:
		return has(e.Address.AddrPort)
	case *events.LocalPeerAnnounced:
		return has(e.Peer.AddrPort)
	case *events.TrackerAnnounced:
		return anyOf(&e.Peers, has)
	case *events.DHTLookedUp:
		return anyOf(&e.Peers, has)
	case *events.PeersNamed:
		return anyOf(&e.Peers, has)
	}
	return false
}

func anyOf(peers *events.PeerList, has func(netip.AddrPort) bool) bool {
	for i := range peers.Len() {
		if has(peers.At(i).AddrPort) {
			return true
		}
	}
	return false
}

func (q *question) ofMoment(r *events.Record) bool {
	if !q.kinds[r.Event.Kind()] || len(q.seconds) > 0 && !q.seconds[r.Time.UTC().Unix()] {
		return false
	}
	number := events.TorrentNumber(field(r.Event, "Torrent"))
	return number == 0 || len(q.hashes) == 0 || q.hashes[q.torrents[torrentOf{r.Run, number}]]
}

// field gives the number in a field of an event; 0 where its kind has none.
func field(e events.Event, name string) uint64 {
	if v := reflect.ValueOf(e).Elem().FieldByName(name); v.IsValid() && v.CanUint() {
		return v.Uint()
	}
	return 0
}
