package eventlog

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"btda/events"
)

const scanned = 2_000_000

// readBounds writes a log and compares its size and its reading.
func readBounds(b *testing.B) []bound {
	dir, raw := writeLog(b)
	defer os.RemoveAll(filepath.Dir(dir))
	r, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	size := float64(folderSize(b, dir)) / scanned
	decode := func() float64 { return decodeAll(b, r) }
	return []bound{
		{what: "size on disk, of an event", unit: "bytes", goal: 0.6, atMost: true, values: [2]float64{raw, size}},
		{what: "scan and decode, against frames only", unit: "M/s", goal: 0.65,
			values: alternate(func() float64 { return walkAll(b, r) }, decode)},
		{what: "scan and decode, two goroutines against one", unit: "M/s", goal: 1.7,
			values: alternate(decode, func() float64 { return decodeHalves(b, r) })},
	}
}

// writeLog writes a log. An event in it has so many raw bytes: its payload, 8 bytes of time, and one each for kind, version
// and length.
func writeLog(b *testing.B) (dir string, raw float64) {
	dir = filepath.Join(tempDir(b), "log")
	l, err := Create(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var encoder events.Encoder
	var payload []byte
	made := newSwarm(3)
	at := l.Now()
	for l.Appended() < scanned {
		all := made.events(10000)
		if l.Appended() == 0 {
			all = append([]events.Event{&events.RunStarted{}}, all...)
		}
		for _, e := range all[:min(len(all), int(scanned-l.Appended()))] {
			at = at.Add(made.duration(200 * time.Microsecond))
			if _, err := l.Append(b.Context(), at, e); err != nil {
				b.Fatal(err)
			}
			if payload, err = encoder.Append(payload[:0], e); err != nil {
				b.Fatal(err)
			}
			raw += float64(len(payload) + 11)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	return dir, raw / scanned
}

// walkAll reads all blocks and the heads of their records.
func walkAll(b *testing.B, r *Reader) float64 {
	began := time.Now()
	source := &stored{store: r.store, space: spaceBlock, from: 1}
	defer source.close()
	n := 0
	var blocks blockReader
	for {
		_, value, ok, err := source.next()
		if err != nil {
			b.Fatal(err)
		}
		if !ok {
			break
		}
		if err := blocks.open(value); err != nil {
			b.Fatal(err)
		}
		var f frame
		for {
			ok, err := blocks.next(&f)
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
			n++
		}
	}
	return millionsPerSecond(n, time.Since(began))
}

// decodeAll scans all records.
func decodeAll(b *testing.B, r *Reader) float64 {
	began := time.Now()
	if err := decodeRange(r, 1, scanned); err != nil {
		b.Fatal(err)
	}
	return millionsPerSecond(scanned, time.Since(began))
}

// decodeHalves scans the halves at the same time.
func decodeHalves(b *testing.B, r *Reader) float64 {
	began := time.Now()
	var group errgroup.Group
	group.Go(func() error { return decodeRange(r, 1, scanned/2) })
	group.Go(func() error { return decodeRange(r, scanned/2+1, scanned) })
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return millionsPerSecond(scanned, time.Since(began))
}

func decodeRange(r *Reader, from, to events.Seq) error {
	s := r.Scan(from).WithoutDigest()
	defer s.Close()
	for s.Next() && s.Record().Seq < to {
	}
	return s.Err()
}
