package eventlog

import (
	"bufio"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"btda/events"
)

var kills = flag.Int("kills", 5, "how often TestKill kills a recording process")

// report is what the appender says of an acknowledged event.
type report struct {
	Seq     events.Seq
	Session events.SessionNumber
	Piece   events.PieceIndex
}

// appendUntilKilled appends from several goroutines, some of which wait for each event to be acknowledged, and reports
// what is.
func appendUntilKilled(dir string) {
	l, err := Create(dir, Options{SyncInterval: time.Millisecond})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, err := l.Append(ctx, l.Now(), &events.RunStarted{Run: testRun}); err != nil {
		panic(err)
	}
	var out sync.Mutex
	for session := range events.SessionNumber(6) {
		go func() {
			for piece := events.PieceIndex(0); ; piece++ {
				seq, err := l.Append(ctx, l.Now(), &events.HaveReceived{Session: session, Piece: piece})
				if err == nil && (session%2 == 0 || piece%1000 == 0) {
					err = l.WaitDurable(ctx, seq)
					out.Lock()
					binary.Write(os.Stdout, binary.BigEndian, report{seq, session, piece})
					out.Unlock()
				}
				if err != nil {
					panic(err)
				}
			}
		}()
	}
	select {}
}

// TestKill kills a recording process at random moments: the log opens, verifies, and holds every event that the
// process had reported as acknowledged. 50 times:
//
//	go test ./events/eventlog -run Kill -kills 50
func TestKill(t *testing.T) {
	n := *kills
	if testing.Short() {
		n = 1
	}
	for range n {
		seed := rand.Uint64()
		dir := filepath.Join(t.TempDir(), "log")
		reports := killOnce(t, dir, rand.New(rand.NewPCG(seed, 0)))
		v, err := Verify(dir, Options{})
		if err != nil || v.Sealed {
			t.Fatalf("seed %#x: %v, %v", seed, v, err)
		}
		if err := holds(dir, reports); err != nil {
			t.Fatalf("seed %#x: %v", seed, err)
		}
		t.Logf("killed after %d reports: %v", len(reports), v)
	}
}

// killOnce runs an appender, kills it, and returns its reports.
func killOnce(t *testing.T, dir string, rng *rand.Rand) (reports []report) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childRole+"="+roleAppender, "BTDA_EVENTLOG_TEST_DIR="+dir)
	child.Stderr = os.Stderr
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(pipe)
	for wanted := 1 + rng.IntN(3000); ; {
		var r report
		if err := binary.Read(in, binary.BigEndian, &r); err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if reports = append(reports, r); len(reports) == wanted {
			if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
				t.Errorf("opened while another process writes it: %v", err)
			}
			child.Process.Kill()
		}
	}
	child.Wait() // killed
	return reports
}

// holds looks for reported events in a log.
func holds(dir string, reports []report) error {
	r, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	want := map[events.Seq]report{}
	for _, r := range reports {
		want[r.Seq] = r
	}
	s := r.Scan(1)
	defer s.Close()
	for s.Next() {
		seq := s.Record().Seq
		if w, ok := want[seq]; ok {
			if h, ok := s.Record().Event.(*events.HaveReceived); !ok || *h != (events.HaveReceived{Session: w.Session, Piece: w.Piece}) {
				return fmt.Errorf("record %d is %v, reported was %v", seq, s.Record().Event, w)
			}
			delete(want, seq)
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("%d of %d acknowledged events are missing", len(want), len(reports))
	}
	return s.Err()
}
