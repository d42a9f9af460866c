package recorder

import (
	"strings"
	"testing"

	"btda/events"
)

func TestSessionsFitToTheDescriptorLimit(t *testing.T) {
	passive := limits{incoming: 3072, greetings: 512}
	active, both := limits{outgoing: 1024}, limits{outgoing: 1024, incoming: 3072, greetings: 512}
	for _, c := range []struct {
		set         limits
		descriptors events.Optional
		want        limits
	}{
		{active, events.Optional{}, active},
		{active, events.Some(1 << 20), active},
		{active, events.Some(1024 + spareDescriptors), active},
		{active, events.Some(1024), limits{outgoing: 1024 - spareDescriptors}},
		{active, events.Some(10), limits{outgoing: 5}},
		{active, events.Some(1), limits{outgoing: 1}},
		{passive, events.Some(3072 + 512 + spareDescriptors), passive},
		{passive, events.Some(1024), limits{incoming: 768, greetings: 128}},
		{both, events.Some(4096 + 512 + spareDescriptors), both},
		{both, events.Some(4096), limits{outgoing: 864, incoming: 2592, greetings: 512}},
		{both, events.Some(1024), limits{outgoing: 192, incoming: 576, greetings: 128}},
	} {
		if got, lowered := c.set.fit(c.descriptors); got != c.want || lowered != (got != c.set) {
			t.Errorf("%+v with a limit of %v: %+v (%v), want %+v", c.set, c.descriptors, got, lowered, c.want)
		}
	}
}

// Sessions of a direction in which there are none take no descriptors from the others.
func TestOnlyTheDirectionsOfARecordingAreFitted(t *testing.T) {
	const descriptors = 2000
	for name, c := range map[string]struct {
		active, passive    bool
		outgoing, incoming int // that are left
		advice             string
	}{
		"active":  {true, false, descriptors - spareDescriptors, 4000, "1872 sessions instead of 4000 sessions at one time"},
		"passive": {false, true, 4000, descriptors - descriptors/8 - spareDescriptors, "1622 incoming sessions instead of 4000 incoming sessions at one time"},
		"both":    {true, true, 811, 811, "811 sessions and 811 incoming ones instead of"},
	} {
		var advice []string
		r := &Recorder{settings: Settings{Active: c.active, Passive: c.passive, Sessions: 4000, IncomingSessions: 4000},
			deps: Deps{Logger: discard, Advise: func(a string) { advice = append(advice, a) }}}
		r.fit(events.Some(descriptors))
		if r.settings.Sessions != c.outgoing || r.settings.IncomingSessions != c.incoming {
			t.Errorf("%s: %d outgoing and %d incoming sessions, want %d and %d", name, r.settings.Sessions, r.settings.IncomingSessions, c.outgoing, c.incoming)
		}
		if len(advice) != 1 || !strings.HasPrefix(advice[0], c.advice) {
			t.Errorf("%s: advice %q, want one that begins with %q", name, advice, c.advice)
		}
	}
}
