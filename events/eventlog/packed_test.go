package eventlog

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"btda/events"
)

// TestPack compresses blocks and reads them again, as they were.
func TestPack(t *testing.T) {
	seeds := blockSeeds(t)
	noise := newSwarm(5).bytes(1000)
	for name, c := range map[string]struct {
		plain   []byte
		smaller bool
	}{
		"records":     {seeds["whole"], true},
		"no records":  {seeds["header"], false},
		"noise":       {append(bytes.Clone(seeds["header"]), noise...), false},
		"all zeros":   {append(bytes.Clone(seeds["header"]), make([]byte, 1<<20)...), true},
		"several MiB": {append(bytes.Clone(seeds["header"]), bytes.Repeat(noise, 5000)...), true},
	} {
		packed, smaller := pack([]byte("old content"), c.plain)
		if smaller != c.smaller || smaller != (len(packed) < len(c.plain)) || packed[headerFlags] != flagPacked {
			t.Errorf("%s: %d bytes became %d: smaller %t, flags %#x", name, len(c.plain), len(packed), smaller, packed[headerFlags])
		}
		packed[headerFlags] &^= flagPacked
		got, err := unpack([]byte("old content"), packed)
		if err != nil || !bytes.Equal(got, c.plain) {
			t.Errorf("%s: not the same again: %v", name, err)
		}
	}
}

// TestUnpackBounds refuses a length that so few bytes cannot have, before it takes the memory.
func TestUnpackBounds(t *testing.T) {
	hostile := blockSeeds(t)["packed-length"]
	var r blockReader
	err := r.open(hostile)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "bytes cannot hold 4294967295") {
		t.Error(err)
	}
	if cap(r.unpacked) > 0 {
		t.Errorf("it took %d bytes", cap(r.unpacked))
	}
}

// TestStoredSize records events and finds them compressed once: in the tables as well as in the write-ahead log.
func TestStoredSize(t *testing.T) {
	l := start(t, t.TempDir()+"/log", Options{})
	all := newSwarm(6).events(1000)
	b := new(block)
	b.reset(1 << 20)
	for i, e := range all {
		must(t, l, e)
		if err := b.append(new(events.Encoder), events.Seq(i+1), 0, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.WaitDurable(t.Context(), l.Appended()); err != nil {
		t.Fatal(err)
	}
	m := l.store.db.Metrics()
	if journal := m.WAL.BytesWritten; journal > uint64(len(b.buf))*6/10 {
		t.Errorf("%d bytes in the write-ahead log, for %d bytes of records", journal, len(b.buf))
	}
	closed(t, l)
}
