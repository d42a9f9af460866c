package mse_test

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	library "github.com/anacrolix/torrent/mse"

	"btda/events"
	"btda/recorder/mse"
)

const patience = 10 * time.Second

var (
	ours  = events.InfoHash([]byte("info hash of a swarm"))
	other = events.InfoHash([]byte("another swarm's hash"))
)

// connected gives both ends of a connection over loopback, which end by themselves if a test does not end them.
func connected(t testing.TB) (us, them net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if them, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if us, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{us, them} {
		c.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { c.Close() })
	}
	return us, them
}

func receiver(rc4Only bool) *mse.Receiver {
	return mse.NewReceiver(mse.ReceiverOptions{Torrents: slices.Values([]events.InfoHash{other, ours}), RC4Only: rc4Only})
}

// converse holds that both sides understand each other. theirs is what the library made of the other end.
func converse(t *testing.T, us *mse.Conn, theirs io.ReadWriter) {
	t.Helper()
	texts := []string{"x", strings.Repeat("a longer text ", 100), "end"}
	var said sync.WaitGroup
	for _, w := range []io.Writer{us, theirs} {
		said.Go(func() {
			for _, text := range texts {
				if _, err := io.WriteString(w, text); err != nil {
					t.Error(err)
				}
			}
		})
	}
	want := strings.Join(texts, "")
	for _, r := range []io.Reader{us, theirs} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Errorf("read %q (%v)", got, err)
		}
	}
	said.Wait()
}

var methods = []struct {
	name    string
	offered library.CryptoMethod
	rc4Only bool
	want    events.Encryption // 0 where there is no agreement
}{
	{"plain text", library.CryptoMethodPlaintext, false, events.MSEPlaintext},
	{"rc4", library.CryptoMethodRC4, false, events.MSERC4},
	{"both", library.AllSupportedCrypto, false, events.MSEPlaintext},
	{"both, where we insist on rc4", library.AllSupportedCrypto, true, events.MSERC4},
	{"plain text, where we insist on rc4", library.CryptoMethodPlaintext, true, 0},
	{"something newer", 4, false, 0},
}

func TestReceivedFromTheReference(t *testing.T) {
	for _, m := range methods {
		t.Run(m.name, func(t *testing.T) {
			us, them := connected(t)
			type answer struct {
				stream io.ReadWriter
				err    error
			}
			answers := make(chan answer, 1)
			go func() {
				stream, _, err := library.InitiateHandshake(them, ours[:], []byte("sent along,"), m.offered)
				answers <- answer{stream, err}
			}()
			first := make([]byte, 5)
			if _, err := io.ReadFull(us, first); err != nil {
				t.Fatal(err)
			}
			conn, err := receiver(m.rc4Only).Receive(t.Context(), us, first)
			if m.want == 0 {
				us.Close()
				if <-answers; reasonOf(err) != events.ReasonUnknownProtocol {
					t.Errorf("error %v", err)
				}
				return
			}
			theirs := <-answers
			if err != nil || theirs.err != nil {
				t.Fatalf("we: %v, they: %v", err, theirs.err)
			}
			if conn.Encryption != m.want || conn.InfoHash != ours {
				t.Errorf("%v for %q", conn.Encryption, conn.InfoHash)
			}
			along := make([]byte, len("sent along,"))
			if _, err := io.ReadFull(conn, along); err != nil || string(along) != "sent along," {
				t.Errorf("sent along: %q, %v", along, err)
			}
			converse(t, conn, theirs.stream)
		})
	}
}

func TestInitiatedWithTheReference(t *testing.T) {
	for _, m := range methods[:2] {
		t.Run(m.name, func(t *testing.T) {
			us, them := connected(t)
			theirs := make(chan io.ReadWriter, 1)
			go func() {
				keys := func(yield func([]byte) bool) { _ = yield(other[:]) && yield(ours[:]) }
				stream, _, err := library.ReceiveHandshake(t.Context(), them, keys, func(library.CryptoMethod) library.CryptoMethod { return m.offered })
				if err != nil {
					t.Error(err)
				}
				theirs <- stream
			}()
			conn, err := mse.Initiator{Torrent: ours}.Initiate(us)
			if err != nil {
				t.Fatal(err)
			}
			if conn.Encryption != m.want {
				t.Errorf("%v", conn.Encryption)
			}
			converse(t, conn, <-theirs)
		})
	}
}

// A cipher that went ahead of the connection would make nonsense of all that follows, and the library would fail on it.
func TestAWriteThatFailedIsTheLast(t *testing.T) {
	us, them := connected(t)
	go library.InitiateHandshake(them, ours[:], nil, library.CryptoMethodRC4)
	conn, err := receiver(false).Receive(t.Context(), us, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetWriteDeadline(time.Unix(1, 0))
	_, first := conn.Write(bytes.Repeat([]byte("x"), 100))
	conn.SetWriteDeadline(time.Now().Add(patience))
	n, err := conn.Write([]byte("more"))
	if reasonOf(first) != events.ReasonTimeout || reasonOf(err) != events.ReasonTimeout || n != 0 {
		t.Errorf("errors %v, then %v, %d bytes", first, err, n)
	}
}
