package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"btda/recorder/swarmtest"
)

// observerAddress is where the recorder connects from and listens.
var observerAddress = netip.AddrFrom4([4]byte{127, 0, 2, 1})

// kind is a way in which clients are met.
type kind struct {
	name string
	swarmtest.ClientOptions
}

// kinds are those of a churning swarm. What a peer does not take is refused by it, or it hangs up.
var kinds = []kind{
	{"both directions", swarmtest.ClientOptions{}},
	{"incoming only", swarmtest.ClientOptions{NoDial: true}},
	{"outgoing only", swarmtest.ClientOptions{NoAccept: true}},
	{"encrypted", swarmtest.ClientOptions{Encrypts: true}},
	{"encrypted, outgoing only", swarmtest.ClientOptions{Encrypts: true, NoAccept: true}},
	{"uTP", swarmtest.ClientOptions{UTPWith: observerAddress}},
	{"uTP, incoming only", swarmtest.ClientOptions{UTPWith: observerAddress, NoDial: true}},
	{"uTP, outgoing only", swarmtest.ClientOptions{UTPWith: observerAddress, NoAccept: true}},
	{"uTP, encrypted", swarmtest.ClientOptions{UTPWith: observerAddress, Encrypts: true}},
}

// churn is a swarm of which each client leaves as soon as it has all pieces, and another comes in its place.
type churn struct {
	swarm   *swarmtest.Swarm
	pieces  int
	pace    time.Duration // that the slowest client takes
	players sync.WaitGroup
	over    chan struct{} // closed when all turns are over
	ctx     context.Context
	cancel  context.CancelFunc

	mu      sync.Mutex
	guests  []guest
	failure error
	next    netip.Addr
}

// guest is a client that comes and goes.
type guest struct {
	kind string
	*swarmtest.Client
}

// newChurn takes over a swarm that has seeds.
func newChurn(s *scene) *churn {
	c := &churn{swarm: s.swarm, pieces: s.pieces, pace: s.pace, over: make(chan struct{}), next: netip.AddrFrom4([4]byte{127, 1, 0, 1})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// start lets places be taken, each by some clients one after the other. It goes on until all turns are over, or end.
func (c *churn) start(o options) {
	for place := range o.peers {
		c.players.Go(func() {
			for turn := range o.turns {
				if err := c.play(turn*o.peers + place); err != nil {
					c.fail(err)
					return
				}
			}
		})
	}
	go func() {
		c.players.Wait()
		close(c.over)
	}()
}

// patience is after how many times the pace a client leaves though it has not finished, because its peers left it with requests that nobody
// answers.
const patience = 2

// play lets a client come, finish and leave. Its number decides of which kind and how quick it is.
func (c *churn) play(number int) error {
	g, err := c.invite(number)
	if err != nil {
		return err
	}
	defer g.Close()
	select {
	case <-g.Reached():
		return g.Close()
	case <-time.After(patience * c.pace):
		return g.Close()
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// end sends all clients away.
func (c *churn) end() {
	c.cancel()
	<-c.over
}

// The shares of the pace that clients take: from the shortest on, in steps, so that those of one kind differ.
const (
	shortestShare = 0.4
	meanShare     = (1 + shortestShare) / 2
	shares        = 7
)

func (c *churn) invite(number int) (guest, error) {
	k := kinds[number%len(kinds)]
	share := shortestShare + (1-shortestShare)*float64(number*3%shares)/(shares-1)
	o := k.ClientOptions
	o.Name, o.PEX = fmt.Sprintf("%s %d", k.name, number/len(kinds)+1), true
	o.Rate = int(float64(c.pieces*pieceLength) / (c.pace.Seconds() * share))
	c.mu.Lock()
	o.Address, c.next = c.next, c.next.Next()
	c.mu.Unlock()
	client, err := swarmtest.StartClient(c.swarm.Payload, o)
	if err != nil {
		return guest{}, err
	}
	g := guest{k.name, client}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guests = append(c.guests, g)
	return g, nil
}

func (c *churn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = errors.Join(c.failure, err)
}

// done tells whether all turns are over.
func (c *churn) done() (bool, error) {
	select {
	case <-c.over:
	default:
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return true, c.failure
}

// standing is how many clients have come, and finished.
func (c *churn) standing() (came, finished int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.guests {
		if g.Pieces() == c.pieces {
			finished++
		}
	}
	return len(c.guests), finished
}

// completions are the clients as they know themselves. The threshold is a number of pieces.
func (c *churn) completions(threshold int) (all []completion) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.guests {
		one := completion{kind: g.kind, name: g.Name, address: g.Address, began: g.History()[0].Time, threshold: threshold}
		if at, ok := g.CrossedAt(threshold); ok {
			one.crossed = at
			all = append(all, one)
		}
	}
	return all
}
