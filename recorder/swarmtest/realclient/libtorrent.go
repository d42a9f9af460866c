package realclient

import (
	"context"
	_ "embed" // the program below
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"btda/recorder/swarmtest"
)

// python is the interpreter for which Debian packages libtorrent.
const python = "/usr/bin/python3"

//go:embed libtorrent.py
var libtorrentProgram string

// libtorrent tells its progress by itself.
type libtorrent struct{}

// wanted is what the program is told.
type wanted struct {
	Listen   string `json:"listen"`
	From     string `json:"from"`
	Torrent  string `json:"torrent"`
	Content  string `json:"content"`
	Rate     int    `json:"rate"`
	Goal     int    `json:"goal"`
	Quits    bool   `json:"quits"`
	SlowFrom int    `json:"slow_from"`
	SlowRate int    `json:"slow_rate"`
	UTP      bool   `json:"utp"`
	TCP      bool   `json:"tcp"`
	Encrypts bool   `json:"encrypts"`
	DHT      bool   `json:"dht"`

	Bootstrap string           `json:"bootstrap"` // HOST:PORT, separated by commas
	Knows     []netip.AddrPort `json:"knows"`     // HOST:PORT
}

func (*libtorrent) launch(_ context.Context, c *Client) (launch, error) {
	from := c.Address.String()
	if c.Also.IsValid() {
		from = "" // what it connects from, it also accepts connections on, and with two it takes them in turn, whatever the family
	}
	told, err := json.Marshal(wanted{
		Listen: joined(c.AddrPorts()), From: from, Torrent: c.torrent(), Content: c.content(),
		Rate: c.Rate, Goal: c.Goal, Quits: c.Quits, SlowFrom: c.SlowFrom, SlowRate: c.SlowRate, UTP: c.UTP, TCP: !c.NoTCP, Encrypts: c.Encrypts,
		DHT: c.DHT, Bootstrap: joined(c.Bootstrap), Knows: c.Knows,
	})
	if err != nil {
		return launch{}, err
	}
	say := &lineWriter{take: func(line []byte) {
		var said struct {
			Time   int64 `json:"time"` // nanoseconds since 1970
			Pieces int   `json:"pieces"`
		}
		if err := json.Unmarshal(line, &said); err != nil {
			c.fail(fmt.Errorf("realclient: %s said %q: %w", c.Name, line, err))
			return
		}
		c.note(swarmtest.Progress{Time: time.Unix(0, said.Time), Pieces: said.Pieces})
	}}
	return launch{path: python, args: []string{"-I", "-c", libtorrentProgram, string(told)}, output: say, leashed: true}, nil
}

// joined writes addresses as libtorrent reads them.
func joined(addresses []netip.AddrPort) string {
	var all []string
	for _, a := range addresses {
		all = append(all, a.String())
	}
	return strings.Join(all, ",")
}

// follow has nothing to do: all that the program prints is taken in.
func (*libtorrent) follow(context.Context, *Client) error { return nil }
