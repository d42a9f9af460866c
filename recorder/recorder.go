// Package recorder records live swarms: it wires trackers, schedule and sessions to an event log.
//
// # Promises
//
//   - RunStarted is the first event of the log and RunStopped the last, unless the log itself failed.
//   - Peers that are complete are left alone; addresses that the rules forbid are never dialled.
//   - A peer has one session at a time, whichever side began it (see roster).
//   - Run ends within the timeout plus 2 s after its context is done, whatever trackers and peers do, and a moment after Deps.Hurry is
//     closed. Neither loses an event that was appended.
//
// # Who owns what
//
// Every tracker of every torrent has a goroutine (tracker.Announcer); what it names goes through the address rules of intake to
// the dispatcher. The dispatcher's goroutine alone uses the schedule, and begins a goroutine for each contact (session.Observer).
// In passive mode the reception has one for each listener and each connection that comes in. A node of the DHT has one, and each torrent
// one for its lookups there.
// Run owns them all and waits for them. All facts go through one gate to the log, which closes before RunStopped is appended.
// Failures of incoming connections come there by way of repeats, which counts those of one origin.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"btda/events"
	"btda/input"
)

// Recorder records one run. Its Run is called once.
type Recorder struct {
	settings Settings
	torrents []torrent
	deps     Deps
	host     string
	peerID   events.PeerID
	own      []events.Address
	rules    rules

	greetings int // incoming connections without a handshake at one time

	live atomic.Pointer[run] // nil until the dispatcher runs, which answers for it
}

// torrent is a torrent with its number.
type torrent struct {
	events.TorrentNumber
	input.Torrent
}

// New prepares a recording of torrents, which get their numbers in this order, from 1. It writes nothing yet. The settings are those
// of a valid Settings (see Validate); an error names the one that does not fit.
func New(settings Settings, torrents []input.Torrent, deps Deps) (*Recorder, error) {
	excluded, err := readExclusions(settings.Exclude)
	if err != nil {
		return nil, &SettingError{Setting: "exclude", Problem: err.Error()}
	}
	if err := checkLocal(settings.Bind); err != nil {
		return nil, err
	}
	own, err := ownAddresses(settings.Bind, settings.Port)
	if err != nil {
		return nil, err
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.FreeSpace == nil {
		deps.FreeSpace = freeSpace
	}
	r := &Recorder{settings: settings, deps: deps, peerID: newPeerID(), own: own, rules: newRules(excluded, own, settings.Bind)}
	if r.host, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("the name of this host cannot be read: %w", err)
	}
	r.settings.Resolve()
	r.settings.Locate(time.Now(), r.host)
	r.fit(readResources().descriptorLimit)
	if err := r.number(torrents); err != nil {
		return nil, err
	}
	r.adviseSources()
	return r, nil
}

func (r *Recorder) number(torrents []input.Torrent) error {
	if len(torrents) == 0 {
		return errors.New("there is no torrent to record")
	}
	for i, t := range torrents {
		r.torrents = append(r.torrents, torrent{events.TorrentNumber(i + 1), t})
	}
	return nil
}

// Events is the folder of the event log.
func (r *Recorder) Events() string { return r.settings.Events }

// Run records until ctx is done, the duration of the settings has passed or the log fails. It returns nil when the recording ended
// in order; a Stop as the cause of ctx tells why it ended. An error that wraps ErrDiskFull says that it ended in order, but too early.
func (r *Recorder) Run(ctx context.Context) error {
	if err := r.checkDisk(); errors.Is(err, ErrDiskFull) {
		return fmt.Errorf("nothing was recorded: %v", err) // which is no recording that ended in order
	}
	open, err := r.listen()
	if err != nil {
		return err
	}
	streams, err := r.openUTP()
	if err != nil {
		return errors.Join(err, closeAll(open))
	}
	defer streams.Close()
	sockets, err := r.listenDHT(streams)
	if err != nil {
		return errors.Join(err, closeAll(open))
	}
	log, err := r.deps.CreateLog(r.settings.Events)
	if err != nil {
		return errors.Join(fmt.Errorf("the event log %s cannot be created: %w", r.settings.Events, err), closeAll(open), closeAll(sockets))
	}
	live := r.newRun(log)
	live.enterUTP(streams)
	live.listen(slices.Concat(open, r.doorsOf(streams)))
	live.enterDHT(sockets)
	return live.record(ctx)
}

// Snapshot gives the state of the recording. It may be called at any time and by any goroutine.
func (r *Recorder) Snapshot() Snapshot {
	if live := r.live.Load(); live != nil {
		return live.snapshot()
	}
	return Snapshot{}
}
