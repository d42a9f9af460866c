package eventlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

// offer offers a log at a short path.
func offer(t testing.TB, l *Log) (e *Endpoint, path string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "btda")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path = filepath.Join(folder, "log.sock")
	if e, err = Offer(l, path); err != nil {
		t.Fatal(err)
	}
	return e, path
}

// leave closes an endpoint; followers have as long as the test to hang up.
func leave(t testing.TB, e *Endpoint) {
	t.Helper()
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func dial(t testing.TB, path string) *Remote {
	t.Helper()
	r, err := Dial(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What comes through an endpoint while it is written is what the log holds.
func TestRemoteReadsAGrowingLog(t *testing.T) {
	const last = 3000
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond, BlockEvents: 64})
	e, path := offer(t, l)
	digest := make(chan [32]byte, 1)
	go func() {
		r := dial(t, path)
		defer closed(t, r)
		definitions := r.Definitions(t.Context())
		if !definitions.Next() || definitions.Record().Run != testRun || definitions.Next() || definitions.Err() != nil || definitions.Reach() == 0 {
			t.Errorf("definitions %+v, reach %d: %v", definitions.Record(), definitions.Reach(), definitions.Err())
		}
		closed(t, definitions)
		s := r.Scan(t.Context(), 1)
		wantHaves(t, s, 1, last)
		if !r.Sealed() {
			t.Error("the end is not known as sealed")
		}
		wantHaves(t, r.Scan(t.Context(), 1000), 1000, last)
		digest <- s.Digest()
	}()
	for i := range last - 1 {
		must(t, l, have(i))
	}
	whole := l.Scan(t.Context(), 1)
	closed(t, l)
	wantHaves(t, whole, 1, last)
	if got := <-digest; got != whole.Digest() {
		t.Error("another content digest")
	}
	leave(t, e)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// Answers are cut, and go on where they were cut.
func TestLongAnswersAreCut(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond})
	big := &events.TorrentAdded{Torrent: 1, DisplayName: strings.Repeat("x", 700<<10)}
	for range 16 {
		must(t, l, big)
	}
	if err := l.WaitDurable(t.Context(), 17); err != nil {
		t.Fatal(err)
	}
	e, path := offer(t, l)
	r := dial(t, path)
	for _, s := range []*Scanner{r.Definitions(t.Context()), r.Scan(t.Context(), 1)} {
		for want := range events.Seq(17) {
			if !s.Next() || s.Record().Seq != want+1 {
				t.Fatalf("record %d, want %d: %v", s.Record().Seq, want+1, s.Err())
			}
		}
		closed(t, s)
	}
	closed(t, r)
	leave(t, e)
	closed(t, l)
}

func TestSocketIsOfTheOwnerOnly(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem()})
	defer closed(t, l)
	e, path := offer(t, l)
	defer leave(t, e)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode %v, %v; want that of a socket of the owner", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("beside the socket there are %v", left)
	}
	if _, err := Offer(l, path); err == nil || !strings.Contains(err.Error(), "another recorder") {
		t.Errorf("a second endpoint at one path: error %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Offer(l, file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("an endpoint in place of a file: error %v", err)
	}
	if _, err := Offer(l, filepath.Join(t.TempDir(), strings.Repeat("long", 20))); err == nil || !strings.Contains(err.Error(), "at most 80 bytes") {
		t.Errorf("a long path: error %v", err)
	}
}

// A recorder that was killed leaves its socket, on which nobody listens.
func TestSocketOfAKilledRecorderIsReplaced(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem()})
	defer closed(t, l)
	folder, err := os.MkdirTemp("", "btda")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "log.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	closed(t, listener)
	if _, err := Dial(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no recorder offers") {
		t.Errorf("nobody listens: error %v", err)
	}
	e, err := Offer(l, path)
	if err != nil {
		t.Fatal(err)
	}
	leave(t, e)
}

// Followers that say nothing, or do not take their answers, hold up neither the writer nor the end; others find no place.
func TestEndpointBearsIdleFollowers(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond})
	e, path := offer(t, l)
	must(t, l, have(0))
	var all []*Remote
	for range maxRemotes {
		all = append(all, dial(t, path))
	}
	if _, err := Dial(t.Context(), path); err == nil || !strings.Contains(err.Error(), "serves too many") {
		t.Errorf("one too many: error %v", err)
	}
	if _, err := all[0].conn.Write(bytes.Repeat(question{what: askRecords, from: 1}.encode(), 1000)); err != nil {
		t.Fatal(err)
	}
	must(t, l, have(1))
	closed(t, l)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := e.Close(ended); err != nil {
		t.Error(err)
	}
	for _, r := range all[1:] {
		s := r.Scan(t.Context(), 1)
		if s.Next() || s.Err() == nil {
			t.Error("a follower was not hung up on")
		}
		closed(t, s)
	}
	for _, r := range all {
		closed(t, r)
	}
}

