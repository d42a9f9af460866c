package realclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"btda/events"
	"btda/input/bencode"
	"btda/recorder/swarmtest"
)

// OpenTracker is a running opentracker. It knows peers by the address from which they announce, over IPv4 only, and asks them to come
// back after about half an hour.
type OpenTracker struct {
	Address netip.AddrPort // of HTTP (TCP) and UDP alike

	process *process
}

// OpenTrackerOptions chooses a tracker.
type OpenTrackerOptions struct {
	Address  netip.Addr        // on loopback
	Folder   string            // in which it gets a folder of its own
	Torrents []events.InfoHash // that it knows; it refuses others
}

// StartOpenTracker starts a tracker and waits until it answers. It runs until Close.
func StartOpenTracker(ctx context.Context, o OpenTrackerOptions) (*OpenTracker, error) {
	port, err := swarmtest.FreePort(ctx, o.Address)
	if err != nil {
		return nil, err
	}
	folder, err := o.furnish()
	if err != nil {
		return nil, err
	}
	t := &OpenTracker{Address: netip.AddrPortFrom(o.Address, port)}
	number := strconv.Itoa(int(port))
	how := launch{name: "opentracker", path: "opentracker", folder: folder,
		args: []string{"-i", o.Address.String(), "-p", number, "-P", number, "-d", folder, "-w", "whitelist"}}
	if t.process, err = how.run(); err != nil {
		return nil, err
	}
	for _, hash := range o.Torrents {
		if err := t.WaitPeers(ctx, hash, 0); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

// furnish writes the list of torrents. Run by root, the tracker becomes nobody and sees no other folder than its own.
func (o OpenTrackerOptions) furnish() (string, error) {
	folder := filepath.Join(o.Folder, "opentracker")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	var list string
	for _, hash := range o.Torrents {
		list += hash.String() + "\n"
	}
	return folder, os.WriteFile(filepath.Join(folder, "whitelist"), []byte(list), 0o644)
}

// URL is the announce URL for a scheme, http or udp.
func (t *OpenTracker) URL(scheme string) string {
	return scheme + "://" + t.Address.String() + "/announce"
}

// Close ends the tracker.
func (t *OpenTracker) Close() error {
	t.process.kill()
	return nil
}

// WaitPeers waits until the tracker knows so many peers of a torrent.
func (t *OpenTracker) WaitPeers(ctx context.Context, hash events.InfoHash, peers int) error {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		known, err := t.peers(ctx, hash)
		if err == nil && known >= peers {
			return nil
		}
		select {
		case <-ticker.C:
		case <-t.process.ended:
			return t.process.failure(errors.New("it ended by itself"))
		case <-ctx.Done():
			return t.process.failure(fmt.Errorf("%d of %d peers announced, %w: %w", known, peers, err, ctx.Err()))
		}
	}
}

// peers asks how many peers of a torrent are known.
func (t *OpenTracker) peers(ctx context.Context, hash events.InfoHash) (int, error) {
	to := "http://" + t.Address.String() + "/scrape?info_hash=" + url.QueryEscape(string(hash[:]))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return 0, err
	}
	response, err := httpRemote.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	var said struct {
		Files map[string]struct {
			Complete   int `bencode:"complete"`
			Incomplete int `bencode:"incomplete"`
		} `bencode:"files"`
	}
	if err := bencode.Unmarshal(body, &said); err != nil {
		return 0, err
	}
	counts := said.Files[string(hash[:])]
	return counts.Complete + counts.Incomplete, nil
}
