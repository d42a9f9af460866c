package eventlog

import (
	"fmt"
	"io"
	"strings"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Create makes a new log in dir, which must not exist or be empty, and opens it for writing. Close it.
func Create(dir string, o Options) (*Log, error) {
	l, err := newLog(dir, o)
	if err != nil {
		return nil, err
	}
	go newWriter(l).run()
	return l, nil
}

// newLog makes a log that has no writer yet.
func newLog(dir string, o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkEmpty(o.FS, dir); err != nil {
		return nil, err
	}
	l := &Log{
		dir:     dir,
		options: o,
		wake:    make(chan struct{}, 1),
		failed:  make(chan struct{}),
		done:    make(chan struct{}),
		next:    1,
	}
	if err := l.openStore(); err != nil {
		return nil, fmt.Errorf("eventlog: creating %s: %w", dir, explain(err))
	}
	for range o.Blocks {
		b := new(block)
		b.reset(2 * o.BlockBytes)
		l.free = append(l.free, b)
	}
	l.open = l.takeFree()
	return l, nil
}

// checkEmpty refuses a folder with something in it.
func checkEmpty(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if oserror.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("eventlog: creating %s: %w", dir, err)
	}
	if len(names) > 0 {
		return fmt.Errorf("eventlog: creating %s: the folder is not empty (%s, ...): a log is never continued, name a new folder",
			dir, names[0])
	}
	return nil
}

// openStore creates the store and writes the format record.
func (l *Log) openStore() error {
	g := &guard{FS: l.options.FS, report: l.fail}
	fatal := func(err error) {
		if g.armed.Load() {
			l.fail(err)
			select {} // the store must not go on
		}
	}
	options := storeOptions(g, storeLogger{l.options.Logger, fatal})
	db, err := pebble.Open(l.dir, options)
	if err != nil {
		return err
	}
	if err := db.Set(formatKey, formatRecord(), pebble.Sync); err != nil {
		return closeAfter(err, db)
	}
	g.armed.Store(true)
	l.store = &store{db: db, users: 1, close: func(db *pebble.DB) error {
		g.armed.Store(false) // all is on disk: from here on an error is only passed on
		return closeTidily(db, l.dir, options)
	}}
	return nil
}

// closeTidily closes a store, and opens it once more: this removes the files that Pebble kept for use as the next
// write-ahead logs, which for a short log are most of the folder, and shows that the store opens.
func closeTidily(db *pebble.DB, dir string, o *pebble.Options) error {
	if err := db.Close(); err != nil {
		return err
	}
	db, err := pebble.Open(dir, o)
	if err != nil {
		return err
	}
	return db.Close()
}

func closeAfter(err error, c io.Closer) error {
	_ = c.Close() // the first error counts
	return err
}

// explain adds what to do about an error of the store.
func explain(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "lock held by current process"), strings.Contains(text, "resource temporarily unavailable"):
		return fmt.Errorf("the log is in use, by this or another process: wait until that one ends: %w", err)
	}
	return err
}
