package swarmtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/torrent"
	anacrolix "github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/mse"
	"golang.org/x/time/rate"

	"btda/events"
)

// ClientOptions chooses what a client does.
type ClientOptions struct {
	Name    string     // for people
	Address netip.Addr // loopback address of its own, from which it also connects; of IPv6 there is only ::1, which clients may share
	Full    bool       // it begins with the whole payload
	// Goal is the number of pieces that it downloads: it stays connected but wants no more then. 0 is all.
	Goal int
	Rate int  // bytes of the payload a second, at the most; 0 is no limit. It holds up nothing else that peers say
	PEX  bool // peer exchange (BEP 11)
	UTP  bool // uTP beside TCP (BEP 29); a dial under way then outlives Close by some seconds

	Encrypts bool // every connection is encrypted, in both directions, with RC4 as the payload's cipher (MSE)
	NoAccept bool // connections to the port that it names are refused
	NoDial   bool // it connects to nobody
	// UTPWith is the one peer with which it speaks by uTP alone, and hangs up by TCP; with all others it is the other way round. Every
	// peer is met by TCP alone when not set. It excludes UTP.
	UTPWith netip.Addr
}

// Client is a whole BitTorrent client with one torrent.
type Client struct {
	ClientOptions
	PeerID events.PeerID
	Port   uint16

	client  *torrent.Client
	torrent *torrent.Torrent
	memory  *memory
	doors   []opened // that are its own
	close   func() error
}

// StartClient starts a client. It runs until Close.
func StartClient(p *Payload, o ClientOptions) (*Client, error) {
	if o.Goal == 0 {
		o.Goal = p.PieceCount
	}
	c := &Client{ClientOptions: o, memory: newMemory(p, &o)}
	client, err := torrent.NewClient(c.config())
	if err != nil {
		return nil, fmt.Errorf("swarmtest: client %s on %v: %w", o.Name, o.Address, err)
	}
	c.client, c.PeerID = client, events.PeerID(client.PeerID())
	c.close = sync.OnceValue(func() error {
		close(c.memory.left)
		return errors.Join(errors.Join(c.client.Close()...), c.closeDoors())
	})
	if err := c.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("swarmtest: client %s on %v: %w", o.Name, o.Address, err), c.Close())
	}
	c.Port = uint16(client.LocalPort())
	if err := c.add(p); err != nil {
		return nil, errors.Join(fmt.Errorf("swarmtest: client %s: %w", o.Name, err), c.Close())
	}
	return c, nil
}

// config keeps a client to loopback: no DHT, no port forwarding, no webtorrent.
func (c *Client) config() *torrent.ClientConfig {
	o := torrent.NewDefaultClientConfig()
	o.ListenHost = func(string) string { return c.Address.String() }
	o.ListenPort = 0
	o.NoDHT, o.NoDefaultPortForwarding, o.DisableWebtorrent, o.DisableWebseeds = true, true, true, true
	o.DisableIPv4, o.DisableIPv6 = c.Address.Is6(), c.Address.Is4()
	o.DisablePEX, o.DisableUTP, o.DisableTCP = !c.PEX, !c.UTP, c.special()
	o.Seed, o.AcceptPeerConnections, o.DisableAcceptRateLimiting = true, !c.NoAccept, true
	o.AlwaysWantConns = true            // it takes observers whatever it needs itself,
	o.EstablishedConnsPerTorrent = 500  // however many peers it has
	o.DialForPeerConns = c.UTP          // TCP connects through a dialer of ours, see StartClient
	o.DropMutuallyCompletePeers = false // seeds stay where they are
	o.HeaderObfuscationPolicy = torrent.HeaderObfuscationPolicy{Preferred: c.Encrypts, RequirePreferred: c.Encrypts}
	if c.Encrypts {
		o.CryptoProvides, o.CryptoSelector = mse.CryptoMethodRC4, func(mse.CryptoMethod) mse.CryptoMethod { return mse.CryptoMethodRC4 }
	}
	o.DialRateLimiter = rate.NewLimiter(rate.Inf, 1)
	o.TrackerDialContext = c.dialer().DialContext
	o.DefaultStorage = c.memory
	o.Slogger = slog.New(slog.DiscardHandler)
	return o
}

// dialer connects from the client's own address, so that the tracker and other clients know it by that.
func (c *Client) dialer() *net.Dialer {
	return &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Address, 0)), KeepAlive: -1}
}

func (c *Client) add(p *Payload) error {
	described, err := anacrolix.Load(bytes.NewReader(p.Torrent))
	if err != nil {
		return err
	}
	if c.torrent, err = c.client.AddTorrent(described); err != nil {
		return err
	}
	c.torrent.DownloadPieces(0, c.Goal)
	return nil
}

// AddrPort is where the client listens.
func (c *Client) AddrPort() netip.AddrPort { return netip.AddrPortFrom(c.Address, c.Port) }

// Finishes tells whether the client downloads all pieces: it neither begins with them nor stops before.
func (c *Client) Finishes() bool { return !c.Full && c.Goal == len(c.memory.verified) }

// Reached is closed when the client has as many pieces as it wants.
func (c *Client) Reached() <-chan struct{} { return c.memory.reached }

// Wait waits until the client has as many pieces as it wants. The error says how many it has when ctx is done before.
func (c *Client) Wait(ctx context.Context) error {
	select {
	case <-c.Reached():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("swarmtest: %s has %d of %d pieces: %w", c.Name, c.Pieces(), c.Goal, ctx.Err())
	}
}

// History is how many pieces the client had, from when on; the first entry is its start.
func (c *Client) History() []Progress { return c.memory.progress() }

// Pieces is how many pieces the client has.
func (c *Client) Pieces() int {
	h := c.History()
	return h[len(h)-1].Pieces
}

// CrossedAt is when a client that began with fewer pieces came to have that many. It tells whether it did.
func (c *Client) CrossedAt(pieces int) (time.Time, bool) {
	h := c.History()
	if h[0].Pieces >= pieces {
		return time.Time{}, false
	}
	for _, p := range h {
		if p.Pieces >= pieces {
			return p.Time, true
		}
	}
	return time.Time{}, false
}

// Connections is the number of peers that the client is connected with.
func (c *Client) Connections() int { return c.torrent.Stats().ActivePeers }

// Close ends the client and its connections. It does not wait for its last announce. It may be called again, and by several goroutines.
func (c *Client) Close() error { return c.close() }
