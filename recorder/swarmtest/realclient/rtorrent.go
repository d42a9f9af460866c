package realclient

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"btda/recorder/swarmtest"
)

// rtorrent is controlled by XML-RPC over SCGI.
type rtorrent struct {
	address netip.AddrPort
	slowed  bool
}

const rtorrentConfig = `network.bind_address.set = %[1]v
network.local_address.set = %[1]v
network.port_range.set = %[2]d-%[2]d
network.port_random.set = no
dht.mode.set = disable
protocol.pex.set = yes
protocol.encryption.set = allow_incoming,try_outgoing,enable_retry
trackers.use_udp.set = no
throttle.global_down.max_rate.set_kb = %[3]d
throttle.max_uploads.set = 100
directory.default.set = %[4]s
session.path.set = %[5]s
network.scgi.open_port = %[6]v
system.daemon.set = true
`

func (r *rtorrent) launch(ctx context.Context, c *Client) (launch, error) {
	port, err := swarmtest.FreePort(ctx, c.Address)
	if err != nil {
		return launch{}, err
	}
	r.address = netip.AddrPortFrom(c.Address, port)
	session, config := filepath.Join(c.Folder, "session"), filepath.Join(c.Folder, "rtorrent.rc")
	if err := os.MkdirAll(session, 0o755); err != nil {
		return launch{}, err
	}
	text := fmt.Sprintf(rtorrentConfig, c.Address, c.Port, c.Rate/1024, c.content(), session, r.address)
	return launch{path: "rtorrent", args: []string{"-n", "-o", "import=" + config}}, os.WriteFile(config, []byte(text), 0o644)
}

func (r *rtorrent) begin(ctx context.Context, c *Client) error {
	_, err := r.call(ctx, "load.start", "", c.torrent())
	return err
}

func (r *rtorrent) pieces(ctx context.Context, c *Client) (int, error) {
	said, err := r.call(ctx, "d.completed_chunks", strings.ToUpper(c.Payload.InfoHash.String()))
	if err != nil {
		return 0, err
	}
	pieces, err := strconv.Atoi(said)
	if err != nil || c.SlowFrom == 0 || pieces < c.SlowFrom || r.slowed {
		return pieces, err
	}
	r.slowed = true
	_, err = r.call(ctx, "throttle.global_down.max_rate.set", "", strconv.Itoa(c.SlowRate))
	return pieces, err
}

// methodCall and methodResponse are those of XML-RPC, for texts as parameters and one value as result.
type (
	methodCall struct {
		XMLName xml.Name `xml:"methodCall"`
		Method  string   `xml:"methodName"`
		Params  []param  `xml:"params>param"`
	}
	param struct {
		Text string `xml:"value>string"`
	}
	methodResponse struct {
		Value struct {
			Long string `xml:"i8"`
			Int  string `xml:"i4"`
		} `xml:"params>param>value"`
		Fault *struct {
			Text string `xml:",innerxml"`
		} `xml:"fault"`
	}
)

// call calls a method and gives its result, which is a number.
func (r *rtorrent) call(ctx context.Context, method string, params ...string) (string, error) {
	ask := methodCall{Method: method}
	for _, p := range params {
		ask.Params = append(ask.Params, param{p})
	}
	body, err := xml.Marshal(ask)
	if err != nil {
		return "", err
	}
	conn, err := dialRemote(ctx, r.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	header := fmt.Sprintf("CONTENT_LENGTH\x00%d\x00SCGI\x001\x00", len(body))
	if _, err := fmt.Fprintf(conn, "%d:%s,%s", len(header), header, body); err != nil {
		return "", err
	}
	said, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	_, document, _ := strings.Cut(string(said), "\r\n\r\n")
	var response methodResponse
	if err := xml.Unmarshal([]byte(document), &response); err != nil {
		return "", fmt.Errorf("%s: %w in %q", method, err, said)
	}
	if response.Fault != nil {
		return "", fmt.Errorf("%s: %s", method, response.Fault.Text)
	}
	return response.Value.Long + response.Value.Int, nil
}
