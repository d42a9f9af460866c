package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"btda/projections"
)

const (
	// applicationID stands in the header of every file: "btda" in ASCII.
	applicationID = 0x62746461
	// rowsPerInsert rows go into one statement: fewer cost calls, more cost memory that the processor's cache does not hold.
	rowsPerInsert = 16
	// rowsPerCheck rows are written between two looks at the context.
	rowsPerCheck = 1024
)

// Nothing of the file layout is left to defaults, which a later version of the library may change. There is no way
// back from an error: the file is thrown away then.
var layout = fmt.Sprintf(`
	PRAGMA page_size = 16384;
	PRAGMA encoding = 'UTF-8';
	PRAGMA auto_vacuum = none;
	PRAGMA journal_mode = off;
	PRAGMA synchronous = off;
	PRAGMA locking_mode = exclusive;
	PRAGMA temp_store = memory;
	PRAGMA cache_size = -65536;
	BEGIN EXCLUSIVE;
	PRAGMA application_id = %d;
	PRAGMA user_version = %d;`, applicationID, projections.SchemaVersion)

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	file      temporary
	c         *connection // nil when closed
	indexes   string      // statements to run when the rows are in
	published bool
}

// Create begins a file with the tables of projections.Schema, still without rows. The file at path stays as it is until Finish.
// The caller calls Close in the end.
func Create(path string) (*Writer, error) {
	file, err := createTemporary(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file}
	if w.c, err = openConnection(file.path); err != nil {
		return nil, errors.Join(w.failed("open", err), file.remove())
	}
	tables, indexes, _ := strings.Cut(projections.Schema, projections.IndexMarker)
	w.indexes = indexes
	if err := w.c.execute(layout + tables); err != nil {
		return nil, errors.Join(w.failed("create tables in", err), w.Close())
	}
	return w, nil
}

func (w *Writer) failed(what string, err error) error {
	return fmt.Errorf("cannot %s %s: %w", what, w.file.path, err)
}

// Write writes the rows of a table, in their order, and says how many there were. The error names the table and, where it
// lies in a row, its number from 1 and the column.
func (w *Writer) Write(ctx context.Context, table projections.Table) (rows int64, err error) {
	in, err := newInserter(w.c, table, "")
	if err != nil {
		return 0, fmt.Errorf("table %s: %w", table.Name, err)
	}
	defer in.close()
	for row := range table.Rows {
		if rows%rowsPerCheck == 0 && ctx.Err() != nil {
			return rows, context.Cause(ctx)
		}
		rows++
		if err := in.add(row); err != nil {
			return rows, err
		}
	}
	return rows, in.flush()
}

// Finish makes the indexes, forces the file to disk and gives it its final name, in place of the file that has it.
func (w *Writer) Finish(ctx context.Context) error {
	if err := w.commit(ctx); err != nil {
		return err
	}
	err := w.c.close()
	w.c = nil
	if err != nil {
		return w.failed("close", err)
	}
	if err := w.file.publish(); err != nil {
		return err
	}
	w.published = true
	return nil
}

func (w *Writer) commit(ctx context.Context) error {
	return w.c.interruptible(ctx, func() error {
		if err := w.c.execute(w.indexes + ";COMMIT"); err != nil {
			return w.failed("finish", err)
		}
		return nil
	})
}

// Close ends the work on the file, and removes what there is of it unless Finish was successful.
func (w *Writer) Close() error {
	var err error
	if w.c != nil {
		err = w.c.close()
		w.c = nil
	}
	if w.published {
		return err
	}
	w.published = true
	return errors.Join(err, w.file.remove())
}
