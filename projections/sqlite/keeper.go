package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	sqlite3 "modernc.org/sqlite/lib"

	"btda/projections"
)

// Keeper keeps the tables of a file up to date, in transactions, while other programs read it. The file is in WAL mode meanwhile: a reader
// sees the tables as one transaction left them, waits for nobody, and holds up nobody. It is not safe for concurrent use.
//
// The rows are the same as those of a Writer, but not the bytes of the file.
type Keeper struct {
	path    string
	c       *connection
	version int64 // of the data after our last transaction; 0 before the first
}

// keeping is how a file is kept. In WAL mode this synchronises so that a crash may lose the last transactions, and never half of one.
const keeping = `
	PRAGMA trusted_schema = off;
	PRAGMA busy_timeout = 1000;
	PRAGMA page_size = 16384;
	PRAGMA journal_mode = wal;
	PRAGMA synchronous = normal;
	PRAGMA temp_store = memory;
	PRAGMA cache_size = -16384;`

// Keep opens a file that a Keeper or a Writer wrote, or makes a new one with the tables of projections.Schema. The caller closes it.
func Keep(ctx context.Context, path string) (*Keeper, error) {
	if base := filepath.Base(path); path == "" || base == "." || base == ".." {
		return nil, fmt.Errorf("%q is no name of a file", path)
	}
	c, err := connect(path, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	k := &Keeper{path: path, c: c}
	if err := c.interruptible(ctx, k.prepare); err != nil {
		return nil, errors.Join(k.failed("keep tables in", err), c.close())
	}
	return k, nil
}

func (k *Keeper) failed(what string, err error) error {
	return fmt.Errorf("cannot %s %s: %w", what, k.path, err)
}

var errOtherFile = errors.New("it holds something else: name another file")

// prepare makes the tables where there are none. A foreign file is not touched.
func (k *Keeper) prepare() error {
	objects, err := k.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	id, err := k.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	if objects == 0 && id == 0 {
		return k.create()
	}
	version, err := k.number("PRAGMA user_version")
	switch {
	case err != nil:
		return err
	case id != applicationID:
		return errOtherFile
	case version != projections.SchemaVersion:
		return fmt.Errorf("it has version %d of the tables and this program keeps version %d: remove it, or name another file", version, projections.SchemaVersion)
	}
	return k.c.execute(keeping)
}

func (k *Keeper) create() error {
	if err := k.c.execute(keeping); err != nil {
		return err
	}
	return k.c.execute(fmt.Sprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, projections.SchemaVersion) +
		projections.Schema + ";COMMIT")
}

// number gives the first value of a query that gives numbers.
func (k *Keeper) number(sql string) (n int64, err error) {
	c, err := k.Query(sql)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if c.Next() {
		n = c.Row()[0].Integer
	}
	return n, c.Err()
}

// Query runs a statement that selects rows. The caller closes the cursor before anything else is done.
func (k *Keeper) Query(sql string) (*Cursor, error) {
	return (&Reader{path: k.path, c: k.c}).Query(sql)
}

// Begin begins a transaction. It reports whether the file is as our last one left it: if not, or before the first, all rows of all tables
// must be set. The error wraps ErrBusy where it may help to try again.
func (k *Keeper) Begin() (known bool, err error) {
	if err := k.c.execute("BEGIN IMMEDIATE"); err != nil {
		return false, k.failed("change", err)
	}
	version, err := k.number("PRAGMA data_version")
	if err != nil {
		return false, errors.Join(k.failed("change", err), k.Rollback())
	}
	known = version == k.version
	k.version = version // those of others count, not our own
	return known, nil
}

// Commit ends a transaction.
func (k *Keeper) Commit(ctx context.Context) error {
	if err := k.c.interruptible(ctx, func() error { return k.c.execute("COMMIT") }); err != nil {
		return errors.Join(k.failed("change", err), k.Rollback())
	}
	return nil
}

// Rollback ends a transaction, if there is one, and leaves the file as it was before.
func (k *Keeper) Rollback() error {
	k.version = 0
	if sqlite3.Xsqlite3_get_autocommit(k.c.tls, k.c.db) != 0 {
		return nil // SQLite did it itself
	}
	return k.c.execute("ROLLBACK")
}

// Close ends the keeping. Where nobody reads the file, it is one file again and not in WAL mode any more.
func (k *Keeper) Close() error {
	err := k.Rollback()
	if e := k.c.execute("PRAGMA journal_mode = delete"); e != nil && !errors.Is(e, ErrBusy) {
		err = errors.Join(err, e)
	}
	if err = errors.Join(err, k.c.close()); err != nil {
		return k.failed("close", err)
	}
	return nil
}
