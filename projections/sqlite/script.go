package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Script is SQL of the user's own. It may make tables, views and indexes and fill them from all that is there. It may not change the tables
// of projections.Schema, reach another file, begin or end transactions, or ask for what is not in the result: chance, the present
// time, the local time zone.
type Script struct {
	Name string // of the file that it was read from, for errors
	Text string
}

// Run runs a script over the rows that were written, as part of the same transaction. The indexes are made before. Afterwards nothing may
// be written. The error names the script and the statement by its number and line.
func (w *Writer) Run(ctx context.Context, s Script) error {
	if !utf8.ValidString(s.Text) || strings.IndexByte(s.Text, 0) >= 0 {
		return fmt.Errorf("%s is no text in UTF-8", s.Name)
	}
	if err := w.c.interruptible(ctx, func() error { return w.c.execute(w.indexes) }); err != nil {
		return err
	}
	w.indexes = ""
	return w.c.interruptible(ctx, func() error { return w.c.confined(s.Text, s.failed) })
}

// failed says where the statement that begins at an offset stands.
func (s Script) failed(number, offset int, err error) error {
	return fmt.Errorf("%s, statement %d, line %d: %w", s.Name, number, 1+strings.Count(s.Text[:offset], "\n"), err)
}

// confined runs statements one after the other in the bounds of Script. Failed makes an error of the number of a statement, from 1, and
// the offset at which it begins.
func (c *connection) confined(script string, failed func(number, offset int, err error) error) error {
	text, err := libc.CString(script)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, text)
	if err := c.confine(); err != nil {
		return err
	}
	defer c.free()
	for number, offset := 1, 0; ; number++ {
		offset += len(script[offset:]) - len(strings.TrimLeft(script[offset:], " \t\r\n;"))
		next, err := c.step(text, offset)
		if err != nil {
			return failed(number, offset, err)
		}
		if offset = next; offset >= len(script) {
			return nil
		}
	}
}

// step runs the statement at an offset of a text to its end, and gives the offset behind it.
func (c *connection) step(text uintptr, offset int) (next int, err error) {
	tail, err := c.allocate(int(unsafe.Sizeof(text)))
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(c.tls, tail)
	s := statement{c: c}
	b := confinementOf(c)
	err = c.receive(&s.handle, func(to uintptr) int32 {
		return sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, text+uintptr(offset), -1, to, tail)
	})
	if err != nil {
		return 0, cmp.Or(b.denied(), err)
	}
	next = int(*(*uintptr)(at(tail)) - text)
	if s.handle == 0 { // only space or a comment
		return next, nil
	}
	defer s.close()
	for {
		switch code := sqlite3.Xsqlite3_step(c.tls, s.handle); code {
		case sqlite3.SQLITE_ROW:
		case sqlite3.SQLITE_DONE:
			return next, b.denied()
		default:
			return 0, cmp.Or(b.denied(), c.check(code))
		}
	}
}

// confinement is what a script on a connection was refused.
type confinement struct{ refused string }

// denied is the error for what was refused, nil for nothing.
func (b *confinement) denied() error {
	if b.refused == "" {
		return nil
	}
	return errors.New(b.refused)
}

// refuse remembers the first reason.
func (b *confinement) refuse(format string, values ...any) int32 {
	if b.refused == "" {
		b.refused = fmt.Sprintf(format, values...)
	}
	return sqlite3.SQLITE_DENY
}

// confinements are those of the connections that run a script, by the state that SQLite hands to all it calls.
var confinements sync.Map // *libc.TLS to *confinement

func confinementOf(c *connection) *confinement {
	b, _ := confinements.Load(c.tls)
	return b.(*confinement)
}

// confine begins the bounds of a script.
func (c *connection) confine() error {
	withoutLocalTime()
	confinements.Store(c.tls, new(confinement))
	defensive := libc.NewVaList(int32(1), uintptr(0))
	defer libc.Xfree(c.tls, defensive)
	if err := c.check(sqlite3.Xsqlite3_db_config(c.tls, c.db, sqlite3.SQLITE_DBCONFIG_DEFENSIVE, defensive)); err != nil {
		return err
	}
	return c.check(sqlite3.Xsqlite3_set_authorizer(c.tls, c.db, function(authorize), 0))
}

// free ends them.
func (c *connection) free() {
	sqlite3.Xsqlite3_set_authorizer(c.tls, c.db, 0, 0)
	confinements.Delete(c.tls)
}

// withoutLocalTime takes the time zone of the machine away from the library: a modifier 'localtime' or 'utc' is then an error.
var withoutLocalTime = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	on := libc.NewVaList(int32(1))
	defer libc.Xfree(tls, on)
	sqlite3.Xsqlite3_test_control(tls, sqlite3.SQLITE_TESTCTRL_LOCALTIME_FAULT, on)
})
