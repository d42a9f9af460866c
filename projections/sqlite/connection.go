package sqlite

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrBusy says that another program holds a lock on the file.
var ErrBusy = errors.New("another program is using the file")

// connection is one open database file. It calls SQLite itself instead of going through database/sql, which costs more
// than half of the speed of bulk inserts. It has one owner at a time.
type connection struct {
	tls *libc.TLS
	db  uintptr
}

// openConnection opens the file at path, which SQLite treats as a new database when it is empty.
func openConnection(path string) (*connection, error) {
	return connect(path, sqlite3.SQLITE_OPEN_READWRITE)
}

// connect opens a file by its path or URI. Without the mutexes of SQLite: a connection has one owner.
func connect(path string, flags int32) (*connection, error) {
	c := &connection{tls: libc.NewTLS()}
	name, err := libc.CString(path)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	if err := registerTimeless(); err != nil {
		c.tls.Close()
		return nil, err
	}
	vfs, err := libc.CString(timeless)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, vfs)
	flags |= sqlite3.SQLITE_OPEN_NOMUTEX
	err = c.receive(&c.db, func(to uintptr) int32 {
		return sqlite3.Xsqlite3_open_v2(c.tls, name, to, flags, vfs)
	})
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// receive calls a function of SQLite that stores a pointer where its argument says, also when it fails.
func (c *connection) receive(pointer *uintptr, call func(to uintptr) int32) error {
	slot, err := c.allocate(int(unsafe.Sizeof(*pointer)))
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, slot)
	code := call(slot)
	*pointer = *(*uintptr)(at(slot))
	return c.check(code)
}

// at gives access to memory of SQLite's own allocator, which the garbage collector neither moves nor frees.
func at(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

func (c *connection) allocate(size int) (uintptr, error) {
	p := libc.Xmalloc(c.tls, types.Size_t(size))
	if p == 0 {
		return 0, fmt.Errorf("no memory for %d bytes", size)
	}
	return p, nil
}

// check turns a result code into an error with the message that SQLite has for it, and wraps the error of the system
// below it.
func (c *connection) check(code int32) error {
	switch code {
	case sqlite3.SQLITE_OK, sqlite3.SQLITE_ROW, sqlite3.SQLITE_DONE:
		return nil
	}
	what := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, code))
	if c.db == 0 {
		return fmt.Errorf("sqlite: %s (code %d)", what, code)
	}
	if detail := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)); detail != what {
		what += ": " + detail
	}
	err := fmt.Errorf("sqlite: %s (code %d)", what, sqlite3.Xsqlite3_extended_errcode(c.tls, c.db))
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w: %w", err, syscall.Errno(sqlite3.Xsqlite3_system_errno(c.tls, c.db)))
	}
	return err
}

// execute runs statements that take no parameters; rows that they give are dropped.
func (c *connection) execute(sql string) error {
	text, err := libc.CString(sql)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, text)
	return c.check(sqlite3.Xsqlite3_exec(c.tls, c.db, text, 0, 0, 0))
}

// interrupt makes what runs on the connection end early with an error. Any goroutine may call it until close.
func (c *connection) interrupt() {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, c.db)
}

// interruptible does what can take long for many rows, and ends it early when ctx is done.
func (c *connection) interruptible(ctx context.Context, work func() error) error {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.interrupt()
		close(interrupted)
	})
	err := work()
	if !stop() {
		<-interrupted
		return context.Cause(ctx)
	}
	return err
}

func (c *connection) close() error {
	err := c.check(sqlite3.Xsqlite3_close_v2(c.tls, c.db))
	c.db = 0
	c.tls.Close()
	return err
}

// statement is a prepared statement without result rows.
type statement struct {
	c          *connection
	handle     uintptr
	parameters int
}

func (c *connection) prepare(sql string) (*statement, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	s := &statement{c: c}
	err = c.receive(&s.handle, func(to uintptr) int32 {
		return sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, text, -1, to, 0)
	})
	if err != nil {
		return nil, err
	}
	s.parameters = int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, s.handle))
	return s, nil
}

// run executes the statement with what is bound to its parameters, and makes it ready for the next run.
func (s *statement) run() error {
	err := s.c.check(sqlite3.Xsqlite3_step(s.c.tls, s.handle))
	sqlite3.Xsqlite3_reset(s.c.tls, s.handle)
	return err
}

func (s *statement) close() { sqlite3.Xsqlite3_finalize(s.c.tls, s.handle) }
