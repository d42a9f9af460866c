package realclient

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"btda/recorder/swarmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newHistory gives a client of a torrent with 10 pieces that noted some numbers of pieces, one a second.
func newHistory(o Options, pieces ...int) *Client {
	o.Payload = &swarmtest.Payload{PieceCount: 10}
	c := &Client{Options: o, begun: make(chan struct{}), reached: make(chan struct{})}
	for i, n := range pieces {
		c.note(swarmtest.Progress{Time: time.Unix(int64(i), 0), Pieces: n})
	}
	return c
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestHistory(t *testing.T) {
	c := newHistory(Options{Goal: 10}, 0, 0, 3, 9, 9, 10, 10)
	want := []swarmtest.Progress{{Time: time.Unix(0, 0)}, {Time: time.Unix(2, 0), Pieces: 3}, {Time: time.Unix(3, 0), Pieces: 9}, {Time: time.Unix(5, 0), Pieces: 10}}
	if got := c.History(); !slices.Equal(got, want) {
		t.Errorf("history %v, want %v", got, want)
	}
	if !c.Finished() || !isClosed(c.reached) || c.Pieces() != 10 {
		t.Errorf("finished %v, reached %v, %d pieces", c.Finished(), isClosed(c.reached), c.Pieces())
	}
	for pieces, want := range map[int]Crossing{1: {time.Unix(0, 0), time.Unix(2, 0)}, 4: {time.Unix(2, 0), time.Unix(3, 0)}, 10: {time.Unix(3, 0), time.Unix(5, 0)}} {
		if got, ok := c.CrossedAt(pieces); !ok || got != want {
			t.Errorf("%d pieces at %v, %v, want %v", pieces, got, ok, want)
		}
	}
}

// A client that checks what it has has not begun, and one that stops half way has not finished.
func TestPartsOfClients(t *testing.T) {
	checking := newHistory(Options{Goal: 10, Begun: 10}, 0, 4)
	if isClosed(checking.begun) {
		t.Error("a client began before it knew what it has")
	}
	full := newHistory(Options{Goal: 10, Begun: 10}, 0, 4, 10)
	if _, crossed := full.CrossedAt(5); full.Finished() || crossed || !isClosed(full.reached) {
		t.Errorf("%v was counted as a download", full.History())
	}
	half := newHistory(Options{Goal: 5}, 0, 5, 6)
	if half.Finished() || !isClosed(half.reached) {
		t.Errorf("a client that wants half of the pieces: %v", half.History())
	}
}

func TestLineWriter(t *testing.T) {
	var lines []string
	w := &lineWriter{take: func(line []byte) { lines = append(lines, string(line)) }}
	for _, part := range []string{"on", "e\ntwo\n", "", "thr", "ee\nrest"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
}

func TestCountBits(t *testing.T) {
	if got := countBits([]byte{0xff, 0, 0x81}); got != 10 {
		t.Errorf("%d bits, want 10", got)
	}
}
