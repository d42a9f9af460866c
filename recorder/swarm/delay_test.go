package swarm

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A peer that was seen below the threshold is asked for often enough to see it finish, and one that stays away is spared in the end.
func TestDelaysOfRandomEndings(t *testing.T) {
	first := *seed
	if first == 0 {
		first = rand.Uint64()
	}
	for s := first; s < first+200; s++ {
		random := rand.New(rand.NewPCG(s, 2))
		schedule := New(plain)
		schedule.Offer(1, address(0))
		at := time.Duration(0)
		var before time.Duration // the delay of the failure before
		failures, below := 0, false
		for range 100 {
			ending := Ending(1 + random.IntN(int(Finished)-1))
			if random.IntN(3) > 0 {
				ending = Failed
			}
			schedule.Ended(next(t, schedule, at).Number, ending, start.Add(at))
			wake, ok := schedule.Wake(start.Add(at))
			if !ok {
				t.Fatalf("seed %d: the peer is lost", s)
			}
			delay := wake.Sub(start.Add(at))
			at += delay
			switch ending {
			case Failed, Mute:
				failures++
			case Missed:
				if delay != plain.Revisit {
					t.Fatalf("seed %d: delay %v after a failure of our own", s, delay)
				}
				continue
			default:
				failures, below, before = 0, true, 0
				continue
			}
			most := 64 * plain.Revisit
			if below && failures <= 14 {
				most = 4 * plain.Revisit
			}
			if delay < plain.Revisit || delay < before || delay > most || failures > 18 && delay != most {
				t.Fatalf("seed %d: delay %v after %d failures, the one before %v, seen below %v", s, delay, failures, before, below)
			}
			before = delay
		}
	}
}

// However a peer stays away, what is spent on it is bounded: in a day and a half, at the default revisit delay, some twenty contacts.
func TestAPeerThatIsGoneIsSpared(t *testing.T) {
	o := plain
	o.Revisit = 5 * time.Minute
	s := New(o)
	s.Offer(1, address(0))
	s.Ended(next(t, s, 0).Number, Left, start)
	contacts := 0
	for at := o.Revisit; at < 34*time.Hour; contacts++ {
		s.Ended(next(t, s, at).Number, Failed, start.Add(at))
		wake, _ := s.Wake(start.Add(at))
		at = wake.Sub(start)
	}
	if contacts < 14 || contacts > 25 {
		t.Errorf("%d contacts with a peer that is gone, want some twenty", contacts)
	}
}
