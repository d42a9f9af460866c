package realclient

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"btda/recorder/swarmtest"
)

// Kind is a client program.
type Kind string

// The kinds of clients.
const (
	Libtorrent   Kind = "libtorrent"
	Transmission Kind = "transmission"
	Aria2        Kind = "aria2"
	RTorrent     Kind = "rtorrent"
)

// Options chooses what a client does.
type Options struct {
	Name     string // for people, and of its folder
	Kind     Kind
	Address  netip.Addr // loopback address of its own, from which it also connects
	Folder   string     // in which it gets a folder of its own
	Payload  *swarmtest.Payload
	Trackers []string // announce URLs, one tier each
	Full     bool     // it begins with the whole payload
	Rate     int      // bytes a second that it receives, at the most; 0 is no limit

	// For transmission and libtorrent only.

	Encrypts bool // it takes and makes encrypted connections only (MSE); libtorrent with a payload in RC4

	// For libtorrent and rtorrent only.

	SlowFrom int // pieces from which on it receives at SlowRate only; 0 is never
	SlowRate int // bytes a second

	// For libtorrent and aria2 only.

	DHT       bool             // it is a node of the DHT (BEP 5), libtorrent on its port, aria2 on one of its own
	Bootstrap []netip.AddrPort // nodes of the DHT to begin with

	// For rtorrent only.

	Begun int // pieces that it begins with

	// For libtorrent only.

	Also  netip.Addr // address of the other family on which it listens too; it then connects from any. May be invalid
	Goal  int        // pieces that it wants; 0 is all
	Quits bool       // it ends at once when it has all pieces that it wants
	UTP   bool       // uTP beside TCP (BEP 29)
	NoTCP bool       // no TCP

	// Knows are peers that it is told of. It has begun once one of them has answered.
	Knows []netip.AddrPort
}

// Client is a running client with one torrent.
type Client struct {
	Options
	Port uint16 // on which it listens, on all its addresses

	process *process
	begun   chan struct{} // closed with the first entry of the history
	reached chan struct{} // closed when it has as many pieces as it wants
	stop    context.CancelFunc
	asking  sync.WaitGroup

	mu      sync.Mutex
	history []swarmtest.Progress
	failed  error // why nothing more is known of it
}

// program is how clients of one kind are run.
type program interface {
	// launch writes what the client needs into its folder.
	launch(context.Context, *Client) (launch, error)
	// follow notes the progress of the client until ctx is done or the client has ended.
	follow(context.Context, *Client) error
}

// programOf makes what runs one client.
func programOf(k Kind) (program, error) {
	switch k {
	case Libtorrent:
		return &libtorrent{}, nil
	case Transmission:
		return &polled{remote: &transmission{}}, nil
	case Aria2:
		return &polled{remote: &aria2{}}, nil
	case RTorrent:
		return &polled{remote: &rtorrent{}}, nil
	}
	return nil, fmt.Errorf("realclient: kind of client %q is not known", k)
}

// Start starts a client and waits until it says how many pieces it has. It runs until Close, unless it quits.
func Start(ctx context.Context, o Options) (*Client, error) {
	program, err := programOf(o.Kind)
	if err != nil {
		return nil, err
	}
	if o.Goal == 0 {
		o.Goal = o.Payload.PieceCount
	}
	if o.Full {
		o.Begun = o.Payload.PieceCount
	}
	c := &Client{Options: o, begun: make(chan struct{}), reached: make(chan struct{})}
	c.Folder = filepath.Join(o.Folder, strings.NewReplacer(" ", "-", ":", "").Replace(o.Name))
	addresses := slices.DeleteFunc([]netip.Addr{o.Address, o.Also}, func(a netip.Addr) bool { return !a.IsValid() })
	if c.Port, err = swarmtest.FreePort(ctx, addresses...); err != nil {
		return nil, err
	}
	if err := c.furnish(); err != nil {
		return nil, err
	}
	return c, c.run(ctx, program)
}

// furnish makes the folder of the client, with the torrent and the content as far as it has it.
func (c *Client) furnish() error {
	if err := os.MkdirAll(c.content(), 0o755); err != nil {
		return err
	}
	described, err := c.Payload.TorrentFor(c.Trackers...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.torrent(), described, 0o644); err != nil {
		return err
	}
	if c.Begun == 0 {
		return nil
	}
	return c.Payload.Save(c.content(), c.Begun)
}

