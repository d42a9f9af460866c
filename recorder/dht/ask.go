package dht

import (
	"context"
	"errors"
	"io"
	"time"

	anacrolix "github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
)

// question is a query to a node.
type question struct {
	to        krpc.NodeAddr
	method    string
	arguments krpc.MsgArgs
}

// reply is what a node answered.
type reply struct {
	krpc.Return
	version string
	took    time.Duration
}

var errNoAnswer = errors.New("an error instead of an answer")

// ask asks a node, in the bounds of the rate in all and of that for one node. An error says that no answer came: none at all, or an error of the node.
func (n *Node) ask(ctx context.Context, q question) (reply, error) {
	to := q.to.ToNodeAddrPort().AddrPort
	if err := n.turns.wait(ctx, to); err != nil {
		return reply{}, err
	}
	if err := n.pace.Wait(ctx); err != nil {
		return reply{}, err
	}
	began := time.Now()
	result := n.server.Load().Query(ctx, anacrolix.NewAddr(q.to.UDP()), q.method, anacrolix.QueryInput{
		MsgArgs: q.arguments, NumTries: sends, RateLimiting: anacrolix.QueryRateLimiting{NotAny: true},
	})
	if again := int(result.Writes) - 1; again > 0 {
		n.pace.ReserveN(time.Now(), again) // what was sent again counts too
		n.turns.take(to, again, time.Now())
	}
	switch {
	case result.Err != nil:
		return reply{}, result.Err
	case result.Reply.R == nil:
		return reply{}, errNoAnswer
	}
	return reply{Return: *result.Reply.R, version: result.Reply.ClientId, took: time.Since(began)}, nil
}

// quiet is a logger that writes nothing: most that the library has to say can be brought about from outside, at any rate.
func quiet() log.Logger {
	l := log.NewLogger().WithFilterLevel(log.Disabled)
	l.SetHandlers(log.StreamHandler{W: io.Discard, Fmt: func(log.Record) []byte { return nil }})
	return l
}
