package tracker

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"btda/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func realNow() events.Time { return events.TimeOf(time.Now()) }

// testClient has a patience that no test with a well-behaved tracker comes near.
func testClient(change ...func(*Config)) *Client {
	c := Config{PeerID: events.PeerID([]byte("-BT0001-abcdefghijkl")), Port: 6884, Timeout: 20 * time.Second, Now: realNow}
	for _, f := range change {
		f(&c)
	}
	return NewClient(c)
}

var testHash = events.InfoHash([]byte("\x00\x12 %&+aZ~-._\xff\x80/?#=*9"))

func testRequest() Request {
	return Request{Torrent: 7, InfoHash: testHash, Event: events.AnnounceStarted, Sizes: Sizes{Downloaded: 50, Left: 51, Uploaded: 20}}
}

// served starts a tracker and gives its address with the scheme.
func served(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// saying is a tracker that answers everything with one body.
func saying(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}
