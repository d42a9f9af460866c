package realclient

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"btda/recorder/swarmtest"
)

// aria2 is controlled by JSON-RPC over HTTP, which it serves on 127.0.0.1.
type aria2 struct{ url string }

func (a *aria2) launch(ctx context.Context, c *Client) (launch, error) {
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	port, err := swarmtest.FreePort(ctx, local)
	a.url = fmt.Sprintf("http://%v/jsonrpc", netip.AddrPortFrom(local, port))
	if err != nil {
		return launch{}, err
	}
	dht, err := a.dht(ctx, c)
	return launch{path: "aria2c", args: append([]string{
		"--no-conf", "--dir=" + c.content(), "--file-allocation=none", "--check-integrity=true", "--allow-overwrite=true",
		"--interface=" + c.Address.String(), "--disable-ipv6=true", "--async-dns=false", "--listen-port=" + strconv.Itoa(int(c.Port)),
		"--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=true",
		"--seed-ratio=0.0", "--max-download-limit=" + strconv.Itoa(c.Rate), "--stop-with-process=" + strconv.Itoa(os.Getpid()),
		"--enable-rpc=true", "--rpc-listen-all=false", "--rpc-listen-port=" + strconv.Itoa(int(port)),
		"--log=" + c.Folder + "/aria2-detail.log", "--log-level=info", "--summary-interval=0", "--show-console-readout=false", c.torrent(),
	}, dht...)}, err
}

// dht gives the arguments for the DHT. It begins with one node.
func (a *aria2) dht(ctx context.Context, c *Client) ([]string, error) {
	if !c.DHT {
		return []string{"--enable-dht=false"}, nil
	}
	port, err := swarmtest.FreePort(ctx, c.Address)
	args := []string{"--enable-dht=true", "--dht-listen-port=" + strconv.Itoa(int(port)), "--dht-file-path=" + filepath.Join(c.Folder, "dht.dat")}
	if len(c.Bootstrap) > 0 {
		args = append(args, "--dht-entry-point="+c.Bootstrap[0].String())
	}
	return args, err
}

func (a *aria2) begin(ctx context.Context, c *Client) error {
	_, err := a.pieces(ctx, c)
	return err
}

func (a *aria2) pieces(ctx context.Context, c *Client) (int, error) {
	var said struct {
		Result []struct {
			Bitfield  string `json:"bitfield"` // in hexadecimal digits
			Verifying string `json:"verifyIntegrityPending"`
			Verified  string `json:"verifiedLength"`
		} `json:"result"`
		Error struct{ Message string } `json:"error"`
	}
	ask := map[string]any{"jsonrpc": "2.0", "id": "1", "method": "aria2.tellActive"}
	if _, err := (jsonCall{url: a.url, ask: ask, answer: &said}).do(ctx); err != nil {
		return 0, err
	}
	if said.Error.Message != "" {
		return 0, errors.New(said.Error.Message)
	}
	if len(said.Result) != 1 {
		return 0, fmt.Errorf("it has %d active downloads", len(said.Result))
	}
	if r := said.Result[0]; r.Verifying != "" || r.Verified != "" {
		return 0, errors.New("it is checking its content")
	}
	bits, err := hex.DecodeString(said.Result[0].Bitfield)
	return countBits(bits), err
}
