package replay

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"btda/events"
)

// sliceScanner gives records from memory, and then an error if it has one.
type sliceScanner struct {
	records []events.Record
	next    int
	err     error
}

func (s *sliceScanner) Next() bool             { s.next++; return s.next <= len(s.records) }
func (s *sliceScanner) Record() *events.Record { return &s.records[s.next-1] }
func (s *sliceScanner) Err() error             { return s.err }

// place is the place of a record in the order, with the time at that place.
type place struct {
	Run  byte
	Seq  events.Seq
	Time events.Time
}

func runOf(id byte, times ...events.Time) *sliceScanner {
	s := new(sliceScanner)
	for i, t := range times {
		s.records = append(s.records, events.Record{Run: events.RunID{id}, Seq: events.Seq(i + 1), Time: t})
	}
	return s
}

func merged(scanners ...scanner) (order []place, err error) {
	m := newMerger(scanners)
	for m.Next() {
		r := m.Record()
		order = append(order, place{r.Run[0], r.Seq, r.Time})
	}
	return order, m.Err()
}

func TestMergeOrdersByRunningMaximumThenRunThenSeq(t *testing.T) {
	order, err := merged(runOf(2, 10, 30, 20, 30), runOf(1, 10, 25, 30, 40))
	want := []place{{1, 1, 10}, {2, 1, 10}, {1, 2, 25}, {1, 3, 30}, {2, 2, 30}, {2, 3, 20}, {2, 4, 30}, {1, 4, 40}}
	if err != nil || !slices.Equal(order, want) {
		t.Errorf("order %v, error %v, want %v", order, err, want)
	}
}

func TestMergeOfNothing(t *testing.T) {
	if order, err := merged(runOf(1), runOf(2)); len(order) != 0 || err != nil {
		t.Errorf("order %v, error %v, want nothing", order, err)
	}
}

func TestMergeStopsAtAnError(t *testing.T) {
	broken := runOf(1, 10)
	broken.err = errors.New("broken block")
	order, err := merged(broken, runOf(2, 20, 30))
	if !errors.Is(err, broken.err) || len(order) != 1 {
		t.Errorf("order %v, error %v, want one record and the error of the scanner", order, err)
	}
}

// Whatever the clocks did, every record comes once, each run keeps its order, and naming the runs in another order changes nothing.
func TestMergeProperties(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		var runs [4][]events.Time
		for i := range runs {
			runs[i] = make([]events.Time, random.IntN(20))
			for j := range runs[i] {
				runs[i][j] = events.Time(random.IntN(30))
			}
		}
		forward := make([]scanner, len(runs))
		backward := make([]scanner, len(runs))
		for i, times := range runs {
			forward[i] = runOf(byte(i), times...)
			backward[len(runs)-1-i] = runOf(byte(i), times...)
		}
		order, err := merged(forward...)
		again, _ := merged(backward...)
		if err != nil || !slices.Equal(order, again) {
			t.Fatalf("order %v, reversed %v, error %v", order, again, err)
		}
		checkMerge(t, order, runs[:])
	}
}

func checkMerge(t *testing.T, order []place, runs [][]events.Time) {
	t.Helper()
	next := make([]events.Seq, len(runs))
	latest := make([]events.Time, len(runs))
	var before events.Time
	for _, p := range order {
		next[p.Run]++
		latest[p.Run] = max(latest[p.Run], p.Time)
		if p.Seq != next[p.Run] || latest[p.Run] < before {
			t.Fatalf("%v is out of order in %v", p, order)
		}
		before = latest[p.Run]
	}
	for i, times := range runs {
		if int(next[i]) != len(times) {
			t.Errorf("run %d gave %d records, want %d", i, next[i], len(times))
		}
	}
}