func (c *Client) content() string { return filepath.Join(c.Folder, "content") }
func (c *Client) torrent() string { return filepath.Join(c.Folder, "payload.torrent") }

func (c *Client) run(ctx context.Context, p program) error {
	how, err := p.launch(ctx, c)
	if err != nil {
		return err
	}
	how.name, how.folder = string(c.Kind), c.Folder
	if c.process, err = how.run(); err != nil {
		return err
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.asking.Go(func() { c.fail(p.follow(following, c)) })
	select {
	case <-c.begun:
		return nil
	case <-c.process.ended:
		err = errors.New("it ended before it said how many pieces it has")
	case <-ctx.Done():
		err = fmt.Errorf("it did not say how many pieces it has: %w", ctx.Err())
	}
	return errors.Join(c.process.failure(err), c.Close())
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
}

// note adds to the history. A client that does not know yet of the pieces that it begins with is checking them.
func (c *Client) note(p swarmtest.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := len(c.history) == 0
	if first && p.Pieces < c.Begun || !first && c.history[len(c.history)-1].Pieces == p.Pieces {
		return
	}
	c.history = append(c.history, p)
	if first {
		close(c.begun)
	}
	if p.Pieces >= c.Goal && (first || !c.hadReached()) {
		close(c.reached)
	}
}

// hadReached tells whether the client had as many pieces as it wants before the last entry of its history.
func (c *Client) hadReached() bool {
	return slices.ContainsFunc(c.history[:len(c.history)-1], func(p swarmtest.Progress) bool { return p.Pieces >= c.Goal })
}

// Close ends the client, without a word to its peers, and waits until it is gone. The error is why its history has a gap.
func (c *Client) Close() error {
	c.stop()
	c.asking.Wait()
	c.process.kill()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// AddrPorts is where the client listens.
func (c *Client) AddrPorts() []netip.AddrPort {
	all := []netip.AddrPort{netip.AddrPortFrom(c.Address, c.Port)}
	if c.Also.IsValid() {
		all = append(all, netip.AddrPortFrom(c.Also, c.Port))
	}
	return all
}

// Wait waits until the client has as many pieces as it wants. The error says how many it has when it ends, or ctx does, before.
func (c *Client) Wait(ctx context.Context) error {
	var err error
	select {
	case <-c.reached:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-c.process.ended:
		err = fmt.Errorf("it ended by itself: %v", c.process.command.ProcessState)
	}
	select {
	case <-c.reached: // and then ended
		return nil
	default:
		return c.process.failure(fmt.Errorf("%s has %d of %d pieces: %w", c.Name, c.Pieces(), c.Goal, err))
	}
}

// History is how many pieces the client had, from when on; the first entry is its start.
func (c *Client) History() []swarmtest.Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.history)
}

// Pieces is how many pieces the client has.
func (c *Client) Pieces() int {
	h := c.History()
	return h[len(h)-1].Pieces
}

// Finished tells whether the client began with fewer than all pieces and came to have all.
func (c *Client) Finished() bool {
	h := c.History()
	return h[0].Pieces < c.Payload.PieceCount && h[len(h)-1].Pieces == c.Payload.PieceCount
}

// Crossing is when a client came to have a number of pieces: not before the first time, at the latest at the second.
type Crossing struct{ Below, Above time.Time }

// CrossedAt is when a client that began with fewer pieces came to have that many. It tells whether it did.
func (c *Client) CrossedAt(pieces int) (Crossing, bool) {
	h := c.History()
	for i, p := range h {
		if p.Pieces >= pieces {
			if i == 0 {
				return Crossing{}, false
			}
			return Crossing{Below: h[i-1].Time, Above: p.Time}, true
		}
	}
	return Crossing{}, false
}

// programs are what must be installed, with the Debian package that has it.
var programs = map[string]string{
	"transmission-daemon": "transmission-daemon", "aria2c": "aria2", "rtorrent": "rtorrent", "opentracker": "opentracker",
	"node": "nodejs", "npm": "npm",
}

// Missing lists the Debian packages that are not installed.
func Missing() []string {
	var missing []string
	for name, pkg := range programs {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, pkg)
		}
	}
	if exec.Command(python, "-I", "-c", "import libtorrent").Run() != nil {
		missing = append(missing, "python3-libtorrent")
	}
	slices.Sort(missing)
	return missing
}
