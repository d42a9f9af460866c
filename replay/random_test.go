package replay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"btda/events"
)

// randomRun gives a run of events of all kinds with random fields, in random order: few torrents, sessions and addresses, so that
// they meet. Most of it makes no sense, and none of it may break a replay.
func randomRun(size int, seed uint64) iter.Seq2[events.Time, events.Event] {
	return func(yield func(events.Time, events.Event) bool) {
		r := randomizer{rand.New(rand.NewPCG(seed, 1))}
		started := &events.RunStarted{PeerID: events.PeerID{9}, Configuration: []events.Setting{{Name: "threshold", Value: "0.98"}, {Name: "revisit", Value: "5s"}}}
		binary.BigEndian.PutUint64(started.Run[:], seed)
		at := syntheticStart
		if !yield(at, started) {
			return
		}
		kinds := events.Kinds()
		for range size {
			kind := kinds[r.IntN(len(kinds))]
			if kind == events.KindRunStarted {
				continue
			}
			e := kind.New()
			r.fill(reflect.ValueOf(e).Elem())
			if added, ok := e.(*events.TorrentAdded); ok {
				added.InfoHash = events.InfoHash{byte(added.Torrent)}
			}
			at += events.Time(r.Int64N(int64(time.Second))) - events.Time(100*time.Millisecond)
			if !yield(at, e) {
				return
			}
		}
	}
}

type randomizer struct{ *rand.Rand }

func (r randomizer) fill(v reflect.Value) {
	switch to := v.Addr().Interface().(type) {
	case *events.Address:
		*to = r.address()
		return
	case *events.PeerList:
		*to = events.PeerList{}
		for range r.IntN(4) {
			to.Append(r.address().AddrPort)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			r.fill(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(v.Type(), r.length(v.Type()), 8))
		}
		for i := range v.Len() {
			r.fill(v.Index(i))
		}
	case reflect.String:
		v.SetString([]string{"", "http://a.example/announce", "http://b.example/announce?passkey=0123456789", "naïve", "\xff\x00"}[r.IntN(5)])
	default:
		r.fillNumber(v)
	}
}

func (r randomizer) fillNumber(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Float64:
		v.SetFloat(float64(r.IntN(100)) / 8)
	case reflect.Int64:
		v.SetInt(r.Int64N(int64(3 * time.Second)))
	default:
		v.SetUint(r.Uint64N(5))
	}
}

// length is that of a random slice. Many of the byte strings are bitfields or hashes of the right length.
func (r randomizer) length(of reflect.Type) int {
	if of.Elem().Kind() == reflect.Uint8 && r.IntN(2) == 0 {
		return 1
	}
	return r.IntN(3)
}

func (r randomizer) address() events.Address {
	ip := netip.AddrFrom4([4]byte{9, 9, 9, byte(r.IntN(4))})
	if r.IntN(3) == 0 {
		ip = netip.MustParseAddr("2600::1")
	}
	return events.AddressOf(netip.AddrPortFrom(ip, uint16(r.IntN(4))))
}

// Whatever is in the log, a replay ends with a sound file, and the same one from a copy of the log, with others beside it in
// any order. The seed of a failure is in its name.
func TestRandomRunsReplay(t *testing.T) {
	for range rounds(5) {
		seed := rand.Uint64N(1 << 40)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a, b := recordLog(t, randomRun(2000, seed)), recordKilled(t, randomRun(1500, seed+1))
			o := optionsFor(a, b)
			o.Output = filepath.Join(t.TempDir(), "result.sqlite")
			o.Projections.WithAddresses = seed%2 == 0
			_, want := replayLogs(t, o)
			if got := queryColumn(t, o.Output, "PRAGMA integrity_check"); got[0] != "ok" {
				t.Errorf("integrity check: %v", got)
			}
			if got := queryColumn(t, o.Output, "PRAGMA foreign_key_check"); len(got) != 0 {
				t.Errorf("rows of these tables point nowhere: %v", got)
			}
			o.Logs, o.Output = []string{b, copyLog(t, a)}, ""
			if _, got := replayLogs(t, o); !bytes.Equal(got, want) {
				t.Error("another order of the logs gave another file")
			}
		})
	}
}
