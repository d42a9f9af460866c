package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"btda/events"
)

// Remote is a log that another process writes and offers at an endpoint. It is not safe for concurrent use: one scanner reads at a time.
type Remote struct {
	path   string
	conn   net.Conn
	run    events.RunID
	sealed bool
}

// ErrGone says that a recorder hung up before its log came to an end.
var ErrGone = errors.New("the recorder is gone, or serves too many others")

// Dial connects to the endpoint of a recorder, and waits for the first record of its log. Close it.
func Dial(ctx context.Context, path string) (*Remote, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("no recorder offers its log at %s: %w", path, err)
	}
	r := &Remote{path: path, conn: conn}
	if err := r.during(ctx, r.readGreeting); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return r, nil
}

// during talks with the recorder until ctx is done.
func (r *Remote) during(ctx context.Context, talk func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = r.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := talk()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("endpoint %s: %w", r.path, ErrGone)
	}
	return fmt.Errorf("endpoint %s: %w", r.path, err)
}

func (r *Remote) readGreeting() error {
	var b [greetingSize]byte
	if _, err := io.ReadFull(r.conn, b[:]); err != nil {
		return err
	}
	magic, rest := string(b[:len(endpointMagic)]), b[len(endpointMagic):]
	if magic != endpointMagic {
		return errProtocol
	}
	if rest[0] != endpointVersion {
		return fmt.Errorf("the recorder speaks version %d and this program version %d: use the same btda", rest[0], endpointVersion)
	}
	r.run = events.RunID(rest[1:])
	return nil
}

// ask puts a question and gives the answer.
func (r *Remote) ask(ctx context.Context, q question) (a answer, err error) {
	err = r.during(ctx, func() (err error) {
		if _, err := r.conn.Write(q.encode()); err != nil {
			return err
		}
		a, err = readAnswer(r.conn)
		return err
	})
	return a, err
}

// Definitions reads the run and torrent records, as those of a Log.
func (r *Remote) Definitions(ctx context.Context) *Scanner {
	s := r.scanner(ctx, question{what: askDefinitions, from: 1})
	s.definitions = true
	return s
}

// Scan reads the records from a number on, as that of a Log.
func (r *Remote) Scan(ctx context.Context, from events.Seq) *Scanner {
	return r.scanner(ctx, question{what: askRecords, from: max(from, 1)})
}

func (r *Remote) scanner(ctx context.Context, q question) *Scanner {
	return newScanner(nil, func() events.RunID { return r.run }, q.from, &remoteValues{remote: r, ctx: ctx, question: q})
}

// Sealed reports whether the recorder said that the log was closed in order, and a scan came to its end.
func (r *Remote) Sealed() bool { return r.sealed }

// Close hangs up.
func (r *Remote) Close() error { return r.conn.Close() }

// remoteValues gives the values that a recorder answers.
type remoteValues struct {
	remote   *Remote
	ctx      context.Context
	question question // the next
	answer   answer
	key      []byte
}

func (v *remoteValues) next() (key, value []byte, ok bool, err error) {
	if len(v.answer.values) == 0 {
		if v.over() {
			return nil, nil, false, nil
		}
		if v.answer, err = v.remote.ask(v.ctx, v.question); err != nil {
			return nil, nil, false, err
		}
		if len(v.answer.values) == 0 {
			return nil, nil, false, v.end()
		}
	}
	value, v.answer.values = v.answer.values[0], v.answer.values[1:]
	h := getHeader(value)
	last := h.first + events.Seq(h.count) - 1
	if last < v.question.from || last > v.answer.reach {
		return nil, nil, false, fmt.Errorf("%w: records %d to %d, asked from %d, durable to %d", errProtocol, h.first, last, v.question.from, v.answer.reach)
	}
	v.question.from = last + 1
	v.key = seqKey(spaceBlock, h.first)
	return v.key, value, true, nil
}

// over reports whether the last answer had all definitions.
func (v *remoteValues) over() bool {
	return v.question.what == askDefinitions && v.answer.reach > 0 && !v.answer.more
}

// end takes an answer without values: all definitions were told, or the log is closed.
func (v *remoteValues) end() error {
	if v.question.what == askDefinitions && !v.answer.more {
		return nil
	}
	if !v.answer.sealed || v.answer.reach >= v.question.from {
		return fmt.Errorf("%w: nothing from record %d on, durable to %d", errProtocol, v.question.from, v.answer.reach)
	}
	v.remote.sealed = true
	return nil
}

func (v *remoteValues) reach() events.Seq { return v.answer.reach }

func (v *remoteValues) rest() error { return nil }

func (v *remoteValues) close() error {
	v.answer.values = nil
	return nil
}
