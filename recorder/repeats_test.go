package recorder

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"btda/events"
	"btda/events/eventstest"
)

// failedFrom is an incoming connection that failed.
func failedFrom(from string, reason events.Reason) *events.ConnectionFailed {
	return &events.ConnectionFailed{Torrent: 1, Direction: events.Incoming, Transport: events.TCP, Phase: events.PhaseHandshake, Reason: reason,
		Address: events.AddressOf(netip.MustParseAddrPort(from))}
}

// tallied sums up the failures in a log for one reason.
func tallied(log *eventstest.Log, reason events.Reason) (stored int, counted uint64) {
	for _, r := range log.Records() {
		switch e := r.Event.(type) {
		case *events.ConnectionFailed:
			if e.Reason == reason {
				stored++
			}
		case *events.ConnectionsSuppressed:
			if e.Reason == reason {
				counted += e.Count
			}
		}
	}
	return stored, counted
}

// However often one origin fails alike, the log grows little, and tells how often it was.
func TestFailuresOfOneOriginAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pace, lasting = 2 * time.Second, 10 * time.Minute
		log := eventstest.NewLog()
		r := newRepeats(log)
		began := log.Now()
		for range lasting / pace {
			for _, from := range []string{"192.0.2.7:1000", "[2001:db8::1]:1", "[2001:db8::2:0]:2"} {
				r.Append(t.Context(), log.Now(), failedFrom(from, events.ReasonComplete))
			}
			time.Sleep(pace)
		}
		r.Append(t.Context(), log.Now(), failedFrom("192.0.2.7:1000", events.ReasonReset))
		r.Append(t.Context(), log.Now(), failedFrom("192.0.2.8:1000", events.ReasonComplete))
		r.sweep(0)
		stored, counted := tallied(log, events.ReasonComplete)
		if want := int(3*lasting/pace) + 1; stored+int(counted) != want {
			t.Errorf("%d stored and %d counted, want %d in all", stored, counted, want)
		}
		if most := 2*10*(storedFailures+1) + 2; len(log.Records()) > most {
			t.Errorf("%d events, want at most %d", len(log.Records()), most)
		}
		if stored, counted := tallied(log, events.ReasonReset); stored != 1 || counted != 0 {
			t.Errorf("%d stored and %d counted of another reason, want 1 and none", stored, counted)
		}
		first := suppressedIn(log)[0]
		if first.Torrent != 1 || first.Direction != events.Incoming || first.Transport != events.TCP || first.Phase != events.PhaseHandshake ||
			first.Address.Addr() != netip.MustParseAddr("192.0.2.7") || first.Count != 30-storedFailures || first.Since.Sub(began) != storedFailures*pace {
			t.Errorf("counted %+v", first)
		}
	})
}

// Failures that differ in the encryption that was tried are not alike: what each negotiation tried is a fact.
func TestFailuresOfOtherEncryptionAreCountedApart(t *testing.T) {
	log := eventstest.NewLog()
	r := newRepeats(log)
	for range storedFailures + 3 {
		for _, e := range []events.Encryption{events.Plain, events.MSE} {
			failed := failedFrom("192.0.2.7:1000", events.ReasonUnknownProtocol)
			failed.Encryption = e
			r.Append(t.Context(), log.Now(), failed)
		}
	}
	r.sweep(0)
	counts := make(map[events.Encryption]uint64)
	for _, e := range suppressedIn(log) {
		counts[e.Encryption] += e.Count
	}
	if len(counts) != 2 || counts[events.Plain] != 3 || counts[events.MSE] != 3 {
		t.Errorf("counted %v, want 3 of each", counts)
	}
}

func suppressedIn(log *eventstest.Log) (list []*events.ConnectionsSuppressed) {
	for _, r := range log.Records() {
		if e, ok := r.Event.(*events.ConnectionsSuppressed); ok {
			list = append(list, e)
		}
	}
	return list
}

// What was counted is told within two minutes, though nobody comes again.
func TestCountedFailuresAreToldInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := eventstest.NewLog()
		r := newRepeats(log)
		swept := make(chan struct{})
		go func() { defer close(swept); r.sweepEvery(t.Context()) }()
		time.Sleep(repeatTime / 2)
		for range storedFailures + 5 {
			r.Append(t.Context(), log.Now(), failedFrom("192.0.2.7:1000", events.ReasonReset))
		}
		time.Sleep(2 * repeatTime)
		synctest.Wait()
		if got := suppressedIn(log); len(got) != 1 || got[0].Count != 5 {
			t.Errorf("told %+v, want one with 5", got)
		}
		if len(r.known) > 0 {
			t.Errorf("%d kinds of failures are remembered, want none", len(r.known))
		}
	})
}

// Failures of very many origins are stored one by one, and take no more memory.
func TestFailuresOfManyOriginsAreStored(t *testing.T) {
	log := eventstest.NewLog()
	r := newRepeats(log)
	ip := netip.MustParseAddr("10.0.0.1")
	for range maxLikenesses + 100 {
		r.Append(t.Context(), log.Now(), failedFrom(netip.AddrPortFrom(ip, 1).String(), events.ReasonReset))
		ip = ip.Next()
	}
	if stored, _ := tallied(log, events.ReasonReset); stored != maxLikenesses+100 || len(r.known) != maxLikenesses {
		t.Errorf("%d stored and %d remembered, want all and %d", stored, len(r.known), maxLikenesses)
	}
}

func TestOrigins(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"fe80::1%eth0": "fe80::", "::1": "::1"} {
		if got := originOf(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("origin of %s is %v, want %s", address, got, want)
		}
	}
	if got := originOf(netip.Addr{}); got.IsValid() {
		t.Errorf("origin of no address is %v", got)
	}
}
