package eventlog

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	maxRemotes    = 8                // that are served at one time
	longestPath   = 80               // bytes; systems allow about 100, some of which are needed meanwhile
	answerTimeout = 30 * time.Second // for a follower to take an answer
)

// Endpoint offers a log that is being written to other processes of the same user, on a Unix socket that only the owner may use. A slow or
// hostile one costs a place among a few and some buffers; it never makes the writer wait.
type Endpoint struct {
	log      *Log
	path     string
	listener net.Listener
	file     os.FileInfo // of the socket
	hold     *Scanner    // keeps the folder open
	ctx      context.Context
	hangUp   context.CancelFunc
	places   chan struct{}
	group    sync.WaitGroup
}

// Offer begins to offer a log at the path of a socket. One that a recorder left behind that was killed is replaced. The caller closes it, after
// the log, so that followers get its end.
func Offer(l *Log, path string) (*Endpoint, error) {
	listener, err := listenPrivately(path)
	if err != nil {
		return nil, fmt.Errorf("the log cannot be offered at %s: %w", path, err)
	}
	e := &Endpoint{log: l, path: path, listener: listener, places: make(chan struct{}, maxRemotes), hold: l.Scan(context.Background(), 1)}
	if e.file, err = os.Lstat(path); err != nil {
		return nil, errors.Join(err, listener.Close(), e.hold.Close())
	}
	e.ctx, e.hangUp = context.WithCancel(context.Background())
	e.group.Go(e.accept)
	return e, nil
}

// listenPrivately makes the socket where nobody else can come, takes the rights of others from it, and only then gives it its name.
func listenPrivately(path string) (net.Listener, error) {
	if len(path) > longestPath {
		return nil, fmt.Errorf("the path of a socket has at most %d bytes here: name a shorter one", longestPath)
	}
	if err := checkVacant(path); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".btda")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	hidden := filepath.Join(folder, "s")
	listener, err := net.Listen("unix", hidden)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err = os.Chmod(hidden, 0o600); err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// checkVacant refuses a path at which there is something else than a socket that nobody listens on.
func checkVacant(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is a file that is no socket: name another path")
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	return errors.Join(errors.New("another recorder offers its log there: name another path"), conn.Close())
}

func (e *Endpoint) accept() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return // it is closed
		}
		select {
		case e.places <- struct{}{}:
			e.group.Go(func() {
				e.serve(conn)
				<-e.places
			})
		default:
			_ = conn.Close() // they come from the same user
		}
	}
}

// serve answers one follower until it hangs up.
func (e *Endpoint) serve(conn net.Conn) {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	questions := make(chan question)
	e.group.Go(func() {
		defer cancel() // an answer that nobody waits for
		defer close(questions)
		for {
			q, err := readQuestion(conn)
			if err != nil {
				return
			}
			select {
			case questions <- q:
			case <-ctx.Done():
				return
			}
		}
	})
	w := bufio.NewWriterSize(conn, 64<<10)
	if err := e.log.WaitDurable(ctx, 1); err != nil {
		return
	}
	run := e.log.Run()
	_, _ = w.Write(append(append([]byte(endpointMagic), endpointVersion), run[:]...))
	for ok := e.flush(conn, w); ok; ok = e.flush(conn, w) {
		q, asked := <-questions
		if !asked {
			return
		}
		_ = conn.SetWriteDeadline(time.Time{})
		if err := e.answer(ctx, conn, w, q); err != nil {
			writeItem(w, itemFailure, shortened(err.Error()))
			e.flush(conn, w)
			return
		}
	}
}

func shortened(text string) []byte { return []byte(text[:min(len(text), maxFailure)]) }

// flush sends what was written, in time.
func (e *Endpoint) flush(conn net.Conn, w *bufio.Writer) bool {
	_ = conn.SetWriteDeadline(time.Now().Add(answerTimeout))
	return w.Flush() == nil
}

// answer writes one answer. The error is one of the log.
func (e *Endpoint) answer(ctx context.Context, conn net.Conn, w *bufio.Writer, q question) error {
	space := spaceDefinition
	if q.what == askRecords {
		space = spaceBlock
		if err := unlessClosed(e.log.WaitDurable(ctx, q.from)); err != nil {
			return err
		}
	}
	_ = conn.SetWriteDeadline(time.Now().Add(answerTimeout))
	sealed := e.log.Sealed() // before: more may become durable after
	reach := e.log.Durable()
	var flags byte
	if q.from <= reach {
		more, err := e.values(w, stored{store: e.log.store, space: space, from: q.from, until: reach})
		if err != nil {
			return err
		}
		if more {
			flags |= endMore
		}
	}
	if sealed {
		flags |= endSealed
	}
	writeItem(w, itemEnd, append(binary.BigEndian.AppendUint64(nil, uint64(reach)), flags))
	return nil
}

// values writes stored values, and reports whether there are more than fit.
func (e *Endpoint) values(w *bufio.Writer, values stored) (more bool, err error) {
	defer func() { err = errors.Join(err, values.close()) }()
	for size := 0; size < answerBytes; {
		key, value, ok, err := values.next()
		if err != nil || !ok {
			return false, err
		}
		if seq, err := keySeq(key); err != nil || values.space == spaceDefinition && seq < values.from {
			if err != nil {
				return false, err
			}
			continue
		}
		writeItem(w, itemValue, value)
		size += itemHeader + len(value)
	}
	return true, nil
}

// Close takes the socket away, waits until every follower has hung up, as it does at the end of the log, and hangs up itself when ctx is done.
func (e *Endpoint) Close(ctx context.Context) error {
	err := e.listener.Close()
	if now, missing := os.Lstat(e.path); missing == nil && os.SameFile(now, e.file) {
		err = errors.Join(err, os.Remove(e.path))
	}
	stop := context.AfterFunc(ctx, e.hangUp)
	e.group.Wait()
	stop()
	e.hangUp()
	return errors.Join(err, e.hold.Close())
}