func TestRemoteStopsWhenItIsToldTo(t *testing.T) {
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond})
	must(t, l, have(0))
	e, path := offer(t, l)
	r := dial(t, path)
	ctx, stop := context.WithCancelCause(t.Context())
	s := r.Scan(ctx, 1)
	for range 2 {
		if !s.Next() {
			t.Fatal(s.Err())
		}
	}
	time.AfterFunc(time.Millisecond, func() { stop(errors.New("enough")) })
	if s.Next() || s.Err() == nil || !strings.Contains(s.Err().Error(), "enough") {
		t.Errorf("error %v, want the cause", s.Err())
	}
	closed(t, r)
	leave(t, e)
	closed(t, l)
}

// remoteFrom is a recorder that says some bytes, whatever it is asked.
func remoteFrom(data []byte) (r *Remote, ended <-chan struct{}) {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	go func() {
		defer close(done)
		_, _ = theirs.Write(data)
		theirs.Close()
	}()
	return &Remote{conn: ours, path: "fuzz"}, done
}

// FuzzRemote reads from a recorder that says anything: that ends, with records in their order or an error.
func FuzzRemote(f *testing.F) {
	for name, seed := range remoteSeeds(f) {
		f.Add(seed)
		if *corpus {
			writeSeed(f, "FuzzRemote/"+name, seed)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, done := remoteFrom(data)
		if err := r.during(t.Context(), r.readGreeting); err == nil {
			for _, s := range []*Scanner{r.Definitions(t.Context()), r.Scan(t.Context(), 1)} {
				last := events.Seq(0)
				for s.Next() {
					if s.Record().Seq <= last {
						t.Fatalf("record %d after record %d", s.Record().Seq, last)
					}
					last = s.Record().Seq
				}
				if s.Err() == nil && last > s.Reach() {
					t.Fatalf("record %d, durable to %d", last, s.Reach())
				}
				closed(t, s)
			}
		}
		closed(t, r)
		<-done
	})
}

// remoteSeeds are what a recorder says to one that asks for definitions, and then for records, and the same damaged.
func remoteSeeds(t testing.TB) map[string][]byte {
	l := start(t, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond, BlockEvents: 3})
	must(t, l, &events.TorrentAdded{Torrent: 1})
	for i := range 5 {
		must(t, l, have(i))
	}
	e, path := offer(t, l)
	closed(t, l)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []question{{askDefinitions, 1}, {askRecords, 1}, {askRecords, 8}} {
		if _, err := conn.Write(q.encode()); err != nil {
			t.Fatal(err)
		}
	}
	said := make([]byte, greetingSize)
	r := bufio.NewReader(io.TeeReader(conn, writerTo{&said}))
	said = said[:0]
	if _, err := io.ReadFull(r, make([]byte, greetingSize)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := readAnswer(r); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, conn)
	leave(t, e)
	cut := append([]byte{}, said[:len(said)-20]...)
	failed := append(append([]byte{}, said[:greetingSize]...), itemFailure, 0, 0, 0, 2, 'n', 'o')
	long := append(append([]byte{}, said[:greetingSize]...), itemValue, 0xff, 0xff, 0xff, 0xff)
	endless := append(append([]byte{}, said[:greetingSize]...), bytes.Repeat([]byte{itemEnd, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 9, endMore}, 3)...)
	return map[string][]byte{"whole": said, "cut": cut, "failure": failed, "long": long, "endless": endless}
}

// writerTo appends what is written.
type writerTo struct{ to *[]byte }

func (w writerTo) Write(p []byte) (int, error) {
	*w.to = append(*w.to, p...)
	return len(p), nil
}

// FuzzQuestions asks a recorder anything: whatever it answers is an answer, and the log goes on.
func FuzzQuestions(f *testing.F) {
	for name, seed := range map[string][]byte{
		"both": append(question{askDefinitions, 0}.encode(), question{askRecords, 1}.encode()...),
		"far":  append(question{askRecords, 1 << 63}.encode(), "r"...),
		"http": []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		f.Add(seed)
		if *corpus {
			writeSeed(f, "FuzzQuestions/"+name, seed)
		}
	}
	l := start(f, "/log", Options{FS: vfs.NewMem(), SyncInterval: time.Millisecond, BlockEvents: 3})
	for i := range 10 {
		must(f, l, have(i))
	}
	e, path := offer(f, l)
	closed(f, l)
	f.Cleanup(func() { leave(f, e) })
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 100*questionSize)]
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.ReadFull(conn, make([]byte, greetingSize)); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = conn.Write(data)
			_ = conn.CloseWrite()
		}()
		for {
			if _, err := readAnswer(conn); errors.Is(err, errProtocol) {
				t.Fatal(err)
			} else if err != nil {
				return
			}
		}
	})
}
