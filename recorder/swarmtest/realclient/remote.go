package realclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"net"
	"net/http"
	"net/netip"
	"time"

	"btda/recorder/swarmtest"
)

// askEvery is how often a client is asked for its progress, and how often one is tried that does not answer yet.
const askEvery = 200 * time.Millisecond

// remote controls a client of one kind while it runs.
type remote interface {
	launch(context.Context, *Client) (launch, error)
	// begin tells the client what cannot be told by its command. It is tried until it succeeds once.
	begin(context.Context, *Client) error
	// pieces asks how many pieces the client has.
	pieces(context.Context, *Client) (int, error)
}

// polled is a client that must be asked for its progress.
type polled struct{ remote }

// follow asks until ctx is done or the client has ended.
func (p *polled) follow(ctx context.Context, c *Client) error {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	begun := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.process.ended:
			return c.process.failure(fmt.Errorf("it ended by itself: %v", c.process.command.ProcessState))
		case <-ticker.C:
		}
		if !begun {
			begun = p.begin(ctx, c) == nil
			continue
		}
		pieces, err := p.pieces(ctx, c)
		if err == nil {
			c.note(swarmtest.Progress{Time: time.Now(), Pieces: pieces})
		} else if ctx.Err() == nil && !c.process.hasEnded() {
			return c.process.failure(err)
		}
	}
}

// answerTime bounds how long one answer of a client may take.
const answerTime = 10 * time.Second

// httpRemote talks HTTP with a client on loopback, past any proxy.
var httpRemote = http.Client{Timeout: answerTime, Transport: &http.Transport{DisableKeepAlives: true}}

// jsonCall is one call of a JSON interface.
type jsonCall struct {
	url    string
	header http.Header // may be nil
	ask    any
	answer any // pointer
}

// do makes the call. The response, whose body is closed, is given for its header, also beside an error where there is one.
func (j jsonCall) do(ctx context.Context) (*http.Response, error) {
	body, err := json.Marshal(j.ask)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, j.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range j.header {
		request.Header[name] = values
	}
	response, err := httpRemote.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return response, err
	}
	if response.StatusCode != http.StatusOK {
		return response, fmt.Errorf("%s: %s: %q", j.url, response.Status, said)
	}
	return response, json.Unmarshal(said, j.answer)
}

// dialRemote connects to a client on loopback, for one question and answer.
func dialRemote(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{Timeout: answerTime}
	conn, err := dialer.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(answerTime))
}

// countBits counts the pieces of a bitfield.
func countBits(bitfield []byte) (pieces int) {
	for _, b := range bitfield {
		pieces += bits.OnesCount8(b)
	}
	return pieces
}
