package eventlog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

// unread searches the folder of a log without a seal for signs that there was more than what the store gives: what
// damage cuts off at the end looks to the store like the end after a crash.
type unread struct {
	fs   vfs.FS
	dir  string
	last events.Seq // of the last record that the store gives
}

func (u unread) search() error {
	names, err := u.fs.List(u.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch path.Ext(name) {
		case ".log":
			err = u.searchJournal(name)
		case ".sst":
			err = u.searchTable(name)
		}
		if err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
	}
	return nil
}

// searchJournal looks for a block before which more was durable.
func (u unread) searchJournal(name string) error {
	j := journal{}
	if n, err := fmt.Sscanf(name, "%d.log", &j.number); n != 1 || err != nil {
		return nil // not one of the store's
	}
	f, err := u.fs.Open(u.fs.PathJoin(u.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	if j.data, err = io.ReadAll(f); err != nil {
		return err
	}
	if at, synced := j.proof(u.last); synced > u.last {
		return fmt.Errorf("offset %d: %w: records %d to %d were on disk when the block at offset %d was written, and cannot be read",
			j.end(), ErrDamaged, u.last+1, synced, at)
	}
	return nil
}

// searchTable looks for records, or a seal, in a table that the store does not know of. A crash may leave such a table, whole,
// cut off or with holes, but what is in it is then in a write-ahead log as well. A table that the store lists was read
// before, and has no damage.
func (u unread) searchTable(name string) error {
	last, err := u.lastKey(name)
	if pebble.IsCorruptionError(err) {
		return nil // it was never finished
	}
	if err == nil && bytes.Compare(last, blockKey(u.last)) > 0 {
		err = fmt.Errorf("%w: the table holds key %x, beyond the last record that can be read, %d: the list of tables (MANIFEST) was cut, or keys removed",
			ErrDamaged, last, u.last)
	}
	return err
}

// lastKey reads the last key of a table.
func (u unread) lastKey(name string) ([]byte, error) {
	f, err := u.fs.Open(u.fs.PathJoin(u.dir, name))
	if err != nil {
		return nil, err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return nil, closeAfter(err, f)
	}
	var options pebble.Options
	options.EnsureDefaults()
	r, err := sstable.NewReader(context.Background(), readable, options.MakeReaderOptions())
	if err != nil {
		return nil, closeAfter(err, readable)
	}
	defer r.Close()
	iter, err := r.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	kv := iter.Last()
	if kv == nil {
		return nil, iter.Error()
	}
	return bytes.Clone(kv.K.UserKey), nil
}
