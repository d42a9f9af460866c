package projections

import (
	"fmt"
	"net/netip"
	"time"

	"btda/events"
	"btda/events/pieces"
)

// Position is the place of a record among all that a Set folded, from 1: the order of the merged log. Rows remember the
// position at which they last changed.
type Position uint64

// runIndex and torrentIndex number runs and torrents across all merged logs, from 0. A torrent is its info hash.
type (
	runIndex     uint32
	torrentIndex uint32
)

const noTorrent = ^torrentIndex(0)

// moment is the envelope of a record: where it stands in the order of all records, and when it was observed.
type moment struct {
	run      runIndex
	seq      events.Seq
	position Position
	time     events.Time
}

// runDefinition is what RunStarted says of a run that its other records need.
type runDefinition struct {
	id          events.RunID
	started     events.Time
	latest      events.Time // the greatest of its records so far: where what is open ends
	rules       rules
	capture     pieces.Fraction
	captureSaid bool
	listening   bool
	key         string // fingerprint of that of its pseudonyms; empty where addresses are as observed
	torrents    map[events.TorrentNumber]torrentIndex
}

// torrentDefinition is what all runs together say of a torrent.
type torrentDefinition struct {
	infoHash    events.InfoHash
	metadata    events.Metadata // PieceCount 0 while unknown
	path        string
	displayName string
	tracker     string
	rungs       []uint32 // see goal; nil until asked for
}

// definitions give other records their meaning. They are complete before the first record is folded.
type definitions struct {
	options      Options
	threshold    pieces.Fraction
	decided      bool              // threshold is known
	sweep        []pieces.Fraction // the threshold, and those beside it, ascending; empty until decided
	runs         []runDefinition
	runByID      map[events.RunID]runIndex
	torrents     []torrentDefinition
	byHash       map[events.InfoHash]torrentIndex
	ownPeerIDs   map[events.PeerID]struct{}
	ownAddresses map[netip.AddrPort]struct{}
}

func newDefinitions(o Options) *definitions {
	d := &definitions{
		options: o, runByID: map[events.RunID]runIndex{}, byHash: map[events.InfoHash]torrentIndex{},
		ownPeerIDs: map[events.PeerID]struct{}{}, ownAddresses: map[netip.AddrPort]struct{}{},
	}
	if o.Threshold != nil {
		d.decide(*o.Threshold)
	}
	return d
}

func (d *definitions) define(r *events.Record) error {
	switch e := r.Event.(type) {
	case *events.RunStarted:
		return d.defineRun(r.Time, e)
	case *events.TorrentAdded:
		if run, ok := d.runByID[r.Run]; ok {
			d.defineTorrent(&d.runs[run], e)
		}
	case *events.MetadataReceived:
		if run, ok := d.runByID[r.Run]; ok {
			d.defineMetadata(&d.runs[run], e)
		}
	}
	return nil
}

func (d *definitions) defineRun(at events.Time, e *events.RunStarted) error {
	if _, again := d.runByID[e.Run]; again {
		return nil
	}
	run := runDefinition{id: e.Run, started: at, latest: at, key: string(e.PseudonymKey), torrents: map[events.TorrentNumber]torrentIndex{}}
	if err := run.readSettings(e); err != nil {
		return fmt.Errorf("run %v: %w", e.Run, err)
	}
	if err := d.agree(&run); err != nil {
		return err
	}
	run.rules.settle = d.options.Settle
	if d.options.Revisit > 0 {
		run.rules.revisit = d.options.Revisit
	}
	d.runByID[e.Run] = runIndex(len(d.runs))
	d.runs = append(d.runs, run)
	if e.PeerID != (events.PeerID{}) {
		d.ownPeerIDs[e.PeerID] = struct{}{}
	}
	for _, a := range e.Addresses {
		d.ownAddresses[a.AddrPort] = struct{}{}
	}
	return nil
}

func (r *runDefinition) readSettings(e *events.RunStarted) error {
	var err error
	if text, said := e.Setting("threshold"); said {
		if r.capture, err = pieces.ParseFraction(text); err != nil {
			return fmt.Errorf("setting threshold: %w", err)
		}
		r.captureSaid = true
	}
	if r.rules.timeout, err = durationSetting(e, "timeout"); err != nil {
		return err
	}
	if r.rules.revisit, err = durationSetting(e, "revisit"); err != nil {
		return err
	}
	passive, _ := e.Setting("passive")
	r.listening = passive == "true"
	return nil
}

