package realclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"

	"btda/recorder/swarmtest"
)

// transmission is controlled by its RPC over HTTP.
type transmission struct {
	url   string
	token string // that its RPC wants to be told again
}

func (t *transmission) launch(ctx context.Context, c *Client) (launch, error) {
	port, err := swarmtest.FreePort(ctx, c.Address)
	if err != nil {
		return launch{}, err
	}
	t.url = fmt.Sprintf("http://%v/transmission/rpc", netip.AddrPortFrom(c.Address, port))
	encryption := 1 // preferred
	if c.Encrypts {
		encryption = 2 // required
	}
	settings := map[string]any{
		"encryption":        encryption,
		"bind-address-ipv4": c.Address.String(), "bind-address-ipv6": "::1", "peer-port": c.Port, "peer-port-random-on-start": false,
		"port-forwarding-enabled": false, "dht-enabled": false, "lpd-enabled": false, "pex-enabled": true, "utp-enabled": false,
		"blocklist-enabled": false, "download-dir": c.content(), "incomplete-dir-enabled": false,
		"speed-limit-down-enabled": c.Rate > 0, "speed-limit-down": c.Rate / 1000, "speed-limit-up-enabled": false,
		"rpc-enabled": true, "rpc-bind-address": c.Address.String(), "rpc-port": port, "rpc-authentication-required": false,
		"rpc-whitelist-enabled": false, "rpc-host-whitelist-enabled": false, "ratio-limit-enabled": false, "idle-seeding-limit-enabled": false,
	}
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return launch{}, err
	}
	err = os.WriteFile(filepath.Join(c.Folder, "settings.json"), text, 0o644)
	return launch{path: "transmission-daemon", args: []string{"--foreground", "--log-info", "--config-dir", c.Folder}}, err
}

func (t *transmission) begin(ctx context.Context, c *Client) error {
	return t.call(ctx, "torrent-add", map[string]any{"filename": c.torrent(), "paused": false}, nil)
}

func (t *transmission) pieces(ctx context.Context, c *Client) (int, error) {
	var found struct {
		Torrents []struct {
			Error       int    `json:"error"`
			ErrorString string `json:"errorString"`
			Pieces      []byte `json:"pieces"` // bitfield
		} `json:"torrents"`
	}
	if err := t.call(ctx, "torrent-get", map[string]any{"fields": []string{"pieces", "error", "errorString"}}, &found); err != nil {
		return 0, err
	}
	if len(found.Torrents) != 1 {
		return 0, fmt.Errorf("it has %d torrents", len(found.Torrents))
	}
	return countBits(found.Torrents[0].Pieces), nil
}

// call calls a method; a first call is told the token for the next ones.
func (t *transmission) call(ctx context.Context, method string, arguments, result any) error {
	var said struct {
		Result    string          `json:"result"`
		Arguments json.RawMessage `json:"arguments"`
	}
	const tokenHeader = "X-Transmission-Session-Id"
	response, err := jsonCall{
		url: t.url, header: http.Header{tokenHeader: {t.token}}, answer: &said,
		ask: map[string]any{"method": method, "arguments": arguments},
	}.do(ctx)
	if response != nil && response.StatusCode == http.StatusConflict && t.token != response.Header.Get(tokenHeader) {
		t.token = response.Header.Get(tokenHeader)
		return t.call(ctx, method, arguments, result)
	}
	switch {
	case err != nil:
		return err
	case said.Result != "success":
		return errors.New(method + ": " + said.Result)
	case result == nil:
		return nil
	}
	return json.Unmarshal(said.Arguments, result)
}
