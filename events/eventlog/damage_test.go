package eventlog

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"btda/events"
)

var flips = flag.Int("flips", 60, "how many bits of each file of a log to flip, one at a time; 0 for one of each byte")

// folder is the content of a log's folder, to be damaged.
type folder map[string][]byte

func readFolder(t testing.TB, fs vfs.FS, dir string) folder {
	t.Helper()
	all := folder{}
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all[name] = data
	}
	return all
}

// verify verifies the content as it is.
func (c folder) verify(t testing.TB) (Verification, error) {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("/log", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, data := range c {
		f, err := fs.Create("/log/"+name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(slices.Clone(data)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return Verify("/log", Options{FS: fs})
}

func (c folder) names(suffix string) (names []string) {
	for name := range c {
		if strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// smallRecords is the number of records of a small log: blocks of 40, each second one synced.
const smallRecords = 400

// smallLog records events in several blocks and tables, and returns the log before it is closed.
func smallLog(t testing.TB, fs vfs.FS) *Log {
	t.Helper()
	l, err := Create("/log", Options{FS: fs, BlockEvents: 40, SyncEvents: 80, SyncInterval: time.Hour, memTable: 8 << 10})
	if err != nil {
		t.Fatal(err)
	}
	all := append([]events.Event{&events.RunStarted{Run: testRun, Host: "here"}, &events.TorrentAdded{Torrent: 1}}, newSwarm(7).events(398)...)
	for i, e := range all {
		seq, err := l.Append(t.Context(), events.Time(i*1000), e)
		if err == nil && seq%80 == 0 {
			err = l.WaitDurable(t.Context(), seq)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestFlippedBitsOfSealedLog flips bits in each file of a closed log: it is found, or changes nothing that counts.
func TestFlippedBitsOfSealedLog(t *testing.T) {
	fs := vfs.NewMem()
	if err := smallLog(t, fs).Close(); err != nil {
		t.Fatal(err)
	}
	whole := readFolder(t, fs, "/log")
	want, err := whole.verify(t)
	if err != nil || !want.Sealed || want.Records != smallRecords {
		t.Fatal(want, err)
	}
	if len(whole.names(".sst")) < 3 {
		t.Fatal("too few tables to show anything")
	}
	for _, name := range whole.names("") {
		missed := flip(t, whole, name, func(got Verification) error {
			if got != want {
				return fmt.Errorf("not found, but different: %v", got)
			}
			return nil
		})
		if missed > 0 && strings.HasSuffix(name, ".sst") {
			t.Errorf("%s: %d flips were not found", name, missed)
		}
	}
}

// TestFlippedBitsOfUnsealedLog flips bits in each file that a crash left after all was synced. What is not found is in the
// last sync, whose end nothing proves, or changes nothing.
func TestFlippedBitsOfUnsealedLog(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := smallLog(t, fs)
	whole := readFolder(t, fs.CrashClone(vfs.CrashCloneCfg{}), "/log")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := whole.verify(t)
	if err != nil || want.Sealed || want.Records != smallRecords || !strings.Contains(want.String(), "valid up to record 400; there is no seal") {
		t.Fatal(want, err)
	}
	var proven events.Seq
	for _, name := range whole.names(".log") {
		j := journal{data: whole[name]}
		fmt.Sscanf(name, "%d.log", &j.number)
		_, synced := j.proof(0)
		proven = max(proven, synced)
	}
	if proven != 320 {
		t.Fatalf("only %d records are proven to have been there", proven)
	}
	for _, name := range whole.names("") {
		flip(t, whole, name, func(got Verification) error {
			if got.Last < proven || got.Last == want.Last && got != want {
				return fmt.Errorf("not found, but %d records were on disk: %v", proven, got)
			}
			return nil
		})
	}
}

// flip flips a random bit of each of some random bytes of a file in turn, checks each flip that is not found, and returns
// their number.
func flip(t *testing.T, all folder, name string, check func(Verification) error) (missed int) {
	data := all[name]
	places := rand.Perm(len(data))
	if *flips > 0 {
		places = places[:min(*flips, len(places))]
	}
	for _, i := range places {
		bit := byte(1) << rand.IntN(8)
		data[i] ^= bit
		if got, err := all.verify(t); err == nil {
			missed++
			if err := check(got); err != nil {
				t.Errorf("%s: bit %#x of byte %d: %v", name, bit, i, err)
			}
		}
		data[i] ^= bit
	}
	t.Logf("%s: %d of %d flips found", name, len(places)-missed, len(places))
	return missed
}

// TestDamagedFolder takes files away, cuts them and swaps them.
func TestDamagedFolder(t *testing.T) {
	fs := vfs.NewMem()
	if err := smallLog(t, fs).Close(); err != nil {
		t.Fatal(err)
	}
	whole := readFolder(t, fs, "/log")
	tables := whole.names(".sst")
	for i, name := range tables {
		damaged := maps.Clone(whole)
		delete(damaged, name)
		wantFound(t, "without "+name, damaged, strings.TrimSuffix(name, ".sst"))
		damaged[name] = whole[name][:len(whole[name])-1]
		wantFound(t, "one byte less in "+name, damaged, strings.TrimLeft(strings.TrimSuffix(name, ".sst"), "0"))
		damaged[name] = whole[tables[(i+1)%len(tables)]]
		wantFound(t, "another table as "+name, damaged, "")
	}
	for _, name := range append(whole.names("MANIFEST-000001"), whole.names(".001.MANIFEST-000001")...) {
		damaged := maps.Clone(whole)
		delete(damaged, name)
		if got, err := damaged.verify(t); !errors.Is(err, ErrDamaged) && !errors.Is(err, errNotALog) {
			t.Errorf("without %s: %v, %v: want damage, or no log", name, got, err)
		}
	}
}

func wantFound(t *testing.T, what string, c folder, names string) {
	t.Helper()
	got, err := c.verify(t)
	if err == nil {
		t.Errorf("%s: not found: %v", what, got)
	} else if !strings.Contains(err.Error(), names) || !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "carrier") {
		t.Errorf("%s: %v: want damage, %q named, and nothing of the store's own", what, err, names)
	}
}

// TestDamagedKeys changes what the store holds, through the store, so that no checksum of its own can tell.
func TestDamagedKeys(t *testing.T) {
	for what, change := range map[string]struct {
		ops  func(db *pebble.DB) error
		says string
	}{
		"a block is missing": {func(db *pebble.DB) error { return db.Delete(blockKey(81), nil) }, "records 81 to 120 are missing"},
		"the first block is missing": {func(db *pebble.DB) error { return db.Delete(blockKey(1), nil) },
			"records 1 to 40 are missing"},
		"the last block is missing":    {func(db *pebble.DB) error { return db.Delete(blockKey(361), nil) }, "sealed are 400 records"},
		"two blocks are swapped":       {swapBlocks, "key 030000000000000029"},
		"a block is replaced":          {replaceBlock, "key 030000000000000051"},
		"a block is there twice":       {func(db *pebble.DB) error { return copyKey(db, blockKey(41), blockKey(45)) }, "under the key of record 45"},
		"a definition is missing":      {func(db *pebble.DB) error { return db.Delete(seqKey(spaceDefinition, 2), nil) }, "copy of record 2"},
		"a definition too many":        {extraDefinition, "3 copies"},
		"a definition is another one":  {func(db *pebble.DB) error { return copyKey(db, seqKey(spaceDefinition, 1), seqKey(spaceDefinition, 2)) }, "key 020000000000000002"},
		"a key of no known space":      {func(db *pebble.DB) error { return db.Set([]byte("x"), nil, nil) }, "key 78"},
		"the format record is missing": {func(db *pebble.DB) error { return db.Delete(formatKey, nil) }, "not an event log"},
		"a newer format":               {func(db *pebble.DB) error { return db.Set(formatKey, append([]byte(formatMagic), 2), nil) }, "use a newer btda"},
		"the seal is missing":          {func(db *pebble.DB) error { return db.Delete(sealKey, nil) }, "holds key 04"},
		"the seal is cut":              {func(db *pebble.DB) error { return db.Set(sealKey, []byte{1, 2}, nil) }, "seal"},
		"the seal is another one":      {func(db *pebble.DB) error { return db.Set(sealKey, Seal{Records: 400, Last: 400}.encode(), nil) }, "sealed are"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := verifyChanged(t, change.ops)
			if err == nil || !strings.Contains(err.Error(), change.says) {
				t.Errorf("got %v, want %q", err, change.says)
			}
		})
	}
}

// verifyChanged verifies a log after a change of its keys.
func verifyChanged(t *testing.T, change func(*pebble.DB) error) (Verification, error) {
	t.Helper()
	fs := vfs.NewMem()
	if err := smallLog(t, fs).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open("/log", &pebble.Options{FS: fs, Logger: storeLogger{slog.New(slog.DiscardHandler), func(err error) { t.Error(err) }}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		t.Fatal(err)
	}
	return Verify("/log", Options{FS: fs})
}

func copyKey(db *pebble.DB, from, to []byte) error {
	value, closer, err := db.Get(from)
	if err != nil {
		return err
	}
	defer closer.Close()
	return db.Set(to, value, nil)
}

func swapBlocks(db *pebble.DB) error {
	return errors.Join(copyKey(db, blockKey(41), []byte("spare")), copyKey(db, blockKey(81), blockKey(41)),
		copyKey(db, []byte("spare"), blockKey(81)), db.Delete([]byte("spare"), nil))
}

// replaceBlock puts well-formed records in the place of others.
func replaceBlock(db *pebble.DB) error {
	value, closer, err := db.Get(blockKey(41))
	if err != nil {
		return err
	}
	defer closer.Close()
	h := getHeader(value)
	changed := slices.Clone(value)

	putHeader(changed, header{flags: h.flags, first: h.first, count: h.count, base: h.base + 1, synced: h.synced, previous: h.previous})
	return db.Set(blockKey(41), changed, nil)
}

func extraDefinition(db *pebble.DB) error {
	return copyKey(db, seqKey(spaceDefinition, 2), seqKey(spaceDefinition, 3))
}