func durationSetting(e *events.RunStarted, name string) (time.Duration, error) {
	text, said := e.Setting(name)
	if !said {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("setting %s: %w", name, err)
	}
	return d, nil
}

// agree takes the threshold of the recorder where none was asked for, and holds the runs against each other.
func (d *definitions) agree(run *runDefinition) error {
	switch {
	case len(d.runs) > 0 && d.runs[0].key != run.key && !d.options.MixedPseudonyms:
		return fmt.Errorf("run %v has %s and run %v has %s, so that one peer would count twice: replay them apart, or all the same with --mixed-pseudonyms",
			d.runs[0].id, pseudonymText(d.runs[0].key), run.id, pseudonymText(run.key))
	case d.options.Threshold != nil:
	case !run.captureSaid:
		return fmt.Errorf("run %v does not say its threshold: give one with --threshold", run.id)
	case !d.decided:
		d.decide(run.capture)
	case d.threshold.Compare(run.capture) != 0:
		return fmt.Errorf("run %v recorded with threshold %v and run %v with %v: give one with --threshold", d.runs[0].id, d.threshold, run.id, run.capture)
	}
	return nil
}

func pseudonymText(key string) string {
	if key == "" {
		return "addresses as observed"
	}
	return fmt.Sprintf("pseudonyms of key %x", key)
}

func (d *definitions) defineTorrent(run *runDefinition, e *events.TorrentAdded) {
	index, ok := d.byHash[e.InfoHash]
	if !ok {
		index = torrentIndex(len(d.torrents))
		d.byHash[e.InfoHash] = index
		d.torrents = append(d.torrents, torrentDefinition{infoHash: e.InfoHash})
	}
	run.torrents[e.Torrent] = index
	t := &d.torrents[index]
	t.path = firstText(t.path, e.Path)
	t.displayName = firstText(t.displayName, e.DisplayName)
	for _, tier := range e.Trackers {
		for _, tracker := range tier {
			t.tracker = firstText(t.tracker, tracker)
		}
	}
	if e.MetadataKnown {
		t.learn(&e.Metadata)
	}
}

func (d *definitions) defineMetadata(run *runDefinition, e *events.MetadataReceived) {
	if index, ok := run.torrents[e.Torrent]; ok {
		d.torrents[index].learn(&e.Metadata)
	}
}

func (t *torrentDefinition) learn(m *events.Metadata) {
	if t.metadata.PieceCount == 0 {
		t.metadata = *m
	}
	t.displayName = firstText(t.displayName, m.Name)
}

func firstText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (d *definitions) torrent(run runIndex, number events.TorrentNumber) (torrentIndex, bool) {
	index, ok := d.runs[run].torrents[number]
	return index, ok
}

// complete is the number of pieces from which a peer counts as complete; meaningless while the number of pieces is unknown.
func (d *definitions) complete(t torrentIndex) uint32 {
	return uint32(d.threshold.CeilOf(uint64(d.torrents[t].metadata.PieceCount)))
}

// censored reports whether a recorder left peers of the torrent alone before they were at a threshold.
func (d *definitions) censored(t torrentIndex, threshold pieces.Fraction) bool {
	count := uint64(d.torrents[t].metadata.PieceCount)
	for i := range d.runs {
		run := &d.runs[i]
		if run.captureSaid && run.observes(t) && run.capture.CeilOf(count) < threshold.CeilOf(count) {
			return true
		}
	}
	return false
}

func (r *runDefinition) observes(t torrentIndex) bool {
	for _, index := range r.torrents {
		if index == t {
			return true
		}
	}
	return false
}

func (d *definitions) ownPeerID(id events.PeerID) bool {
	_, own := d.ownPeerIDs[id]
	return own
}

func (d *definitions) ownAddress(a netip.AddrPort) bool {
	_, own := d.ownAddresses[a]
	return own
}

// own reports whether a session is with ourselves, as far as its opening tells.
func (d *definitions) own(e *events.SessionOpened) bool {
	return d.ownPeerID(e.PeerID) || e.Direction == events.Outgoing && d.ownAddress(e.Address.AddrPort)
}

// runNumber is the number of a run by (time of its first record, run id), from 1.
func (d *definitions) runNumber(run runIndex) int {
	number := 1
	for i := range d.runs {
		if d.runs[i].before(&d.runs[run]) {
			number++
		}
	}
	return number
}

func (r *runDefinition) before(other *runDefinition) bool {
	if r.started != other.started {
		return r.started < other.started
	}
	return string(r.id[:]) < string(other.id[:])
}
