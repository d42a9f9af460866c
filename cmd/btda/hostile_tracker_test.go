package main_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// hostileTracker is a tracker that means harm, and what must be in the log about it: of each line, all parts in one event.
type hostileTracker struct {
	name   string
	answer http.HandlerFunc
	want   [][]string
}

func refusedAs(reason string) [][]string {
	return facts("TrackerAnnounceFailed event=started reason="+reason, "TrackerAnnounceFailed event=stopped reason="+reason)
}

var hostileTrackers = []hostileTracker{
	{"a list", answering("l5:peerse"), refusedAs("malformed")},
	{"a deep nest", answering(strings.Repeat("l", 3<<20)), refusedAs("malformed")},
	{"a long string prefix", answering("d5:peers2147483647:e"), refusedAs("malformed")},
	{"a huge body", func(w http.ResponseWriter, _ *http.Request) {
		for block := bytes.Repeat([]byte("d"), 64<<10); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}, refusedAs("too-large")},
	{"a slow drip", drip, refusedAs("timeout")},
	{"redirects without end", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, refusedAs("redirect")},
	{"a gzip bomb", answerGzipBomb, refusedAs("unsupported-encoding")},
	{"a megabyte of failure reason", answering("d14:failure reason1000000:" + strings.Repeat("x", 1_000_000) + "e"), refusedAs("tracker-failure")},
	{"negative intervals", answering("d8:intervali-9e12:min intervali-99999999999e8:completei-1e5:peers0:e"),
		facts("TrackerAnnounced event=started", "TrackerAnnounced event=stopped")},
	{"absurd intervals", answering("d8:intervali9223372036854775807e12:min intervali9223372036854775806e5:peers0:e"),
		facts("TrackerAnnounced event=started interval=9223372036854775807 min-interval=9223372036854775806")},
	{"an interval of more than 64 bits", answering("d8:intervali99999999999999999999999e5:peers0:e"), refusedAs("malformed")},
	{"junk addresses", answering("d8:intervali1800e5:peers18:" + "\x00\x00\x00\x00\x1a\xe1" + "\xe0\x00\x00\x01\x1a\xe1" + "\x7f\x00\x00\x09\x00\x00" +
		"6:peers619:" + strings.Repeat("\x00", 19) + "e"),
		facts("TrackerAnnounced event=started", "AddressRejected reason=unspecified-address", "AddressRejected reason=multicast", "AddressRejected reason=port-zero")},
}

func answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// drip says a byte every tenth of a second until the recorder hangs up.
func drip(w http.ResponseWriter, r *http.Request) {
	ticker := time.NewTicker(time.Second / 10)
	defer ticker.Stop()
	for {
		_, _ = io.WriteString(w, "d")
		w.(http.Flusher).Flush()
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}

// gzipBomb is 3 MB that unpack to 3 GB: one stream of many members.
var gzipBomb = sync.OnceValue(func() []byte {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	if _, err := w.Write(make([]byte, 10<<20)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return bytes.Repeat(member.Bytes(), 300)
})

func answerGzipBomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(gzipBomb())
}

// startHostileTracker gives the announce URL of a tracker, and a channel that is closed when it was asked for the first time and
// its answer has ended.
func startHostileTracker(t *testing.T, h hostileTracker) (url string, shown <-chan struct{}) {
	t.Helper()
	ended := make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r)
		once.Do(func() { close(ended) })
	}))
	t.Cleanup(server.Close)
	return server.URL + "/announce", ended
}
