package eventlog

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"btda/events"
)

var corpus = flag.Bool("corpus", false, "write the seeds of the fuzz tests into testdata")

// FuzzBlock reads hostile blocks: it never panics, gives no more records than the header counts, in their order and within
// the value, and an error says where. What it reads without error, a block of the same records gives again.
func FuzzBlock(f *testing.F) {
	for name, value := range blockSeeds(f) {
		f.Add(value)
		if *corpus {
			writeSeed(f, "FuzzBlock/"+name, value)
		}
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var r blockReader
		if err := r.open(value); err != nil {
			wantPlace(t, err, value)
			return
		}
		h := r.header
		h.flags &^= flagPacked
		var decoder events.Decoder
		var fr frame
		var again []byte
		last := h.base
		for n := uint32(0); ; n++ {
			ok, err := r.next(&fr)
			if err != nil {
				wantPlace(t, err, value)
				return
			}
			if !ok {
				if n != h.count {
					t.Fatalf("%d records, the header counts %d", n, h.count)
				}
				break
			}
			if fr.seq != h.first+events.Seq(n) {
				t.Fatalf("record %d is number %d, the first is %d", n, fr.seq, h.first)
			}
			decoder.Decode(fr.kind, fr.version, fr.payload)
			again = appendFrameHead(again, fr.kind, fr.version, fr.time-last)
			again, _ = closeFrame(append(append(again, 0), fr.payload...), len(again)+1)
			last = fr.time
		}
		wantSame(t, h, again, fr)
	})
}

// wantSame reads the frames of a block once more, after they were written anew, and wants the same last record.
func wantSame(t *testing.T, h header, frames []byte, want frame) {
	value := append(make([]byte, headerSize), frames...)
	putHeader(value, h)
	var r blockReader
	if err := r.open(value); err != nil {
		t.Fatal(err)
	}
	var got frame
	for {
		ok, err := r.next(&got)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
	}
	if got.seq != want.seq || got.time != want.time || got.kind != want.kind || !bytes.Equal(got.payload, want.payload) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// wantPlace wants an error that says where in the value.
func wantPlace(t *testing.T, err error, value []byte) {
	t.Helper()
	var d *damage
	if !errors.As(err, &d) || !errors.Is(err, ErrDamaged) || d.offset < 0 || d.offset > packedAtMost*len(value) {
		t.Fatalf("error %v for %d bytes", err, len(value))
	}
}

func blockSeeds(t testing.TB) map[string][]byte {
	b := new(block)
	b.reset(1 << 16)
	var encoder events.Encoder
	for i, e := range newSwarm(4).events(5) {
		if err := b.append(&encoder, events.Seq(i+7), events.Time(1000-i), e); err != nil {
			t.Fatal(err)
		}
	}
	whole := bytes.Clone(b.value(3, chainHash{1, 2, 3}))
	seeds := map[string][]byte{
		"whole":      whole,
		"definition": b.definitionValue(nil, definition{1, 2, events.KindRunStarted, 1, headerSize, headerSize + 20}),
		"header":     whole[:headerSize],
		"cut":        whole[:len(whole)-1],
		"longer":     append(bytes.Clone(whole), 0),
		"empty":      {},
	}
	for name, change := range map[string]func(*header){
		"count":    func(h *header) { h.count = 1<<32 - 1 },
		"more":     func(h *header) { h.count++ },
		"less":     func(h *header) { h.count-- },
		"none":     func(h *header) { h.count = 0 },
		"number":   func(h *header) { h.first = 1<<64 - 2 },
		"zero":     func(h *header) { h.first = 0 },
		"time":     func(h *header) { h.base = 1<<63 - 1 },
		"synced":   func(h *header) { h.synced = 7 },
		"flags":    func(h *header) { h.flags = 0x80 },
		"flagged":  func(h *header) { h.flags = flagDefinition },
		"previous": func(h *header) { h.previous = chainHash{} },
	} {
		value, h := bytes.Clone(whole), getHeader(whole)
		change(&h)
		putHeader(value, h)
		seeds[name] = value
	}
	packed, _ := pack(nil, whole)
	for name, records := range map[string]string{
		"":        string(packed[headerSize:]),
		"-cut":    string(packed[headerSize : len(packed)-1]),
		"-length": "\xff\xff\xff\xff\x0f" + string(packed[headerSize+2:]),
		"-none":   "",
	} {
		seeds["packed"+name] = append(bytes.Clone(packed[:headerSize]), records...)
	}
	for name, frame := range map[string]string{
		"kind":    "\xff\xff\x04\x01\x00\x00",
		"version": "\x01\x80\x80\x04\x00\x00",
		"length":  "\x01\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"varint":  "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
		"padded":  "\x81\x80\x00\x01\x00\x80\x00",
	} {
		value := append(make([]byte, headerSize), frame...)
		putHeader(value, header{first: 1, count: 1})
		seeds["frame-"+name] = value
	}
	return seeds
}

// writeSeed writes a seed of a fuzz test; its name begins with that of the test.
func writeSeed(t testing.TB, name string, value []byte) {
	path := filepath.Join("testdata", "fuzz", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", value), 0o666); err != nil {
		t.Fatal(err)
	}
}

// FuzzJournal reads hostile write-ahead logs: it never panics and ends.
func FuzzJournal(f *testing.F) {
	for _, golden := range goldenFolders {
		names, err := filepath.Glob(filepath.Join("testdata", golden.name, "*.log"))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, uint32(4))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, number uint32) {
		j := journal{data, number}
		if at, synced := j.proof(0); at < 0 || at > len(data) || synced == 0 && at != 0 {
			t.Fatal(at, synced)
		}
		if end := j.end(); end < 0 || end > len(data)+journalPage {
			t.Fatal(end)
		}
		decodeSeal(data)
	})
}
