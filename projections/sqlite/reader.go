package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"btda/projections"
)

// mostTables is the most tables that a file to be read may have. Results have a dozen.
const mostTables = 1000

// Reader reads a file that a Writer wrote, or that pretends to be one: nothing in it is trusted. It never writes, neither to the file nor
// beside it. It is not safe for concurrent use.
type Reader struct {
	path string
	c    *connection
	stop func() bool
	done chan struct{} // closed when the interruption is over; nil before
}

// Open opens a file for reading. What reads from it ends early when ctx is done. The caller closes it.
func Open(ctx context.Context, path string) (*Reader, error) {
	if err := checkResult(path); err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	// An immutable file is read without locks and without looking for journals.
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: "immutable=1"}
	c, err := connect(uri.String(), sqlite3.SQLITE_OPEN_READONLY|sqlite3.SQLITE_OPEN_URI)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	r := &Reader{path: path, c: c, done: make(chan struct{})}
	if err := r.guard(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read %s: %w", path, err), c.close())
	}
	r.stop = context.AfterFunc(ctx, func() {
		c.interrupt()
		close(r.done)
	})
	return r, nil
}

// header is what the first bytes of a file say.
const (
	headerMagic       = "SQLite format 3\x00"
	headerApplication = 68
	headerSize        = 100
)

// checkResult refuses what is no result of a replay, before SQLite looks at it.
func checkResult(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: name a result of btda replay", path)
	}
	for _, suffix := range []string{"-journal", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s%s exists: a program has changed %s and not ended in order; replay the logs again", path, suffix, path)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(f, header); err != nil || string(header[:len(headerMagic)]) != headerMagic {
		return fmt.Errorf("%s is no SQLite database: name a result of btda replay", path)
	}
	if string(header[headerApplication:headerApplication+4]) != "btda" {
		return fmt.Errorf("%s is a SQLite database, but no result of btda replay", path)
	}
	return nil
}

// guard takes from the file what it could do beside being read.
func (r *Reader) guard() error {
	sqlite3.Xsqlite3_limit(r.c.tls, r.c.db, sqlite3.SQLITE_LIMIT_LENGTH, longestText)
	return r.c.execute(`
		PRAGMA trusted_schema = off;
		PRAGMA query_only = on;
		PRAGMA cell_size_check = on;
		PRAGMA mmap_size = 0;
		PRAGMA temp_store = file;
		PRAGMA cache_size = -16384;
		SELECT count(*) FROM sqlite_schema`)
}

// Close ends the reading.
func (r *Reader) Close() error {
	if !r.stop() {
		<-r.done
	}
	return r.c.close()
}

// Layout is a table of a file.
type Layout struct {
	Name    string
	Columns []string // in their order
	Key     []string // of these, those of the primary key; empty where there is none
}

// Tables lists the tables of the file in the order of their names. Views, virtual tables and computed columns are left out.
func (r *Reader) Tables() ([]Layout, error) {
	var tables []Layout
	err := r.each("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name", func(row projections.Row) error {
		if len(tables) == mostTables {
			return fmt.Errorf("%s has more than %d tables", r.path, mostTables)
		}
		tables = append(tables, Layout{Name: strings.Clone(row[0].Text)})
		return nil
	})
	for i := range tables {
		t := &tables[i]
		err = errors.Join(err, r.each("SELECT name, pk FROM pragma_table_xinfo("+literal(t.Name)+") WHERE hidden = 0 ORDER BY cid", func(row projections.Row) error {
			name := strings.Clone(row[0].Text)
			t.Columns = append(t.Columns, name)
			if row[1].Integer > 0 {
				t.Key = append(t.Key, name)
			}
			return nil
		}))
	}
	return tables, err
}

// literal writes a text as SQL has it.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// each calls a function with every row of a query.
func (r *Reader) each(sql string, use func(projections.Row) error) error {
	c, err := r.Query(sql)
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		if err := use(c.Row()); err != nil {
			return err
		}
	}
	return c.Err()
}

// Order says what of a table to read, and in which order.
type Order struct {
	Table   string
	Columns []string
	Key     []string // the rows come in the ascending order of these, as Compare orders values
}

// Scan reads a table. The caller closes the cursor.
func (r *Reader) Scan(o Order) (*Cursor, error) {
	columns, keys := make([]string, len(o.Columns)), make([]string, len(o.Key))
	for i, name := range o.Columns {
		columns[i] = quote(name)
	}
	for i, name := range o.Key {
		keys[i] = quote(name)
		if len(o.Key) > 1 || name != "id" { // an id is a number, and the order of the table
			keys[i] += " COLLATE BINARY"
		}
	}
	return r.Query("SELECT " + strings.Join(columns, ",") + " FROM main." + quote(o.Table) + " ORDER BY " + strings.Join(keys, ","))
}

// Query runs a statement that selects rows. The caller closes the cursor before the reader.
func (r *Reader) Query(sql string) (*Cursor, error) {
	s, err := r.c.prepare(sql)
	if err != nil {
		return nil, r.failed(err)
	}
	n := int(sqlite3.Xsqlite3_column_count(r.c.tls, s.handle))
	return &Cursor{reader: r, statement: s, row: make(projections.Row, n)}, nil
}

func (r *Reader) failed(err error) error { return fmt.Errorf("cannot read %s: %w", r.path, err) }

// Cursor gives the rows of a query, one after the other.
type Cursor struct {
	reader    *Reader
	statement *statement
	row       projections.Row
	err       error
}

// Next goes on to the next row. False is the end or an error.
func (c *Cursor) Next() bool {
	if c.err != nil {
		return false
	}
	connection := c.statement.c
	code := sqlite3.Xsqlite3_step(connection.tls, c.statement.handle)
	if code != sqlite3.SQLITE_ROW {
		if err := connection.check(code); err != nil {
			c.err = c.reader.failed(err)
		}
		return false
	}
	for i := range c.row {
		c.row[i] = c.statement.column(int32(i))
	}
	return true
}

// Row gives the present row. It and its texts are valid until the next Next; strings.Clone keeps one.
func (c *Cursor) Row() projections.Row { return c.row }

// Err is the error that ended the rows, if one did.
func (c *Cursor) Err() error { return c.err }

// Close ends the query.
func (c *Cursor) Close() { c.statement.close() }

// column gives a value of the row that the statement stands at. Its text is memory of SQLite.
func (s *statement) column(i int32) projections.Value {
	tls, handle := s.c.tls, s.handle
	switch sqlite3.Xsqlite3_column_type(tls, handle, i) {
	case sqlite3.SQLITE_INTEGER:
		return projections.Value{Type: projections.Integer, Integer: sqlite3.Xsqlite3_column_int64(tls, handle, i)}
	case sqlite3.SQLITE_FLOAT:
		return projections.Value{Type: projections.Real, Real: sqlite3.Xsqlite3_column_double(tls, handle, i)}
	case sqlite3.SQLITE_TEXT:
		at := sqlite3.Xsqlite3_column_text(tls, handle, i)
		return projections.Value{Type: projections.Text, Text: memory(at, sqlite3.Xsqlite3_column_bytes(tls, handle, i))}
	case sqlite3.SQLITE_BLOB:
		at := sqlite3.Xsqlite3_column_blob(tls, handle, i)
		return projections.Value{Type: projections.Blob, Text: memory(at, sqlite3.Xsqlite3_column_bytes(tls, handle, i))}
	}
	return projections.Value{}
}
